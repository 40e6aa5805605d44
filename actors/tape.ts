import type { z } from 'zod'
import type { Clock } from '../drivers/clock.ts'

/**
 * Every door between a robot and its outside. A recording tape lets everything pass and keeps it, in order; a replaying
 * one has no outside, says what was kept, and compares what the robot does. The robot cannot tell them apart: time stands
 * still from one moment at which something comes in to the next, and no promise of the robot is left unfinished between them.
 */
export interface Tape {
  /** The robot's clock, on which time is that of the last moment. */
  clock(inner: Clock): Clock
  /** A clock whose timers come in by a door. What time it is on it must decide nothing. */
  timers(inner: Clock): Clock
  /** For what comes in unasked. The outside is given what this returns. */
  arrival<T>(door: string, schema: z.ZodType<T>, take: (value: T) => void): (value: T) => void
  /** For what somebody tells the robot, and is answered at once. */
  command<T, R>(door: string, schema: z.ZodType<T>, obey: (value: T) => R): (value: T) => R
  /** For what somebody tells the robot, and waits for. */
  errand<R>(door: string, run: () => Promise<R>): () => Promise<R>
  /** For the promise that a command has given: whoever waits for it goes on when the robot is done with what there was. */
  reply<T>(given: Promise<T>): Promise<T>
  /** For what the robot does to its outside: an output. Throws what `act` throws. */
  call(name: string, value: unknown, act: () => unknown): void
  /** The same for what happens again and again and says nothing: no output. */
  pass(name: string, act: () => unknown): void
  /** For what the robot asks of its outside, which is an output, and what becomes of that. */
  ask<T>(asking: Asking<T>): Promise<T>
  /** An output that goes nowhere: something that the robot has decided. */
  note(what: string, value: unknown): void
}

export interface Asking<T> {
  readonly name: string
  /** What is asked; undefined where the name says it all. */
  readonly value?: unknown
  /** Of what the promise resolves to. */
  readonly schema: z.ZodType<T>
  act(): Promise<T>
}

/** Calls back once every promise that is settled now, and all that follows from them, has been seen to. */
export function afterPromises(callback: () => void): void {
  queueMicrotask(() => process.nextTick(callback))
}
