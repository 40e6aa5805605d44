import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { z } from 'zod'

/**
 * What `npm pack` runs before and after. The tarball carries johnny-five with it, because johnny-five asks for an old
 * serialport that has to be compiled, and `overrides` do not travel with a package (docs/decisions/0005). What it
 * carries is johnny-five as it is, with a manifest that asks for what we really run it on.
 *
 * In the clone both changes are undone afterwards: npm cannot install a package.json that bundles what it overrides.
 */
const ours = 'package.json'
const theirs = 'node_modules/johnny-five/package.json'
const kept = 'node_modules/.johnny-five.package.json'

type Manifest = Readonly<Record<string, unknown>>

const manifestSchema = z.record(z.string(), z.unknown())

function before(): void {
  if (!existsSync(kept)) copyFileSync(theirs, kept)
  // Its parts get our io, so it loads neither firmata nor any serialport.
  const { optionalDependencies: _, ...manifest } = read(kept)
  const dependencies = { ...manifestSchema.parse(manifest['dependencies']), temporal: '0.7.1' }
  write(theirs, { ...manifest, dependencies })
  write(ours, { ...read(ours), bundleDependencies: ['johnny-five'] })
}

function after(): void {
  const { bundleDependencies: _, ...manifest } = read(ours)
  write(ours, manifest)
  renameSync(kept, theirs)
}

function read(file: string): Manifest {
  return manifestSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
}

/** By renaming, so that npm sees a folder that changed and does not go by what it remembers of it. */
function write(file: string, manifest: Manifest): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(manifest, null, 2)}\n`)
  renameSync(`${file}.new`, file)
}

const [step] = process.argv.slice(2)
if (step === 'before') before()
else if (step === 'after') after()
else throw new TypeError(`a step is before or after, not ${step}`)
