import { describe, expect, test } from 'vitest'
import { sharpMetres } from '../../../drivers/johnny-five/sharp.ts'

const counts = (volts: number) => Math.round((volts / 5) * 1023)

describe('a Sharp range finder', () => {
  /** Typical values of the data sheets. */
  test.for([
    { model: 'GP2Y0A21', volts: 2.3, metres: 0.1 },
    { model: 'GP2Y0A21', volts: 1.3, metres: 0.2 },
    { model: 'GP2Y0A21', volts: 0.75, metres: 0.4 },
    { model: 'GP2Y0A02', volts: 2.5, metres: 0.2 },
    { model: 'GP2Y0A02', volts: 1.1, metres: 0.5 },
    { model: 'GP2Y0A02', volts: 0.63, metres: 1 },
    { model: 'GP2Y0A41', volts: 2.75, metres: 0.04 },
    { model: 'GP2Y0A41', volts: 1.25, metres: 0.1 },
    { model: 'GP2Y0A41', volts: 0.63, metres: 0.2 },
  ] as const)('$model reads $metres m at $volts V, within a fifth', ({ model, volts, metres }) => {
    const got = sharpMetres(model, counts(volts))
    expect(Math.abs(got - metres) / metres).toBeLessThan(0.2)
  })

  test.for(['GP2Y0A21', 'GP2Y0A02', 'GP2Y0A41'] as const)(
    '%s: nothing near is Infinity, 0 V included, and more volts are never farther',
    (model) => {
      expect(sharpMetres(model, 0)).toBe(Infinity)
      expect(sharpMetres(model, counts(0.39))).toBe(Infinity)
      for (let count = 1; count <= 1023; count++) {
        expect(sharpMetres(model, count)).toBeLessThanOrEqual(sharpMetres(model, count - 1))
      }
    },
  )

  test.for([NaN, -1, 1024, Infinity])('%d is no reading', (reading) => {
    expect(() => sharpMetres('GP2Y0A21', reading)).toThrow(TypeError)
  })
})
