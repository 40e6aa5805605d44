import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  isSound,
  lidarRangesMax,
  type Reading,
  sensorOf,
} from '../../../core/vocabulary/reading.ts'

const lidar = {
  kind: 'lidar',
  stampMs: 1,
  firstAngle: 0,
  angleStep: (Math.PI * 2) / 3,
  reachMetres: 6,
  ranges: [1, Infinity, 0],
} as const
const sound: readonly Reading[] = [
  { kind: 'encoders', stampMs: 1, left: -1, right: 2 },
  lidar,
  { kind: 'range', stampMs: 1, name: 'front', metres: Infinity },
  { kind: 'bumper', stampMs: 1, name: 'bumper', pressed: false },
  { kind: 'contact', stampMs: 1, name: 'red', closed: true },
  { kind: 'imu', stampMs: 1, turnRate: 0, accelerationX: 0, accelerationY: -9 },
  { kind: 'battery', stampMs: 1, charge: 0.5, volts: 7.4 },
  {
    kind: 'image',
    stampMs: 1,
    name: 'camera',
    pixelFormat: 'jpeg',
    width: 2,
    height: 2,
    data: new Uint8Array(4),
  },
]

describe('a reading', () => {
  test('belongs to the sensor of its name, or of its kind', () => {
    expect(sound.map(sensorOf)).toEqual([
      'encoders',
      'lidar',
      'front',
      'bumper',
      'red',
      'imu',
      'battery',
      'camera',
    ])
  })

  test('is sound when every number of it is', () => {
    expect(sound.map(isSound)).toEqual(sound.map(() => true))
  })

  test('is not with a stamp that is no time', () => {
    for (const stampMs of [NaN, Infinity, -Infinity]) {
      expect(sound.map((reading) => isSound({ ...reading, stampMs }))).toEqual(
        sound.map(() => false),
      )
    }
  })

  test('of distances is one of distances', () => {
    const ranges = (...values: number[]) =>
      isSound({ ...lidar, angleStep: (Math.PI * 2) / Math.max(1, values.length), ranges: values })
    expect([ranges(), ranges(1, NaN), ranges(-1), ranges(-Infinity), ranges(Infinity)]).toEqual([
      false,
      false,
      false,
      false,
      true,
    ])
    const full = Array.from({ length: lidarRangesMax }, () => 1)
    expect([ranges(...full), ranges(...full, 1)]).toEqual([true, false])
    for (const firstAngle of [NaN, Infinity]) expect(isSound({ ...lidar, firstAngle })).toBe(false)
    for (const metres of [NaN, -0.01, -Infinity]) {
      expect(isSound({ kind: 'range', stampMs: 1, name: 'front', metres })).toBe(false)
    }
  })

  test('of a battery is a share', () => {
    const battery = (charge: number, volts = 7) =>
      isSound({ kind: 'battery', stampMs: 1, charge, volts })
    expect([
      battery(0),
      battery(1),
      battery(-0.1),
      battery(1.1),
      battery(NaN),
      battery(1, NaN),
    ]).toEqual([true, true, false, false, false, false])
  })
})

test('NaN passes nowhere', () => {
  fc.assert(
    fc.property(fc.constantFrom(...sound), fc.nat(), (reading, choice) => {
      const numbers = Object.entries(reading).filter(([, value]) => typeof value === 'number')
      const [field] = numbers[choice % numbers.length] ?? ['stampMs']
      // How far a lidar reaches is told for people, and nothing is reckoned with it.
      fc.pre(field !== 'reachMetres')
      return !isSound({ ...reading, [field]: NaN })
    }),
  )
})
