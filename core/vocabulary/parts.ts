import { z } from 'zod'

/** The range, both ends allowed, of each number that a configuration may set. Units are in the names. */
export const ranges = {
  linear: { min: 0.01, max: 5, unit: 'm/s' },
  angular: { min: 0.01, max: 12, unit: 'rad/s' },
  acceleration: { min: 0.05, max: 20, unit: 'm/s²' },
  angularAcceleration: { min: 0.1, max: 100, unit: 'rad/s²' },
  leaseMs: { min: 50, max: 2000, unit: 'ms' },
  radiusMetres: { min: 0.005, max: 1, unit: 'm' },
  trackMetres: { min: 0.02, max: 3, unit: 'm' },
  wheelSpeed: { min: 0.5, max: 200, unit: 'rad/s' },
  footprintMetres: { min: 0.02, max: 2, unit: 'm' },
  reachMetres: { min: 0.05, max: 100, unit: 'm' },
  angle: { min: -Math.PI, max: Math.PI, unit: 'rad' },
  offsetMetres: { min: -2, max: 2, unit: 'm' },
  odomMetres: { min: -10_000, max: 10_000, unit: 'm' },
  tokens: { min: 1, max: 1_000_000_000, unit: 'tokens' },
  usd: { min: 0.000_001, max: 1_000_000, unit: 'USD' },
  usdPerMillion: { min: 0, max: 100_000, unit: 'USD for a million tokens' },
  requestsPerMinute: { min: 1, max: 6_000, unit: 'requests a minute' },
  countsPerTurn: { min: 1, max: 100_000, unit: 'edges' },
  recordBytes: { min: 1_000_000, max: 1_000_000_000_000, unit: 'bytes' },
  recordHours: { min: 0.01, max: 8_760, unit: 'hours' },
  modelDeadlineMs: { min: 500, max: 120_000, unit: 'ms' },
} as const

/** A number within a range of `ranges`; the error says what is allowed. */
export function within(range: { min: number; max: number; unit: string }) {
  const error = `a number from ${range.min} to ${range.max} ${range.unit}`
  return z.number({ error }).min(range.min, { error }).max(range.max, { error })
}

function oneOf<const T extends readonly [string, ...string[]]>(...allowed: T) {
  return z.enum(allowed, { error: `one of ${allowed.join(', ')}` })
}

/** What people may call a robot or one of its parts. */
export const name = z
  .string({ error: 'a name of letters, digits, - and _' })
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,31}$/, { error: 'a name of letters, digits, - and _' })
const pin = z.union([z.int(), z.string()], { error: 'a pin number or a name such as 3 or A0' })

/** Pins of the encoder of one wheel; with a second channel it tells forward from backward by itself. */
const encoder = z.strictObject({ a: pin, b: pin.optional() })

/** Pins are needed on a board and ignored in simulation, so that one configuration serves both. */
const wheel = z.strictObject({
  pwm: pin,
  dir: pin,
  cdir: pin.optional(),
  halt: oneOf('coast', 'brake').default('coast'),
  encoder: encoder.optional(),
})

const wheels = {
  radiusMetres: within(ranges.radiusMetres),
  trackMetres: within(ranges.trackMetres),
  /** Turning rate of a wheel at full duty. Measure yours: it scales every speed. */
  fullSpeed: within(ranges.wheelSpeed).default(20),
  /** Edges that the board counts in one turn of a wheel, on all channels of its encoder. */
  countsPerTurn: within(ranges.countsPerTurn).optional(),
}
const facing = { facing: within(ranges.angle).default(0) }

