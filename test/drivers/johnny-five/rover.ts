import { type Configuration, parseConfiguration } from '../../../core/vocabulary/configuration.ts'

/** Two two-pin wheels, a lamp that is off and a lock that is high at a halt, two servos, a bumper, a range finder. */
export const rover: Configuration = parseConfiguration({
  name: 'rover',
  body: {
    kind: 'firmata',
    wheels: {
      left: { pwm: 3, dir: 2 },
      right: { pwm: 11, dir: 12 },
      radiusMetres: 0.03,
      trackMetres: 0.15,
    },
    relays: [
      { name: 'lamp', pin: 7, halt: 'low' },
      { name: 'lock', pin: 8, halt: 'high' },
    ],
    servos: [
      { name: 'gripper', pin: 9, halt: 'hold' },
      { name: 'tail', pin: 10, halt: 'release', minRadians: -1, maxRadians: 1 },
    ],
    bumpers: [{ name: 'nose', pin: 4 }],
    ranges: [{ name: 'front', pin: 'A0' }],
  },
  limits: { linear: 0.3, angular: 1.5 },
})

/** Two wheels on three-pin drivers: the left one coasts at a halt, the right one brakes. */
export const threePin: Configuration = parseConfiguration({
  name: 'three-pin',
  body: {
    kind: 'firmata',
    wheels: {
      left: { pwm: 5, dir: 6, cdir: 7, halt: 'coast' },
      right: { pwm: 11, dir: 12, cdir: 13, halt: 'brake' },
      radiusMetres: 0.03,
      trackMetres: 0.15,
    },
    relays: [{ name: 'pump', pin: 'A3', halt: 'high' }],
  },
  limits: { linear: 0.3, angular: 1.5 },
})
