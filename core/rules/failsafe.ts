/** How hard a failsafe acts, mildest first. */
export const rungs = ['none', 'warn', 'slow', 'hold', 'return', 'halt'] as const
export type Rung = (typeof rungs)[number]

/** When a cause is forgotten. Never while what it stands for goes on. */
export type ClearRule =
  /** As soon as it is over. */
  | 'byItself'
  /** Once a person has acted after it was over. */
  | 'byOperator'
  | 'never'

/** How a person may go on in spite of a cause. */
export type Takeover =
  /** By hand, once the robot has held for a while: it holds first and acts then. */
  | 'afterHold'
  /** By choosing what comes next, and not by a hand that was on the stick already. */
  | 'bySwitch'
  /** Not at all, and it acts at once. */
  | 'never'

/** Something that should not be, and what is to be done about it. The name is what people read. */
export interface Hazard {
  readonly name: string
  readonly rung: Rung
  readonly clears: ClearRule
  readonly takeover: Takeover
}

/** A hazard that is remembered; `stands` says whether it still is so. */
export interface Cause extends Hazard {
  readonly stands: boolean
}

/** Where a robot stands on the ladder, and why. Never changed in place. */
export interface Ladder {
  readonly rung: Rung
  /** Oldest first. */
  readonly causes: readonly Cause[]
  /** A person goes on in spite of the causes. */
  readonly isTakenOver: boolean
  /** How much longer it holds before anything stronger, and refuses the stick, in ms. */
  readonly pauseMs: number
  /** How long it may hold in all before a stronger rung, in ms: used up by holding, and refilled at a quarter of that rate. */
  readonly allowanceMs: number
  readonly isArmed: boolean
  readonly seenMs: number | undefined
}

/** What there is to know when the ladder is climbed. */
export interface Moment {
  /** On a monotonic clock. */
  readonly nowMs: number
  /** Every hazard that is so now, each name once. */
  readonly hazards: readonly Hazard[]
  /** A robot that is not armed moves nothing: only a halt matters to it. */
  readonly isArmed: boolean
  /** A person has just chosen what comes next: reset, resume, take over. */
  readonly hasSwitched?: boolean
  /** A person has just moved the stick. */
  readonly hasMoved?: boolean
  /** The robot knows a way home. Without one, `return` falls through upward to `halt`. */
  readonly canReturn?: boolean
  /** It is on its way home already. */
  readonly isReturning?: boolean
}

/** How long a robot holds before a stronger rung, in ms (DESIGN §6). */
export const holdMs = 5_000

/** How many times slower the allowance for holding is refilled than used. */
const refillRatio = 4

/** The foot of the ladder. */
export const foot: Ladder = Object.freeze({
  rung: 'none',
  causes: [],
  isTakenOver: false,
  pauseMs: 0,
  allowanceMs: holdMs,
  isArmed: false,
  seenMs: undefined,
})

/** True when `rung` acts harder than `other`. */
export function isAbove(rung: Rung, other: Rung): boolean {
  return rungs.indexOf(rung) > rungs.indexOf(other)
}

/**
 * The ladder one moment later. The worst cause wins; each is remembered by its clear rule. A hazard that comes and goes
 * does not postpone a stronger rung: holding uses up an allowance that refills slower. A clock that runs backwards, or
 * shows NaN, ends the pause.
 * Source: the arbitration of PX4's commander, failsafe/framework.cpp, without its deferral.
 */
export function climb(ladder: Ladder, moment: Moment): Ladder {
  const { hasSwitched = false, hasMoved = false, isArmed } = moment
  const elapsedMs = elapsed(ladder, moment.nowMs)
  const hasRearmed = isArmed !== ladder.isArmed
  // To arm is to act; to be halted is not.
  const known = forgotten(ladder, hasSwitched || (hasRearmed && isArmed))
  const fresh = moment.hazards.filter(({ name }) => !known.some((cause) => cause.name === name))
  const causes = remembered(known, moment.hazards, fresh)

  const wasTakenOver =
    ladder.isTakenOver && !hasRearmed && !fresh.some(({ rung }) => isAbove(rung, 'slow'))
  const allowanceMs = allowanceOf(ladder, elapsedMs)
  const pauseMs =
    isAbove(ladder.rung, 'hold') || wasTakenOver
      ? 0
      : pauseOf({ ...ladder, allowanceMs }, fresh, elapsedMs)
  const worst = worstOf(causes, isArmed)
  const takeover = strictest(causes)
  const isPausing = pauseMs > 0 && takeover !== 'never' && isAbove(worst, 'slow')
  const wanted = isPausing ? 'hold' : worst

  const isWanted = wasTakenOver || (hasSwitched && wanted === ladder.rung)
  const isByHand = hasMoved && takeover === 'afterHold' && !isPausing
  const isTakenOver = isAbove(wanted, 'slow') && takeover !== 'never' && (isWanted || isByHand)
  const rung = isTakenOver ? 'warn' : possible(wanted, worst, moment)
  return {
    rung,
    causes,
    isTakenOver,
    pauseMs: isPausing && !isTakenOver ? pauseMs : 0,
    allowanceMs,
    isArmed,
    seenMs: moment.nowMs,
  }
}

