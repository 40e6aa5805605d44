import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { test as robotTest } from './mechos.ts'
import { builtHex, type Firmware, readyMadeHex } from './uno/firmware.ts'
import { type RemoteUno, startRemoteUno } from './uno/remote.ts'
import type { DutyChange } from './uno/uno.ts'
import { until } from './uno/until.ts'

/** A board, and what its pins have put out since it was there. */
export interface Board {
  readonly uno: RemoteUno
  readonly changes: readonly DutyChange[]
  /** Resolves as soon as both wheels are driven. */
  drives(): Promise<void>
  /** Resolves as soon as neither wheel is driven, after both were. */
  rests(): Promise<void>
  /** What its pins have put out before counts no more. */
  forget(): void
  dutyOfWheels(): Promise<readonly number[]>
}

/** `test` with a `place` for robots and a `board` of its own; `hex` is the firmware on it. */
export const test = robotTest.extend<{ hex: Pick<Firmware, 'path'>; board: Board }>({
  // oxlint-disable-next-line no-empty-pattern -- a fixture names the fixtures that it needs, and this one needs none
  hex: async ({}, use) => use(builtHex().firmware ?? readyMadeHex()),
  board: async ({ task, hex }, use) => {
    const uno = await startRemoteUno({ firmware: hex })
    await uno.setAnalog(0, 0)
    const changes: DutyChange[] = []
    uno.onDuty((change) => changes.push(change))
    const isDriven = (pin: number) =>
      changes.some((change) => change.pin === pin && change.duty > 0)
    await use({
      uno,
      changes,
      drives: () =>
        until({
          what: () => `${task.name}: both wheels are driven`,
          condition: () => isDriven(3) && isDriven(11),
          on: (listener) => uno.onDuty(listener),
          limitMs: 20_000,
        }),
      rests: () =>
        until({
          what: () => `${task.name}: both wheels rest`,
          condition: () => [3, 11].every((pin) => lastDuty(changes, pin) === 0),
          on: (listener) => uno.onDuty(listener),
          limitMs: 20_000,
        }),
      forget: () => void changes.splice(0),
      dutyOfWheels: () => Promise.all([uno.dutyOf(3), uno.dutyOf(11)]),
    })
    await uno.close()
  },
})

function lastDuty(changes: readonly DutyChange[], pin: number): number | undefined {
  return changes.findLast((change) => change.pin === pin)?.duty
}

/** The example of the shipped package. */
export const config = fileURLToPath(new URL('../../examples/uno-rover.config.ts', import.meta.url))
/** A headless run of that example on this board. */
export const wordsFor = ({ uno }: Board, ...more: readonly string[]) => [
  'run',
  config,
  '--port',
  uno.path,
  '--headless',
  '--report',
  '-',
  ...more,
]

/** When the wheels came to rest for good, in ms after `sinceMs`; the last of them counts. */
export function restedMs({ changes }: Board, sinceMs: number): number {
  const last = [3, 11].map((pin) => changes.findLast((change) => change.pin === pin))
  expect(last.map((change) => change?.duty)).toEqual([0, 0])
  return Math.max(...last.map((change) => change?.hostMs ?? Infinity)) - sinceMs
}
