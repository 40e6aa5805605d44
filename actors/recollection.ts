import { filter, firstValueFrom, from, map, type Observable, race } from 'rxjs'
import { cueTextOf } from '../core/memory/cue.ts'
import { lexicalVector } from '../core/memory/lexical.ts'
import { bestOf, type Cue, type Embedded, type Entry, type Found } from '../core/memory/recall.ts'
import { isSameFrame } from '../core/memory/recall.ts'
import { sparse } from '../core/memory/vector.ts'
import { ageText, type Recalled } from '../core/vocabulary/memory.ts'
import type { Observation } from '../core/vocabulary/observation.ts'

/** How many memories are told to a brain at most (DESIGN §6), and how long it waits for them, in ms of the robot's clock. */
export const recalledMax = 5
export const recallMsMax = 100

/** How many memories are looked at in one go: a few milliseconds on a small computer. */
const sliceMax = 2_500

/** The last turns of a run are told to a brain as they are; it need not be reminded of them. */
const turnsTold = 8

/** What somebody remembers by. */
export interface Recalling {
  /** Looked at anew for each recall. */
  readonly entries: readonly Entry[]
  readonly run: string
  /** Milliseconds since 1970. */
  wallMs(): number
  /** The reflex loop's: it carries the robot's time. */
  readonly ticks: Observable<number>
  /** The vector of a text under an endpoint's embedding; undefined where there is none, or it cannot be had. Never rejects. */
  embed(text: string): Promise<Embedded | undefined> | undefined
}

/**
 * The memories that fit what is seen best, best first. Takes no longer than `recallMsMax`, and what was not looked at by
 * then is left out: without the vector of an endpoint they are found by words. Nothing is waited for where there are no
 * more memories than one slice, and no endpoint.
 */
export async function recallFor(
  { embed, entries, run, ticks, wallMs }: Recalling,
  seen: Pick<Observation, 'answers' | 'goal' | 'pose' | 'stampMs'>,
): Promise<readonly Recalled[]> {
  if (entries.length === 0) return []
  const text = cueTextOf(seen)
  const vector = embed(text)
  const cue: Cue = {
    lexical: sparse(lexicalVector(text)),
    embedded: vector && (await inTime(vector, ticks, seen.stampMs)),
    wallMs: wallMs(),
    at: { frame: 'odom', ...seen.pose },
    run,
    told: toldIn(entries, run),
  }
  const found = await recall(entries, cue, ticks, seen.stampMs)
  return found.map((each) => recalledOf(each, cue))
}

/** The first slice is looked at within the call; each further one after another tick, so that nothing is kept waiting. */
export async function recall(
  entries: readonly Entry[],
  cue: Cue,
  ticks: Observable<number>,
  sinceMs: number,
): Promise<readonly Found[]> {
  let best = bestOf(entries.slice(0, sliceMax), cue, recalledMax)
  for (let at = sliceMax; at < entries.length; at += sliceMax) {
    // oxlint-disable-next-line no-await-in-loop -- one slice after each tick
    const nowMs = await firstValueFrom(ticks, { defaultValue: Number.POSITIVE_INFINITY })
    if (!(nowMs - sinceMs < recallMsMax)) break
    best = bestOf(entries.slice(at, at + sliceMax), cue, recalledMax, best)
  }
  return best
}

function inTime<T>(
  given: Promise<T>,
  ticks: Observable<number>,
  sinceMs: number,
): Promise<T | undefined> {
  const limit = ticks.pipe(
    filter((nowMs) => !(nowMs - sinceMs < recallMsMax)),
    map(() => undefined),
  )
  return firstValueFrom(race(from(given), limit), { defaultValue: undefined })
}

function toldIn(entries: readonly Entry[], run: string): ReadonlySet<number> {
  const told = new Set<number>()
  for (let at = entries.length - 1; at >= 0 && told.size < turnsTold; at--) {
    const memory = entries[at]?.memory
    // Whatever is older than a run is of another one.
    if (!memory || memory.run !== run) break
    if (memory.kind === 'episode') told.add(memory.id)
  }
  return told
}

function recalledOf({ entry: { memory, text }, score }: Found, cue: Cue): Recalled {
  const isHere = cue.at !== undefined && isSameFrame(memory, { at: cue.at, run: cue.run })
  return {
    text,
    age: ageText(cue.wallMs - memory.wallMs),
    ...(isHere && { place: memory.at }),
    id: memory.id,
    score: Math.round(score * 1_000) / 1_000,
  }
}
