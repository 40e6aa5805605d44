import { differenceLine } from './core/record/difference.ts'
import type { Begin } from './core/record/entry.ts'
import { MechosError, messageOf } from './core/vocabulary/errors.ts'
import { statusLine } from './inspector/terminal.ts'
import { type Replay, replay } from './replay.ts'
import { readRecord } from './store/record-reader.ts'
import { findRecord } from './store/records.ts'
import { type Otherwise, otherwiseLine, whatIf } from './whatif.ts'

/** What `mechos replay` was asked for. */
export interface RerunOptions {
  /** A run, a robot, or a folder. */
  readonly run: string
  readonly state: string | undefined
  readonly stateRoot: string
  readonly untilSeconds: number | undefined
  readonly whatIf: readonly string[]
  readonly json: boolean
  print(line: string): void
}

/**
 * Replays a recorded run and says where it goes another way. Resolves to the exit code: 0 where it does not, 1 where it
 * does, 2 where the record is broken or says too little. Throws ERR_USAGE when there is no such run.
 */
export async function rerun(options: RerunOptions): Promise<number> {
  const { folder, run } = findRecord(options.run, options)
  try {
    const changed =
      options.whatIf.length > 0 ? whatIf(await beginningOf(folder), options.whatIf) : undefined
    const { untilSeconds } = options
    const came = await replay(readRecord(folder), { ...changed, untilSeconds })
    tell(run, came, changed?.found, options)
    if (came.differences > 0) return 1
    return came.gap === null ? 0 : 2
  } catch (error) {
    if (!(error instanceof MechosError) || !error.code.startsWith('ERR_RECORD')) throw error
    if (!options.json) throw error
    options.print(
      JSON.stringify({
        events: 0,
        differences: 0,
        first: null,
        complete: false,
        gap: messageOf(error),
      }),
    )
    return 2
  }
}

async function beginningOf(folder: string): Promise<Begin> {
  for await (const entry of readRecord(folder)) {
    if (entry.kind === 'begin') return entry
    break
  }
  throw new MechosError('ERR_RECORD_BROKEN', `record: ${folder} has no beginning`)
}

function tell(
  run: string,
  came: Replay,
  otherwise: readonly Otherwise[] | undefined,
  { json, print, untilSeconds }: RerunOptions,
): void {
  const { differences, events, first, gap, status } = came
  if (json) {
    const more = {
      ...(otherwise && { otherwise }),
      ...(untilSeconds !== undefined && { status }),
    }
    print(JSON.stringify({ events, differences, first, complete: gap === null, gap, ...more }))
    return
  }
  const outcome = differences === 0 ? 'no difference' : `${differences} differences`
  print(`${run}: ${events} entries replayed, ${outcome}`)
  if (first) print(`first: ${differenceLine(first)}`)
  if (gap !== null) print(`INCOMPLETE: ${gap}; it cannot be replayed any further`)
  if (untilSeconds !== undefined) print(`at ${untilSeconds} s: ${statusLine(status)}`)
  if (otherwise?.length === 0) print('nothing would have been decided otherwise')
  for (const each of otherwise ?? []) print(otherwiseLine(each))
}
