import { utcDayMs } from './civil.ts'

/** A server may ask to be left alone for so long, in ms. Who asks for more is not listened to. */
const retryAfterMsMax = 60_000

const firstDelayMs = 500
const delayMsMax = 8_000
/** The share of a delay that chance takes off, so that many do not come back at once. */
const jitterShare = 0.25

/**
 * How long to wait before a call is tried again, in ms: what its server asked for when that is above 0 and at most a
 * minute; else half a second, doubled for each retry before this one (`attempt` counts them from 0), at most 8 s, less
 * up to a quarter. `random` is at least 0 and below 1.
 */
export function retryDelayMs(retry: {
  readonly attempt: number
  readonly retryAfterMs: number | undefined
  readonly random: number
}): number {
  const { retryAfterMs } = retry
  if (retryAfterMs !== undefined && retryAfterMs > 0 && retryAfterMs <= retryAfterMsMax) {
    return retryAfterMs
  }
  let delayMs = firstDelayMs
  for (let doubled = 0; doubled < retry.attempt && delayMs < delayMsMax; doubled++) delayMs *= 2
  return Math.min(delayMsMax, delayMs) * (1 - jitterShare * retry.random)
}

/**
 * What a Retry-After header asks for, in ms from `wallMs`, the time since 1970: seconds, or the date that HTTP prefers
 * (RFC 9110 5.6.7). Undefined for anything else.
 */
export function readRetryAfter(header: string, wallMs: number): number | undefined {
  const text = header.trim()
  if (/^\d{1,9}(\.\d{1,9})?$/.test(text)) return Number(text) * 1_000
  const date = /^[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/.exec(text)
  if (!date) return undefined
  const [, day, monthName, year, hours, minutes, seconds] = date
  const month = months.indexOf(monthName ?? '') + 1
  if (month === 0) return undefined
  const secondsOfDay = Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)
  return utcDayMs(Number(year), month, Number(day)) + secondsOfDay * 1_000 - wallMs
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
