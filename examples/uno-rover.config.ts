import { defineRobot } from 'mechos'

/**
 * A rover on an Arduino Uno with StandardFirmata: two motors behind a driver with a PWM and a direction pin each, a
 * Sharp GP2Y0A21 that looks ahead, and a lamp. 0 V on A0 means that nothing is near. The wiring is in uno-rover.md.
 */
export default defineRobot({
  name: 'uno-rover',
  body: {
    kind: 'firmata',
    board: 'uno',
    wheels: {
      left: { pwm: 3, dir: 2, halt: 'coast' },
      right: { pwm: 11, dir: 12, halt: 'coast' },
      radiusMetres: 0.03,
      trackMetres: 0.15,
    },
    ranges: [{ name: 'front', pin: 'A0', model: 'GP2Y0A21' }],
    relays: [{ name: 'lamp', pin: 7, halt: 'low' }],
  },
  limits: { linear: 0.3, angular: 1.5 },
  leaseMs: 500,
  // StandardFirmata has no deadman: if this computer dies, the motors go on. Keep a switch in their supply.
  acceptNoDeadman: true,
})
