import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { parseConfiguration } from '../../../core/vocabulary/configuration.ts'
import { wallClock } from '../../../drivers/clock.ts'
import { firmataBody } from '../../../drivers/johnny-five/body.ts'
import { mechosHex } from '../../support/uno/firmware.ts'
import { type RemoteUno, startRemoteUno } from '../../support/uno/remote.ts'
import type { DutyChange } from '../../support/uno/uno.ts'
import { until } from '../../support/uno/until.ts'

const supply = mechosHex()
if (!supply.firmware) console.log(`NOT TESTED: safe levels behind a guardian. ${supply.reason}`)

/** A lock that is open while its pin is low, an arm that must not drop, and wheels. */
const keeper = parseConfiguration({
  name: 'keeper',
  body: {
    kind: 'firmata',
    wheels: {
      left: { pwm: 3, dir: 2 },
      right: { pwm: 11, dir: 12 },
      radiusMetres: 0.03,
      trackMetres: 0.15,
    },
    relays: [{ name: 'lock', pin: 7, halt: 'high' }],
    servos: [{ name: 'arm', pin: 9, halt: 'hold' }],
  },
  limits: { linear: 0.3, angular: 1.5 },
})
const lock = 7
const arm = 9
const wheels = [3, 11]
const radians = 0.5
/** The width of a pulse may be off by the interrupts of the chip. */
const pulseToleranceUs = 30
/** Pulses come every 20 ms. */
const gapMsMax = 45

describe.skipIf(!supply.firmware)('a lock that is safe high, and an arm that holds', () => {
  test(
    'stay as declared through boot, arming, halt, the end of both processes, and reset',
    {
      timeout: 120_000,
    },
    async () => {
      const uno = await startRemoteUno({ firmware: supply.firmware ?? { path: '' } })
      const changes: DutyChange[] = []
      uno.onDuty((change) => changes.push(change))
      const rest = () =>
        reached(uno, 'the wheels rest', () => wheels.every((pin) => last(changes, pin) === 0))
      const drive = async () => {
        body.arm()
        body.write({ kind: 'wheels', left: 10, right: 10 })
        body.write({ kind: 'servo', name: 'arm', radians })
        await reached(uno, 'the wheels turn', () => wheels.every((pin) => last(changes, pin)))
      }
      const body = firmataBody(keeper, { port: uno.path, clock: wallClock() })
      let isBeating = true
      const beating = setInterval(() => isBeating && body.beat?.(), 20)
      const lost = () =>
        new Promise<void>((resolve) => {
          const stop = body.onLost?.(() => {
            stop?.()
            resolve()
          })
        })
      const pulses = () => changes.filter(({ pin }) => pin === arm)

      // Boot and first arm: the lock goes high once, by itself, and the arm is not driven before its first angle.
      await body.open()
      expect(await uno.levelOf(lock)).toBe(1)
      body.arm()
      expect(pulses()).toEqual([])
      body.halt()
      await drive()
      await reached(uno, 'the arm has pulses', () => pulses().length > 4)
      const widthUs = (await uno.servoPulseUs(arm)) ?? 0
      const since = changes.length

      // Halt.
      body.halt()
      await rest()
      // The guardian is killed.
      await drive()
      const killed = lost()
      process.kill(guardian(), 'SIGKILL')
      await rest()
      await killed
      // Both processes fall silent: only the deadman is left.
      await body.open()
      await drive()
      isBeating = false
      process.kill(guardian(), 'SIGSTOP')
      const silenced = lost()
      await rest()
      await silenced
      expect(changes.slice(since).filter(({ pin }) => pin === lock)).toEqual([])
      expectHeld(changes.slice(since), widthUs)

      // A reset floats every pin; the lock is driven high again, never low, and the arm is not driven to a place of its own.
      await uno.reset()
      await reached(uno, 'the lock is high', () => last(changes, lock) === 1)
      expect(changes.filter(({ pin }) => pin === lock).map(({ duty }) => duty)).toEqual([1, 0, 1])
      const afterReset = changes.length
      await body.open()
      expect(changes.slice(afterReset).filter(({ pin }) => pin !== lock && pin !== arm)).toEqual([])
      clearInterval(beating)
      await body.close()
      expect(await uno.levelOf(lock)).toBe(1)
      await uno.close()
    },
  )
})

/** Every pulse is as wide as the first, and none is missing. */
function expectHeld(changes: readonly DutyChange[], widthUs: number): void {
  const edges = changes.filter(({ pin }) => pin === arm)
  const rising = edges.filter(({ duty }) => duty > 0)
  const gaps = rising.slice(1).map(({ chipMs }, index) => chipMs - (rising[index]?.chipMs ?? 0))
  expect(Math.max(...gaps)).toBeLessThan(gapMsMax)
  const widths = edges
    .slice(1)
    .flatMap(({ duty, chipMs }, index) =>
      duty === 0 ? [(chipMs - (edges[index]?.chipMs ?? 0)) * 1000] : [],
    )
  expect(widths.length).toBeGreaterThan(20)
  for (const width of widths) expect(Math.abs(width - widthUs)).toBeLessThan(pulseToleranceUs)
}

function last(changes: readonly DutyChange[], pin: number): number | undefined {
  return changes.findLast((change) => change.pin === pin)?.duty
}

function reached(uno: RemoteUno, what: string, condition: () => boolean): Promise<void> {
  return until({
    what: () => what,
    condition,
    on: (listener) => uno.onDuty(listener),
    limitMs: 20_000,
  })
}

function guardian(): number {
  return Number(
    execFileSync('pgrep', ['-P', String(process.pid), '-x', 'mechos-guardian'], {
      encoding: 'utf8',
    }),
  )
}
