import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type CalendarReading,
  type CalendarState,
  lookAtCalendar,
} from '../../../core/budget/calendar.ts'
import { utcDay, utcDayMs } from '../../../core/budget/civil.ts'

const hour = 3_600_000
const noon = Date.UTC(2026, 0, 30, 12)

/** A computer whose clocks can be set, and that can be started again. */
function computer() {
  const reading = { wallMs: noon, uptimeMs: 60_000, bootId: 'one', isSynchronised: false }
  let state: CalendarState | undefined
  const look = (change: Partial<CalendarReading> = {}) => {
    Object.assign(reading, change)
    state = lookAtCalendar(state, { ...reading })
    return state.day
  }
  return {
    look,
    wait(milliseconds: number) {
      reading.wallMs += milliseconds
      reading.uptimeMs += milliseconds
      return look()
    },
    setWall: (milliseconds: number) => look({ wallMs: reading.wallMs + milliseconds }),
    restart: (bootId: string, offMs: number) =>
      look({ bootId, uptimeMs: 10_000, wallMs: reading.wallMs + offMs }),
    keep() {
      state = JSON.parse(JSON.stringify(state))
    },
  }
}

describe('the day of a budget', () => {
  test('turns when it is over', () => {
    const { look, wait } = computer()
    expect([look(), wait(12 * hour - 1), wait(1), wait(24 * hour)]).toEqual([
      '2026-01-30',
      '2026-01-30',
      '2026-01-31',
      '2026-02-01',
    ])
  })

  test('is not turned by a clock that is set forward, but by the time that passes', () => {
    const { look, wait, setWall } = computer()
    expect([look(), setWall(24 * hour), wait(11 * hour), wait(1 * hour)]).toEqual([
      '2026-01-30',
      '2026-01-30',
      '2026-01-30',
      '2026-01-31',
    ])
  })

  test('never comes again when a clock is set back', () => {
    const { look, wait, setWall } = computer()
    expect([look(), wait(13 * hour), setWall(-2 * hour)]).toEqual([
      '2026-01-30',
      '2026-01-31',
      '2026-01-31',
    ])
    expect([setWall(-48 * hour), look({ isSynchronised: true }), wait(24 * hour)]).toEqual([
      '2026-01-31',
      '2026-01-31',
      '2026-01-31',
    ])
  })

  test('is that of the wall clock as long as it is at most an hour off', () => {
    const late = computer()
    expect([late.look(), late.wait(11 * hour), late.setWall(1 * hour)]).toEqual([
      '2026-01-30',
      '2026-01-30',
      '2026-01-31',
    ])
    const later = computer()
    expect([later.look(), later.wait(11 * hour), later.setWall(1 * hour + 1)]).toEqual([
      '2026-01-30',
      '2026-01-30',
      '2026-01-30',
    ])
  })

  test('is not led forward in small steps', () => {
    const { look, setWall } = computer()
    const days = Array.from({ length: 48 }, () => setWall(0.9 * hour))
    expect([look(), ...new Set(days)]).toEqual(['2026-01-30', '2026-01-30'])
  })

  test('turns at once by a clock that is known to be synchronised', () => {
    const { look, setWall } = computer()
    look()
    setWall(24 * hour)
    expect(look({ isSynchronised: true })).toBe('2026-01-31')
  })

  test('goes on from the time that was kept when the computer starts again', () => {
    const { look, wait, restart, keep } = computer()
    look()
    wait(6 * hour)
    keep()
    // It was off for a day, and only the wall clock says so.
    expect(restart('two', 24 * hour)).toBe('2026-01-30')
    keep()
    expect([wait(5 * hour), restart('three', 0), wait(1 * hour)]).toEqual([
      '2026-01-30',
      '2026-01-30',
      '2026-01-31',
    ])
  })

  test('is found again after a start once the clock is synchronised, and then goes on from there', () => {
    const { look, restart, wait } = computer()
    look()
    restart('two', 72 * hour)
    expect(look({ isSynchronised: true })).toBe('2026-02-02')
    expect([look({ isSynchronised: false }), wait(24 * hour)]).toEqual(['2026-02-02', '2026-02-03'])
  })

  test('is not confused by a start that has no name', () => {
    const { look, wait, restart } = computer()
    look({ bootId: 'unknown' })
    wait(6 * hour)
    expect([restart('unknown', 24 * hour), wait(5 * hour), wait(1 * hour)]).toEqual([
      '2026-01-30',
      '2026-01-30',
      '2026-01-31',
    ])
  })

  test('is refused by clocks that show no number', () => {
    for (const bad of [{ wallMs: NaN }, { uptimeMs: NaN }, { wallMs: Infinity }]) {
      expect(() => computer().look(bad)).toThrow(TypeError)
    }
  })

  test('without a synchronised clock never runs ahead of the time that passed by more than an hour', () => {
    const step = fc.record({
      waitMs: fc.nat(30 * hour),
      wallMs: fc.integer({ min: -100 * hour, max: 100 * hour }),
      restarts: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const { look, wait, setWall, restart, keep } = computer()
        look()
        let passedMs = 0
        let last = ''
        return steps.every(({ waitMs, wallMs, restarts }, at) => {
          passedMs += waitMs
          const days = [wait(waitMs), setWall(wallMs)]
          if (restarts) {
            keep()
            days.push(restart(String(at), 0))
          }
          return days.every((day) => {
            const isForward = day >= last && day <= utcDay(noon + passedMs + hour)
            last = day
            return isForward
          })
        })
      }),
      { numRuns: 500 },
    )
  })
})

test('days are those of the platform', () => {
  const times = fc.integer({ min: Date.UTC(0, 0, 1), max: Date.UTC(9999, 11, 31) })
  fc.assert(
    fc.property(times, (ms) => {
      const day = new Date(ms).toISOString().slice(0, 10)
      const [year = 0, month = 0, date = 0] = day.split('-').map(Number)
      return utcDay(ms) === day && utcDayMs(year, month, date) === Date.parse(day)
    }),
    { numRuns: 2_000 },
  )
  expect([utcDay(-1), utcDay(Date.UTC(2024, 1, 29))]).toEqual(['1969-12-31', '2024-02-29'])
  for (const bad of [NaN, Infinity, 1e18]) expect(() => utcDay(bad)).toThrow(TypeError)
})
