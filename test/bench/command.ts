import { parseArgs } from 'node:util'
import { messageOf } from '../../core/vocabulary/errors.ts'
import { type BenchReport, type Figure } from './figure.ts'
import { tableOf } from './table.ts'

/** What every bench may be asked. */
export interface BenchOptions {
  /** A board that is not ours: only what can be seen without looking at its pins is measured then. */
  readonly port: string | undefined
  /** Tells a person how far it has got. */
  note(line: string): void
}

/** Measures, one thing after the other. */
export type Bench = (options: BenchOptions) => Promise<readonly Figure[]>

/** Where a command writes. */
export interface Streams {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/**
 * Runs the bench that `words` name, prints its figures, and answers with the exit code: 1 when one is a miss or the
 * bench broke, 2 for bad usage. With `--json` the one line on `out` is as `benchReportSchema` says.
 */
export async function command(
  words: readonly string[],
  benches: Readonly<Record<string, Bench>>,
  { out, err }: Streams,
): Promise<number> {
  const usage = `usage: npm run bench -- NAME [--json] [--port PATH]; NAME is one of: ${Object.keys(benches).join(', ')}\n`
  const asked = read(words)
  const bench = asked && Object.hasOwn(benches, asked.name) ? benches[asked.name] : undefined
  if (!asked || !bench) {
    err(asked ? `bench: ${asked.name} is not allowed\n${usage}` : usage)
    return 2
  }
  try {
    const figures = await bench({ port: asked.port, note: (line) => err(`${line}\n`) })
    const report: BenchReport = {
      bench: asked.name,
      node: process.versions.node,
      figures: [...figures],
    }
    out(asked.json ? `${JSON.stringify(report)}\n` : tableOf(report))
    return figures.some(({ verdict }) => verdict === 'miss') ? 1 : 0
  } catch (error) {
    err(`${asked.name}: ${messageOf(error)}\n`)
    return 1
  }
}

interface Asked {
  readonly name: string
  readonly json: boolean
  readonly port: string | undefined
}

function read(words: readonly string[]): Asked | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      options: { json: { type: 'boolean', default: false }, port: { type: 'string' } },
      allowPositionals: true,
    })
    const [name, ...rest] = positionals
    if (name === undefined || rest.length > 0) return undefined
    return { name, json: values.json, port: values.port }
  } catch {
    // Words that are none are answered with the usage.
    return undefined
  }
}
