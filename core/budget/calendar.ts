import { utcDay } from './civil.ts'

/** What a computer's clocks show at one moment. */
export interface CalendarReading {
  /** The wall clock, in ms since 1970. Anybody may set it, and a computer without a battery starts it anywhere. */
  readonly wallMs: number
  /** Since the computer started, in ms. Nobody can set it. */
  readonly uptimeMs: number
  /** Another one after each start of the computer; `unknown` where it has no name for that. */
  readonly bootId: string
  /** The wall clock is known to follow a time server, or is believed by the configuration. */
  readonly isSynchronised: boolean
}

/** What has to be remembered, across restarts too, to know when the day of a budget is over. Never changed in place. */
export interface CalendarState {
  /** The UTC day, as `2026-01-31`. It never goes back. */
  readonly day: string
  readonly bootId: string
  /** What the time was, in ms since 1970, when the computer had run for `anchorUptimeMs`. */
  readonly anchorMs: number
  readonly anchorUptimeMs: number
  /** The time by the anchor when somebody last looked: where the next start of the computer goes on. */
  readonly seenMs: number
}

/** The wall clock is believed as long as it is no farther than this from the time that has passed, in ms. */
const driftMsMax = 3_600_000

/**
 * The calendar after a look at the clocks. The day turns by the wall clock when that is known to be synchronised, or
 * agrees within an hour with the time that has passed; otherwise by the time that has passed, of which a computer that
 * was switched off knows nothing. So a clock that is set forward turns no day, and one that is set back reopens none.
 * The first look ever has nothing but the wall clock to go by. Throws TypeError for clocks that show no number.
 */
export function lookAtCalendar(
  state: CalendarState | undefined,
  reading: CalendarReading,
): CalendarState {
  const { wallMs, uptimeMs, bootId, isSynchronised } = reading
  if (!Number.isFinite(wallMs) || !Number.isFinite(uptimeMs)) {
    throw new TypeError(`clocks that show ${wallMs} and ${uptimeMs} ms`)
  }
  const passedMs = state ? passed(state, reading) : wallMs
  const trusted = isSynchronised || Math.abs(wallMs - passedMs) <= driftMsMax ? wallMs : passedMs
  const day = utcDay(trusted)
  return {
    day: state && !(day > state.day) ? state.day : day,
    bootId,
    ...anchorOf(state, reading, passedMs),
    seenMs: isSynchronised ? wallMs : passedMs,
  }
}

/** The time by the anchor: all that is known for sure to have passed. */
function passed(state: CalendarState, reading: CalendarReading): number {
  if (isOtherStart(state, reading)) return state.seenMs
  return state.anchorMs + (reading.uptimeMs - state.anchorUptimeMs)
}

/**
 * An anchor stays where it is as long as the computer runs: one that followed a clock that is nearly right could be
 * led anywhere in small steps. Only a clock that is known to be right moves it.
 */
function anchorOf(
  state: CalendarState | undefined,
  { wallMs, uptimeMs, bootId, isSynchronised }: CalendarReading,
  passedMs: number,
): Pick<CalendarState, 'anchorMs' | 'anchorUptimeMs'> {
  if (isSynchronised) return { anchorMs: wallMs, anchorUptimeMs: uptimeMs }
  if (!state || isOtherStart(state, { uptimeMs, bootId })) {
    return { anchorMs: passedMs, anchorUptimeMs: uptimeMs }
  }
  return { anchorMs: state.anchorMs, anchorUptimeMs: state.anchorUptimeMs }
}

/** A computer that has run for less than before was started again, whatever it says. */
function isOtherStart(
  state: CalendarState,
  { bootId, uptimeMs }: Pick<CalendarReading, 'bootId' | 'uptimeMs'>,
): boolean {
  return bootId !== state.bootId || uptimeMs < state.anchorUptimeMs
}
