import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseConfiguration } from '../../../core/vocabulary/configuration.ts'
import { wallClock } from '../../../drivers/clock.ts'
import { openGuardedLine } from '../../../drivers/guardian/guarded-line.ts'
import type { Line } from '../../../drivers/guardian/line.ts'
import { firmataBody } from '../../../drivers/johnny-five/body.ts'
import { randomStream } from '../../../drivers/random.ts'
import { builtHex, readyMadeHex } from '../../support/uno/firmware.ts'
import { startRemoteUno } from '../../support/uno/remote.ts'
import { until } from '../../support/uno/until.ts'

const rounds = 300
const burstBytes = 64
/** Rounds after which a process has taken what its engine needs, and what it may grow by afterwards, in kB. */
const settledRound = 50
const growthMaxKb = 30_000

const plain = parseConfiguration({
  name: 'rover',
  body: {
    kind: 'firmata',
    wheels: {
      left: { pwm: 3, dir: 2 },
      right: { pwm: 11, dir: 12 },
      radiusMetres: 0.03,
      trackMetres: 0.15,
    },
    relays: [{ name: 'lamp', pin: 7, halt: 'low' }],
    ranges: [{ name: 'front', pin: 'A0' }],
  },
  limits: { linear: 0.3, angular: 1.5 },
})
const outputs = [3, 11, 7]

test(
  `${rounds} bursts of noise each way, in mid-drive: nothing is left on, nobody dies, no memory goes`,
  { timeout: 240_000 },
  async () => {
    const uno = await startRemoteUno({ firmware: builtHex().firmware ?? readyMadeHex() })
    const clock = wallClock()
    const { uniform } = randomStream(7, 'noise')
    const burst = () => Array.from({ length: burstBytes }, () => Math.floor(uniform() * 256))
    const duties = new Map<number, number>()
    uno.onDuty(({ pin, duty }) => duties.set(pin, duty))
    const reaches = (what: string, condition: () => boolean) =>
      until({ what: () => what, condition, on: (listener) => uno.onDuty(listener) })
    let line: Line | undefined
    let isOpen = false
    const body = firmataBody(plain, {
      port: uno.path,
      clock,
      async open(path, table) {
        line = await openGuardedLine({ path, table, name: plain.name, note: undefined, clock })
        return line
      },
    })
    // Noise may well say that the board has restarted: that is a loss, and halts.
    body.onLost?.(() => {
      isOpen = false
    })

    const memory: number[] = []
    for (let round = 0; round < rounds; round++) {
      // oxlint-disable no-await-in-loop -- one round after another
      if (!isOpen) await body.open()
      isOpen = true
      body.arm()
      body.write({ kind: 'wheels', left: 10, right: 10 })
      body.write({ kind: 'relay', name: 'lamp', on: true })
      await reaches(`round ${round}: it drives`, () => outputs.every((pin) => duties.get(pin)))
      // What a guardian gets from a robot gone mad, and a robot from a noisy line.
      line?.write(Uint8Array.from(burst()))
      await uno.garble(burst())
      body.halt()
      // What the board answers to it comes after the noise, so that the next round begins behind it.
      await body.confirm()
      await reaches(`round ${round}: all is off`, () => outputs.every((pin) => !duties.get(pin)))
      if (round >= settledRound) memory.push(process.memoryUsage.rss() / 1024 + guardiansKb())
      // oxlint-enable no-await-in-loop
    }
    await body.close()
    const late = await Promise.all(outputs.map((pin) => uno.dutyOf(pin)))
    await uno.close()

    expect(late).toEqual(outputs.map(() => 0))
    expect((memory.at(-1) ?? Infinity) - (memory[0] ?? 0)).toBeLessThan(growthMaxKb)
  },
)

/** What the guardians of this process hold in memory, in kB. */
function guardiansKb(): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ')
  const sizes = children.map((pid) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return status.startsWith('Name:\tmechos-guardian')
      ? Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0)
      : 0
  })
  return sizes.reduce((sum, size) => sum + size, 0)
}
