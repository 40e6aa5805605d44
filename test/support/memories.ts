import { lexicalName, lexicalVector } from '../../core/memory/lexical.ts'
import type { Entry } from '../../core/memory/recall.ts'
import { type Draft, type Episode, type Memory, textOf } from '../../core/vocabulary/memory.ts'
import type { Kept } from '../../store/memory-records.ts'

/** Noon of a day, in ms since 1970. */
export const noonMs = Date.UTC(2026, 0, 30, 12)

/** A note with every field of a memory but its number. */
export function draftOf(text: string, more: Partial<Draft> = {}): Draft {
  const at = { frame: 'odom' as const, x: 0, y: 0, heading: 0 }
  return { run: 'rover-1', wallMs: noonMs, at, ...more, kind: 'note', text }
}

export function noteOf(id: number, text: string, more: Partial<Draft> = {}): Memory {
  return { ...draftOf(text, more), id }
}

export function happening(id: number, more: Partial<Episode> = {}): Memory {
  return {
    kind: 'episode',
    run: 'rover-1',
    wallMs: noonMs,
    at: { frame: 'odom', x: 0, y: 0, heading: 0 },
    goal: 'explore',
    seen: { boxes: [], battery: null, blind: [] },
    intended: 'stop',
    reason: 'to rest',
    judged: 'permitted',
    ended: 'done',
    ...more,
    id,
  }
}

export function keptOf(memory: Memory): Kept {
  return { memory, embedding: lexicalName, vector: lexicalVector(textOf(memory)) }
}

export function entryOf(memory: Memory, embedded?: Entry['embedded']): Entry {
  const text = textOf(memory)
  return { memory, text, lexical: lexicalVector(text), embedded }
}
