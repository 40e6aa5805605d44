import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { calendar, type CalendarSources } from '../../drivers/calendar.ts'

let folder: string
let asked: number
let answer: boolean | undefined
let uptimeMs: number
/** By how much the wall clock is ahead of the uptime. */
let shiftMs: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mechos-calendar-'))
  asked = 0
  answer = undefined
  uptimeMs = 5_000
  shiftMs = 1_000
  writeFileSync(join(folder, 'boot_id'), 'one\n')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function sources(change: Partial<CalendarSources> = {}): CalendarSources {
  return {
    wallMs: () => uptimeMs + shiftMs,
    uptimeMs: () => uptimeMs,
    bootIdFile: join(folder, 'boot_id'),
    synchronisedFile: join(folder, 'synchronized'),
    async askSynchronised() {
      asked += 1
      return answer
    },
    ...change,
  }
}

describe('the calendar of a computer', () => {
  test('reads its clocks, and does not wait for what it asks', () => {
    answer = true
    const read = calendar(sources())
    expect(read()).toEqual({ wallMs: 6_000, uptimeMs: 5_000, bootId: 'one', isSynchronised: false })
    const silent = calendar(sources({ askSynchronised: () => new Promise(() => {}) }))
    expect(silent().isSynchronised).toBe(false)
  })

  test('is synchronised when the system says so, and asks again after a minute', async () => {
    answer = true
    const read = calendar(sources())
    read()
    await turn()
    expect([read().isSynchronised, asked]).toEqual([true, 1])
    answer = false
    uptimeMs += 59_999
    read()
    await turn()
    expect([read().isSynchronised, asked]).toEqual([true, 1])
    uptimeMs += 1
    read()
    await turn()
    expect([read().isSynchronised, asked]).toEqual([false, 2])
  })

  test('does not believe a clock that was set until the system vouches for it again', async () => {
    answer = true
    const read = calendar(sources())
    read()
    await turn()
    expect(read().isSynchronised).toBe(true)
    shiftMs += 86_400_000
    answer = false
    expect(read().isSynchronised).toBe(false)
    await turn()
    expect([read().isSynchronised, asked]).toEqual([false, 2])
    answer = true
    uptimeMs += 60_000
    read()
    await turn()
    expect([read().isSynchronised, asked]).toEqual([true, 3])
  })

  test('forgets the mark of timesyncd once its clock was set by hand', async () => {
    writeFileSync(join(folder, 'synchronized'), '')
    const read = calendar(sources())
    read()
    await turn()
    expect(read().isSynchronised).toBe(true)
    shiftMs += 86_400_000
    expect(read().isSynchronised).toBe(false)
    await turn()
    expect(read().isSynchronised).toBe(false)
  })

  test('believes the mark of timesyncd only where the system does not say', async () => {
    const read = calendar(sources())
    read()
    await turn()
    expect(read().isSynchronised).toBe(false)
    writeFileSync(join(folder, 'synchronized'), '')
    expect(read().isSynchronised).toBe(true)
    answer = false
    uptimeMs += 60_000
    read()
    await turn()
    expect(read().isSynchronised).toBe(false)
  })

  test('does not know the start of a computer that has no name for it', () => {
    expect(calendar(sources({ bootIdFile: join(folder, 'absent') }))().bootId).toBe('unknown')
  })

  test('shows this computer as it is', () => {
    const before = Date.now()
    const read = calendar()
    const first = read()
    expect(first.wallMs).toBeGreaterThanOrEqual(before)
    expect(first.uptimeMs).toBeGreaterThan(0)
    expect(first.bootId).not.toBe('')
    expect(read().bootId).toBe(first.bootId)
  })
})
