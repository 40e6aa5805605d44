import type { z } from 'zod'
import { bodyFactsSchema, evidenceSchema } from '../core/record/answers.ts'
import {
  causeSchema,
  guardianFactSchema,
  nothingSchema,
  readingSchema,
} from '../core/record/arrivals.ts'
import type { Reading } from '../core/vocabulary/reading.ts'
import type { Body, GuardianFact } from '../drivers/body.ts'
import type { Tape } from './tape.ts'

/** The same body behind the doors of a tape. */
export function tapedBody(tape: Tape, body: Body): Body {
  const { beat, onGuardian, onLost, step, truth } = body
  return {
    kind: body.kind,
    ...(body.senses && { senses: body.senses }),
    open: () => tape.ask({ name: 'open', schema: bodyFactsSchema, act: () => body.open() }),
    arm: () => tape.call('arm', undefined, () => body.arm()),
    write: (command) => tape.call('write', command, () => body.write(command)),
    halt: () => tape.call('halt', undefined, () => body.halt()),
    confirm: () => tape.ask({ name: 'confirm', schema: evidenceSchema, act: () => body.confirm() }),
    outputs: () => body.outputs(),
    onReading: fanOut<Reading>(tape, 'reading', readingSchema, (hear) =>
      body.onReading((reading) => hear(ownCopyOf(reading))),
    ),
    ...(onLost && {
      onLost: fanOut<string>(tape, 'lost', causeSchema, (hear) => onLost.call(body, hear)),
    }),
    ...(beat && { beat: () => tape.pass('beat', () => beat.call(body)) }),
    ...(onGuardian && {
      onGuardian: fanOut<GuardianFact>(tape, 'guardian', guardianFactSchema, (hear) =>
        onGuardian.call(body, hear),
      ),
    }),
    ...(step && { step: (milliseconds) => tape.pass('step', () => step.call(body, milliseconds)) }),
    ...(truth && { truth: () => truth.call(body) }),
    close: () => tape.ask({ name: 'close', schema: nothingSchema, act: () => body.close() }),
  }
}

/** The calls of a body that not every one has, as far as this one has them. */
export function callsOf(body: Body): readonly string[] {
  return (['onLost', 'beat', 'onGuardian', 'step', 'truth'] as const).filter((call) => body[call])
}

/** Listens at a door of the outside once, from when the first one listens, and hands on to everybody. */
function fanOut<T>(
  tape: Tape,
  door: string,
  schema: z.ZodType<T>,
  subscribe: (hear: (value: T) => void) => void,
): (listener: (value: T) => void) => () => void {
  const listeners = new Set<(value: T) => void>()
  let isSubscribed = false
  const hear = tape.arrival<T>(door, schema, (value) => {
    for (const listener of listeners) listener(value)
  })
  return (listener) => {
    const entry = (value: T) => listener(value)
    listeners.add(entry)
    if (!isSubscribed) tape.pass(`listen.${door}`, () => subscribe(hear))
    isSubscribed = true
    return () => void listeners.delete(entry)
  }
}

/** A driver may use its arrays again: what is kept is what was said then. */
function ownCopyOf(reading: Reading): Reading {
  return reading.kind === 'lidar' ? { ...reading, ranges: [...reading.ranges] } : { ...reading }
}
