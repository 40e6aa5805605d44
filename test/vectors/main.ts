import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { messageOf } from '../../core/vocabulary/errors.ts'
import { bindings } from './bindings.ts'
import { remarkLines, tallyJson, tallyLines } from './report.ts'
import { exceptionSchema, type FileReport, runFile, tally } from './runner.ts'

const usage = 'usage: npm run vectors -- PATH… [--json]\n'

process.exitCode = main(process.argv.slice(2))

/** Runs the vector files at the paths given, and answers with the exit code: 1 when a case failed, 2 for bad usage. */
function main(words: readonly string[]): number {
  const paths = words.filter((word) => !word.startsWith('-'))
  const flags = words.filter((word) => word.startsWith('-'))
  if (paths.length === 0 || flags.some((flag) => flag !== '--json')) {
    process.stderr.write(usage)
    return 2
  }
  try {
    return print(paths.flatMap(filesAt).map(runAt), flags.length > 0)
  } catch (thrown) {
    process.stderr.write(`${messageOf(thrown)}\n${usage}`)
    return 2
  }
}

function print(reports: readonly FileReport[], asJson: boolean): number {
  for (const line of remarkLines(reports)) process.stderr.write(`${line}\n`)
  for (const line of tallyLines(reports)) process.stdout.write(`${line}\n`)
  if (asJson) process.stdout.write(`${tallyJson(reports)}\n`)
  return tally(reports).failed > 0 ? 1 : 0
}

function filesAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  const names = readdirSync(path).filter((name) => name.endsWith('.json'))
  if (names.length === 0) throw new Error(`no vector files in ${path}`)
  return names.toSorted().map((name) => join(path, name))
}

function runAt(path: string): FileReport {
  const list: unknown = JSON.parse(
    readFileSync(new URL('./peer-only.json', import.meta.url), 'utf8'),
  )
  const exceptions = z.array(exceptionSchema).parse(list)
  return runFile(basename(path), readFileSync(path, 'utf8'), bindings, exceptions)
}