const range = z.strictObject({
  name,
  /** The analog pin of a Sharp, the trigger of an HC-SR04. */
  pin: pin.optional(),
  model: oneOf('GP2Y0A21', 'GP2Y0A02', 'GP2Y0A41', 'HC-SR04').default('GP2Y0A21'),
  /** Of an HC-SR04 only. */
  echo: pin.optional(),
  ...facing,
  x: within(ranges.offsetMetres).default(0),
  y: within(ranges.offsetMetres).default(0),
})
const bumper = z.strictObject({
  name,
  pin: pin.optional(),
  pressed: oneOf('low', 'high').default('low'),
  ...facing,
})
const relay = z.strictObject({
  name,
  pin: pin.optional(),
  halt: oneOf('low', 'high'),
})
const servo = z.strictObject({
  name,
  pin: pin.optional(),
  halt: oneOf('hold', 'release'),
  minRadians: within(ranges.angle).default(-Math.PI / 2),
  maxRadians: within(ranges.angle).default(Math.PI / 2),
})
/** Normally closed: its circuit is closed while all is well, so that a cut cable is a pressed button. */
const stopButton = z.strictObject({ name, pin: pin.optional() })
/** An auxiliary contact of the switch in the motor supply: closed while the motors have power. */
const motorPower = z.strictObject({ pin: pin.optional() })
/** An enabling device that a person holds, normally open: a cut cable is a hand that has let go. */
const enablingDevice = z.strictObject({ pin: pin.optional() })
const camera = z.strictObject({
  name,
  url: z.url({ protocol: /^https?$/, error: 'an http or https address' }).optional(),
})
const lidar = z.strictObject({
  beams: z
    .int({ error: 'a whole number from 8 to 4096' })
    .min(8, { error: 'a whole number from 8 to 4096' })
    .max(4096, { error: 'a whole number from 8 to 4096' })
    .default(360),
  reachMetres: within(ranges.reachMetres).default(6),
})

const parts = {
  ranges: z.array(range).max(16).default([]),
  bumpers: z.array(bumper).max(16).default([]),
  relays: z.array(relay).max(16).default([]),
  servos: z.array(servo).max(12).default([]),
  cameras: z.array(camera).max(4).default([]),
  stopButtons: z.array(stopButton).max(8).default([]),
  motorPower: motorPower.optional(),
  enabling: enablingDevice.optional(),
  /** Radius of the circle around `base_link` that nothing may enter. */
  footprintMetres: within(ranges.footprintMetres).optional(),
}

/** A body that exists in this computer only. */
export const simulatedBody = z.strictObject({
  kind: z.literal('simulated'),
  wheels: z.strictObject(wheels).optional(),
  lidar: lidar.optional(),
  imu: z.boolean().default(true),
  ...parts,
})
/** A body on a board that speaks Firmata. */
export const firmataBody = z.strictObject({
  kind: z.literal('firmata'),
  board: oneOf('uno', 'nano', 'mega').default('uno'),
  port: z.string().optional(),
  wheels: z.strictObject({ left: wheel, right: wheel, ...wheels }).optional(),
  ...parts,
})

export type SimulatedConfiguration = z.output<typeof simulatedBody>
export type FirmataConfiguration = z.output<typeof firmataBody>
export type BodyConfiguration = SimulatedConfiguration | FirmataConfiguration

/** The name under which the contact in the motor supply is read and watched. */
export const motorPowerName = 'motorPower'

/** The name under which the enabling device on the body is read. */
export const enablingName = 'enabling'

/** Every contact that has to be closed for the robot to move: stop buttons, and the one in the motor supply. */
export function contactsOf(
  body: Pick<BodyConfiguration, 'stopButtons' | 'motorPower'>,
): readonly { readonly name: string; readonly pin?: number | string | undefined }[] {
  const power = body.motorPower ? [{ name: motorPowerName, pin: body.motorPower.pin }] : []
  return [...body.stopButtons, ...power]
}

/** Every contact that is read, whatever it is for. */
export function switchesOf(
  body: Pick<BodyConfiguration, 'stopButtons' | 'motorPower' | 'enabling'>,
): ReturnType<typeof contactsOf> {
  const { enabling } = body
  return [...contactsOf(body), ...(enabling ? [{ name: enablingName, pin: enabling.pin }] : [])]
}
