import { isStill, STILL, type Twist } from '../vocabulary/geometry.ts'
import { grantLease, isLeaseLive, type Lease, observeLease, spentLease } from './lease.ts'

/** Somebody who may command motion. Of those who are heard, the one of the highest priority does. */
export interface SourceRule {
  readonly name: string
  readonly priority: number
  /** For how long one word of it counts, in ms: 50 to 2000. */
  readonly timeoutMs: number
  /** It moves nothing until it was seen at zero since the last arm: a stick that is held down then is not meant. */
  readonly mustRest: boolean
}

/** Something that keeps every source below its priority from moving anything. */
export interface LockRule {
  readonly name: string
  readonly priority: number
  /** With it, the lock is shut as well when nobody said for so long that it is open. Without, it is open until it is shut. */
  readonly timeoutMs?: number
}

/** What a source says: a velocity in m/s and rad/s, at `atMs` on the robot's clock. */
export interface Word {
  readonly source: string
  readonly twist: Twist
  readonly atMs: number
  /** A word that is not younger than the last one of its source is dropped. */
  readonly sequence?: number
}

interface Heard {
  readonly lease: Lease
  readonly twist: Twist
  readonly sequence: number
}

interface Lock {
  readonly isShut: boolean
  readonly open: Lease
}

/** Who commands motion, and what each last said. Never changed in place. */
export interface Sources {
  readonly rules: readonly SourceRule[]
  readonly locks: readonly LockRule[]
  readonly heard: ReadonlyMap<string, Heard>
  readonly keys: ReadonlyMap<string, Lock>
  /** Sources that were seen at zero since the last arm. */
  readonly rested: ReadonlySet<string>
  /** Who moves the robot, as of the last look. */
  readonly mover: string | undefined
}

/** What became of a word. */
export type Hearing = 'heard' | 'masked' | 'not at rest' | 'out of order' | 'unsound' | 'unknown'

/** Who commands now, and what. `zero` is said once, when nobody does any more: what moved is to be told to stop. */
export interface Command {
  readonly source: string | undefined
  readonly twist: Twist
  readonly zero: boolean
}

/**
 * Sources of which none was heard. Throws a TypeError for a priority that is not finite and for a timeout outside 50 to
 * 2000 ms: nobody is believed for ever.
 */
export function makeSources(
  rules: readonly SourceRule[],
  locks: readonly LockRule[] = [],
): Sources {
  for (const { name, priority, timeoutMs } of [...rules, ...locks]) {
    if (!Number.isFinite(priority)) throw new TypeError(`the priority of ${name} must be finite`)
    if (timeoutMs !== undefined) grantLease(0, timeoutMs)
  }
  const nothing = new Map<never, never>()
  return { rules, locks, heard: nothing, keys: nothing, rested: new Set(), mover: undefined }
}

/** After an arm or a halt: whatever was said is void, and each source has to be seen at zero again. Locks stay. */
export function forgetSources(sources: Sources): Sources {
  return { ...sources, heard: new Map(), rested: new Set() }
}

/** The sources after one word, and what became of it. A word that is no velocity silences its source. */
export function hearWord(sources: Sources, word: Word): { sources: Sources; hearing: Hearing } {
  const rule = sources.rules.find(({ name }) => name === word.source)
  if (!rule) return { sources, hearing: 'unknown' }
  const last = sources.heard.get(rule.name)
  if (!isSound(word)) return { sources: silence(sources, rule.name), hearing: 'unsound' }
  const sequence = word.sequence ?? -Infinity
  if (last && word.sequence !== undefined && !(sequence > last.sequence)) {
    return { sources, hearing: 'out of order' }
  }
  const hasRested = !rule.mustRest || isStill(word.twist) || sources.rested.has(rule.name)
  if (!hasRested) return { sources: silence(sources, rule.name), hearing: 'not at rest' }
  const heard = {
    lease: grantLease(word.atMs, rule.timeoutMs),
    twist: word.twist,
    sequence: Math.max(sequence, last?.sequence ?? -Infinity),
  }
  const next = {
    ...sources,
    heard: new Map(sources.heard).set(rule.name, heard),
    rested: new Set(sources.rested).add(rule.name),
  }
  const hearing = commanderOf(next, word.atMs)?.name === rule.name ? 'heard' : 'masked'
  return { sources: next, hearing }
}

/** The sources after one of them let go. */
export function silence(sources: Sources, name: string): Sources {
  const last = sources.heard.get(name)
  if (!last) return sources
  const heard = { ...last, lease: spentLease, twist: STILL }
  return { ...sources, heard: new Map(sources.heard).set(name, heard) }
}

/** The sources after a lock was shut, or was said to be open. */
export function turnLock(sources: Sources, name: string, isShut: boolean, atMs: number): Sources {
  const rule = sources.locks.find((lock) => lock.name === name)
  if (!rule) throw new TypeError(`there is no lock ${name}`)
  const open = rule.timeoutMs === undefined ? spentLease : grantLease(atMs, rule.timeoutMs)
  return { ...sources, keys: new Map(sources.keys).set(name, { isShut, open }) }
}

/** Who commands at `nowMs`. From then on no earlier time is believed. */
export function lookAt(sources: Sources, nowMs: number): { sources: Sources; command: Command } {
  const commander = commanderOf(sources, nowMs)
  const heard = new Map(
    [...sources.heard].map(([name, each]) => {
      const lease = observeLease(each.lease, nowMs)
      return [name, { ...each, lease }]
    }),
  )
  // Who fell silent in the middle of a motion has to be seen at zero before the next.
  const rested = new Set(
    [...sources.rested].filter((name) => !hasFallenSilent(sources, name, nowMs)),
  )
  return {
    sources: { ...sources, heard, rested, mover: commander?.name },
    command: {
      source: commander?.name,
      twist: commander ? (heard.get(commander.name)?.twist ?? STILL) : STILL,
      zero: commander === undefined && sources.mover !== undefined,
    },
  }
}

/** The sources that fell silent in the middle of a motion. */
export function silentAt(sources: Sources, nowMs: number): readonly string[] {
  return sources.rules
    .map(({ name }) => name)
    .filter((name) => hasFallenSilent(sources, name, nowMs))
}

function hasFallenSilent({ heard }: Sources, name: string, nowMs: number): boolean {
  const last = heard.get(name)
  return last !== undefined && !isStill(last.twist) && !isLeaseLive(last.lease, nowMs)
}

function commanderOf(sources: Sources, nowMs: number): SourceRule | undefined {
  const bar = Math.max(-Infinity, ...sources.locks.filter(isShutAt(sources, nowMs)).map(priorityOf))
  return sources.rules
    .filter(({ name }) => {
      const lease = sources.heard.get(name)?.lease ?? spentLease
      return isLeaseLive(lease, nowMs)
    })
    .filter((rule) => rule.priority >= bar)
    .reduce<SourceRule | undefined>(
      (best, rule) => (best && best.priority >= rule.priority ? best : rule),
      undefined,
    )
}

function isShutAt({ keys }: Sources, nowMs: number): (rule: LockRule) => boolean {
  return ({ name, timeoutMs }) => {
    const key = keys.get(name)
    if (timeoutMs === undefined) return key?.isShut === true
    return key === undefined || key.isShut || !isLeaseLive(key.open, nowMs)
  }
}

function priorityOf(rule: LockRule): number {
  return rule.priority
}

function isSound({ twist, atMs, sequence = 0 }: Word): boolean {
  return [twist.linear, twist.angular, atMs, sequence].every(Number.isFinite)
}
