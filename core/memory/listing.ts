import type { Remembered } from '../vocabulary/memory.ts'
import { lexicalVector } from './lexical.ts'
import { bestOf, type Cue, type Entry, type Found } from './recall.ts'
import { sparse } from './vector.ts'

/** How many memories a person is shown that asks for some. */
export const soughtMax = 10

/** What a person looks for by words alone: no place, and no run, is nearer than another. */
export function cueFor(text: string, wallMs: number): Cue {
  return {
    lexical: sparse(lexicalVector(text)),
    embedded: undefined,
    wallMs,
    at: undefined,
    run: '',
    told: noneTold,
  }
}

const noneTold: ReadonlySet<number> = new Set()

/** The memories that fit these words best, best first. */
export function sought(
  entries: readonly Entry[],
  text: string,
  wallMs: number,
): readonly Remembered[] {
  return bestOf(entries, cueFor(text, wallMs), soughtMax).map(shown)
}

/** All memories, the youngest first. */
export function listed(entries: readonly Entry[]): readonly Remembered[] {
  return entries.map((entry) => rememberedOf(entry)).toReversed()
}

function shown({ entry, score }: Found): Remembered {
  return { ...rememberedOf(entry), score: Math.round(score * 1_000) / 1_000 }
}

function rememberedOf({ memory: { at, id, kind, wallMs }, text }: Entry): Remembered {
  return { id, kind, wallMs, text, at }
}