/**
 * What is left of `holdMs` of patience after `elapsedMs` in which it was used or not: refilled at a quarter of the rate
 * at which it is used, so that what comes and goes does not draw it out.
 */
export function patienceAfter(leftMs: number, elapsedMs: number, isUsed: boolean): number {
  if (isUsed) return Math.max(0, leftMs - elapsedMs)
  const refillMs = Number.isFinite(elapsedMs) ? elapsedMs / refillRatio : 0
  return Math.min(holdMs, leftMs + refillMs)
}

/** What keeps a halted robot from being reset: the causes of a halt that are still so, and those that are for good. */
export function blockersOf(ladder: Ladder): readonly string[] {
  return ladder.causes
    .filter(({ rung, stands, clears }) => rung === 'halt' && (stands || clears === 'never'))
    .map(({ name }) => name)
}

/** The names of the causes on the present rung or above, oldest first; of all, when none asked for so much by itself. */
export function reasonsOf({ rung, causes }: Ladder): readonly string[] {
  const asking = causes.filter((cause) => !isAbove(rung, cause.rung))
  // A robot that knows no way home halts though nothing asked for a halt.
  return (asking.length > 0 ? asking : causes).map(({ name }) => name)
}

/** Infinity for a clock that cannot be believed. */
function elapsed({ seenMs }: Ladder, nowMs: number): number {
  if (seenMs === undefined) return 0
  return nowMs >= seenMs ? nowMs - seenMs : Infinity
}

function forgotten(ladder: Ladder, hasActed: boolean): readonly Cause[] {
  if (!hasActed && !ladder.isTakenOver) return ladder.causes
  return ladder.causes.filter(({ stands, clears }) => stands || clears !== 'byOperator')
}

function remembered(
  known: readonly Cause[],
  hazards: readonly Hazard[],
  fresh: readonly Hazard[],
): readonly Cause[] {
  const kept = known.flatMap((cause): Cause[] => {
    const now = hazards.find(({ name }) => name === cause.name)
    if (now) return [{ ...cause, rung: now.rung, stands: true }]
    return cause.clears === 'byItself' ? [] : [{ ...cause, stands: false }]
  })
  return [...kept, ...fresh.map((hazard) => ({ ...hazard, stands: true }))]
}

function pauseOf(ladder: Ladder, fresh: readonly Hazard[], elapsedMs: number): number {
  const left = Math.max(0, ladder.pauseMs - elapsedMs)
  if (left > 0) return left
  const asksForOne = fresh.some(
    ({ takeover, rung }) => takeover === 'afterHold' && isAbove(rung, 'slow'),
  )
  return asksForOne ? ladder.allowanceMs : 0
}

function allowanceOf({ allowanceMs, pauseMs }: Ladder, elapsedMs: number): number {
  return patienceAfter(allowanceMs, elapsedMs, pauseMs > 0)
}

function worstOf(causes: readonly Cause[], isArmed: boolean): Rung {
  const worst = causes.reduce<Rung>(
    (found, { rung }) => (isAbove(rung, found) ? rung : found),
    'none',
  )
  return isArmed || worst === 'halt' ? worst : 'none'
}

/** The least that any cause which asks for anything lets a person do. */
function strictest(causes: readonly Cause[]): Takeover {
  const asking = causes.filter(({ rung }) => rung !== 'none').map(({ takeover }) => takeover)
  if (asking.includes('never')) return 'never'
  return asking.includes('bySwitch') ? 'bySwitch' : 'afterHold'
}

function possible(wanted: Rung, worst: Rung, { canReturn, isReturning }: Moment): Rung {
  if (worst !== 'return') return wanted
  if (isReturning === true) return 'warn'
  return wanted === 'return' && canReturn !== true ? 'halt' : wanted
}
