import { afterAll, describe, expect, test } from 'vitest'
import { parseConfiguration } from '../../../core/vocabulary/configuration.ts'
import type { Reading } from '../../../core/vocabulary/reading.ts'
import { wallClock } from '../../../drivers/clock.ts'
import { firmataBody } from '../../../drivers/johnny-five/body.ts'
import { mechosHex } from '../../support/uno/firmware.ts'
import { startRemoteUno } from '../../support/uno/remote.ts'
import { until } from '../../support/uno/until.ts'
import { live } from './uno-bench.ts'

const supply = mechosHex()
if (!supply.firmware) console.log(`NOT TESTED: encoders on a board. ${supply.reason}`)

const counting = parseConfiguration({
  name: 'counting',
  body: {
    kind: 'firmata',
    wheels: {
      left: { pwm: 3, dir: 2, encoder: { a: 4, b: 5 } },
      right: { pwm: 11, dir: 12, encoder: { a: 6, b: 7 } },
      radiusMetres: 0.03,
      trackMetres: 0.15,
      countsPerTurn: 40,
    },
  },
  limits: { linear: 0.3, angular: 1.5 },
})

describe.skipIf(!supply.firmware)('a body with encoders, on MechosFirmata', async () => {
  const uno = await startRemoteUno({ firmware: supply.firmware ?? { path: '' } })
  const body = firmataBody(counting, { port: uno.path, clock: wallClock() })
  afterAll(async () => {
    await body.close()
    await uno.close()
  })

  test('says how far each wheel has turned, and which way', { timeout: 30_000 }, async () => {
    expect(body.senses).toEqual(['encoders'])
    let last: Extract<Reading, { kind: 'encoders' }> | undefined
    const reads = (what: string, condition: () => boolean) =>
      until({
        what: () => `${what}, not ${JSON.stringify(last)}`,
        condition,
        on: (listener) =>
          body.onReading((reading) => {
            if (reading.kind === 'encoders') last = reading
            listener()
          }),
      })
    await body.open()
    await reads('still wheels', () => last?.left === 0 && last.right === 0)
    // The chip has to live between two edges to see both.
    const edge = async (pin: number, level: 0 | 1) => {
      await uno.setInput(pin, level)
      await live(uno, 1)
    }
    // A quarter of a turn of the left one forward: ten edges, one channel after the other.
    const edges = [
      [4, 1],
      [5, 1],
      [4, 0],
      [5, 0],
    ] as const
    for (const [pin, level] of [...edges, ...edges, ...edges.slice(0, 2)]) {
      // oxlint-disable-next-line no-await-in-loop -- edges come one after the other
      await edge(pin, level)
    }
    await reads('a quarter of a turn', () => Math.abs(last?.left ?? 0) > 1.5)
    expect(Math.abs(last?.left ?? 0)).toBeCloseTo(Math.PI / 2, 9)
    expect(last?.right).toBe(0)
    const before = last?.left ?? 0
    for (const [pin, level] of edges.slice(0, 2).toReversed()) {
      // oxlint-disable-next-line no-await-in-loop -- as above
      await edge(pin, level === 1 ? 0 : 1)
    }
    await reads('two edges back', () => Math.abs(last?.left ?? 0) < Math.abs(before))
    expect(Math.abs(last?.left ?? 0)).toBeCloseTo((8 / 40) * 2 * Math.PI, 9)
  })
})
