import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

const place = mkdtempSync(join(tmpdir(), 'mechos-package-'))
const consumer = join(place, 'consumer')
const manifestBefore = readFileSync('package.json', 'utf8')
const reportSchema = z.object({ run: z.string(), state: z.string(), exit: z.int() })

beforeAll(() => {
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), '{"private":true,"type":"module"}\n')
  call('.', 'npm', 'pack', '--pack-destination', place)
  call(consumer, 'npm', 'install', '--prefer-offline', tarball())
})

afterAll(() => rmSync(place, { recursive: true, force: true }))

describe('the tarball', () => {
  test('leaves the clone as it was', () => {
    expect(readFileSync('package.json', 'utf8')).toBe(manifestBefore)
  })

  test('is sound to publint', () => {
    expect(call('.', 'npx', 'publint', 'run', tarball(), '--strict')).toContain('All good!')
  })

  test('has types for those who import it', () => {
    call('.', 'npx', 'attw', tarball(), '--profile', 'esm-only')
  })

  test('holds nothing of tests, tools or the lockfile', () => {
    const top = call('.', 'tar', 'tzf', tarball())
      .trim()
      .split('\n')
      .map((line) => line.split('/')[1])
    expect(new Set(top)).toEqual(
      new Set([
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
        'dist',
        'docs',
        'examples',
        'firmware',
        'mechos-guardian.service',
        'node_modules',
        'package.json',
      ]),
    )
  })
})

describe('where it is installed', () => {
  test('there is one serialport, and nothing was compiled', () => {
    expect(serialports()).toEqual(['13.0.0'])
    expect(compiled()).toEqual([])
  })

  test('npm has nothing to complain of', () => {
    call(consumer, 'npm', 'ls', '--all')
  })

  test('a robot runs without a configuration', () => {
    expect(report('--sim', '--seed', '1')).toMatchObject({ state: 'halted', exit: 0 })
  })

  test('a configuration may import mechos', () => {
    writeFileSync(join(consumer, 'robot.config.ts'), configuration)
    expect(report('--seed', '1').run).toMatch(/^mine-/)
    rmSync(join(consumer, 'robot.config.ts'))
  })

  test('both entries can be imported', () => {
    const code = `import { createRobot } from 'mechos'; import { scriptedBrain } from 'mechos/testing'
      console.log(typeof createRobot, typeof scriptedBrain)`
    expect(call(consumer, 'node', '--input-type=module', '-e', code)).toBe('function function\n')
  })

  test('a later install does not bring in a second serialport', () => {
    call(consumer, 'npm', 'install', '--prefer-offline', 'ms@2.1.3')
    call(consumer, 'npm', 'ci', '--prefer-offline')
    expect(serialports()).toEqual(['13.0.0'])
    expect(compiled()).toEqual([])
  })
})

const configuration = `import { defineRobot } from 'mechos'

export default defineRobot({
  name: 'mine',
  body: { kind: 'simulated', wheels: { radiusMetres: 0.033, trackMetres: 0.16 }, lidar: {} },
  limits: { linear: 0.3, angular: 1.5 },
})
`

/** Standard output of a command that must succeed. */
function call(cwd: string, command: string, ...words: readonly string[]): string {
  return execFileSync(command, words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function tarball(): string {
  return join(place, readdirSync(place).find((name) => name.endsWith('.tgz')) ?? 'missing.tgz')
}

function report(...words: readonly string[]): z.infer<typeof reportSchema> {
  const run = ['mechos', 'run', '--headless', '--for', '5', '--report', '-']
  return reportSchema.parse(JSON.parse(call(consumer, 'npx', ...run, ...words)))
}

function serialports(): readonly string[] {
  return installed()
    .filter((path) => path.endsWith('node_modules/serialport/package.json'))
    .map((path) => {
      const text = readFileSync(join(consumer, path), 'utf8')
      return z.object({ version: z.string() }).parse(JSON.parse(text)).version
    })
}

function compiled(): readonly string[] {
  return installed().filter((path) => path.endsWith('/build/Release') || path.endsWith('.o'))
}

function installed(): readonly string[] {
  return readdirSync(consumer, { recursive: true, encoding: 'utf8' })
}
