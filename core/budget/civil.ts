/** The UTC day of a time since 1970, as `2026-01-31`. Throws TypeError outside the years 0 to 9999. */
export function utcDay(sinceEpochMs: number): string {
  const { year, month, day } = civil(Math.floor(sinceEpochMs / dayMs))
  if (!(year >= 0 && year <= 9999)) throw new TypeError(`no year has ${sinceEpochMs} ms`)
  return [String(year).padStart(4, '0'), pad(month), pad(day)].join('-')
}

/** When a UTC day begins, in ms since 1970. Months and days count from 1. */
export function utcDayMs(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100)
  return (era * eraDays + yearOfEra * 365 + leapDays + dayOfYear - epochDays) * dayMs
}

const dayMs = 86_400_000

/** Days of 400 years, after which the calendar repeats. */
const eraDays = 146_097

/** Days from 1 March of the year 0 to 1 January 1970. */
const epochDays = 719_468

/** Source: days_from_civil and civil_from_days (Hinnant, chrono-compatible low-level date algorithms, 2013). */
function civil(daysSinceEpoch: number): { year: number; month: number; day: number } {
  const days = daysSinceEpoch + epochDays
  const era = Math.floor(days / eraDays)
  const dayOfEra = days - era * eraDays
  const leaps =
    Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096)
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365)
  const yearDays = 365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100)
  const dayOfYear = dayOfEra - yearDays
  // Years begin in March here, so that the leap day is their last.
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}

function pad(number: number): string {
  return String(number).padStart(2, '0')
}
