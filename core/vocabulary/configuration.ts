import { z } from 'zod'
import { checkPins } from './pins.ts'
import { explainIssues } from './explain.ts'
import { MechosError } from './errors.ts'

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
  tokens: { min: 1, max: 1_000_000_000, unit: 'tokens' },
  modelDeadlineMs: { min: 500, max: 120_000, unit: 'ms' },
} as const

function within(range: { min: number; max: number; unit: string }) {
  const error = `a number from ${range.min} to ${range.max} ${range.unit}`
  return z.number({ error }).min(range.min, { error }).max(range.max, { error })
}

function oneOf<const T extends readonly [string, ...string[]]>(...allowed: T) {
  return z.enum(allowed, { error: `one of ${allowed.join(', ')}` })
}

const name = z
  .string({ error: 'a name of letters, digits, - and _' })
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,31}$/, { error: 'a name of letters, digits, - and _' })
const pin = z.union([z.int(), z.string()], { error: 'a pin number or a name such as 3 or A0' })

/** Pins are needed on a board and ignored in simulation, so that one configuration serves both. */
const wheel = z.strictObject({
  pwm: pin,
  dir: pin,
  cdir: pin.optional(),
  halt: oneOf('coast', 'brake').default('coast'),
})

const wheels = {
  radiusMetres: within(ranges.radiusMetres),
  trackMetres: within(ranges.trackMetres),
  /** Turning rate of a wheel at full duty. Measure yours: it scales every speed. */
  fullSpeed: within(ranges.wheelSpeed).default(20),
}
const facing = { facing: within(ranges.angle).default(0) }

const range = z.strictObject({
  name,
  pin: pin.optional(),
  model: oneOf('GP2Y0A21', 'GP2Y0A02', 'GP2Y0A41').default('GP2Y0A21'),
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
  /** Radius of the circle around `base_link` that nothing may enter. */
  footprintMetres: within(ranges.footprintMetres).optional(),
}

const simulatedBody = z.strictObject({
  kind: z.literal('simulated'),
  wheels: z.strictObject(wheels).optional(),
  lidar: lidar.optional(),
  imu: z.boolean().default(true),
  ...parts,
})
const firmataBody = z.strictObject({
  kind: z.literal('firmata'),
  board: oneOf('uno', 'nano', 'mega').default('uno'),
  port: z.string().optional(),
  wheels: z.strictObject({ left: wheel, right: wheel, ...wheels }).optional(),
  ...parts,
})

const schema = z
  .strictObject({
    name,
    body: z.discriminatedUnion('kind', [simulatedBody, firmataBody], {
      error: 'an object whose kind is simulated or firmata',
    }),
    limits: z.strictObject({
      linear: within(ranges.linear),
      angular: within(ranges.angular),
      /** Comfort: how fast speed may grow. A halt asks nobody. */
      linearAcceleration: within(ranges.acceleration).default(1),
      linearBraking: within(ranges.acceleration).default(2),
      angularAcceleration: within(ranges.angularAcceleration).default(6),
      angularBraking: within(ranges.angularAcceleration).default(12),
    }),
    leaseMs: within(ranges.leaseMs).default(500),
    /** What the agent may do beside driving: `relay:<name>`. */
    grants: z.array(z.string()).max(64).default(['drive']),
    acceptNoDeadman: z.boolean().default(false),
    blindCreep: z.boolean().default(false),
    brain: z
      .strictObject({
        url: z.union([z.literal('explorer'), z.url({ protocol: /^https?$/ })], {
          error: 'explorer, or the address of an OpenAI-compatible endpoint',
        }),
        model: z.string().min(1).optional(),
        keyEnv: z.string().min(1).optional(),
        budgetTokens: within(ranges.tokens).default(100_000),
        deadlineMs: within(ranges.modelDeadlineMs).default(10_000),
      })
      .default({ url: 'explorer', budgetTokens: 100_000, deadlineMs: 10_000 }),
    goal: z.string().min(1).max(2000).optional(),
  })
  .superRefine(checkPins)

/** A robot as its owner writes it: only what differs from the defaults. */
export type RobotConfiguration = z.input<typeof schema>

/** A robot with every default filled in and every rule checked. */
export type Configuration = z.output<typeof schema>
export type BodyConfiguration = Configuration['body']
export type FirmataConfiguration = Extract<BodyConfiguration, { kind: 'firmata' }>
export type SimulatedConfiguration = Extract<BodyConfiguration, { kind: 'simulated' }>
export type Limits = Configuration['limits']

/**
 * Checks a configuration and fills in its defaults.
 * Throws ERR_CONFIGURATION with one line: the field, its value, and what is allowed.
 */
export function parseConfiguration(value: unknown): Configuration {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new MechosError('ERR_CONFIGURATION', explainIssues(parsed.error.issues, value))
}

/** The circle that the robot needs, in metres: as declared, or half the track and 5 cm. */
export function footprintOf(body: BodyConfiguration): number {
  return body.footprintMetres ?? (body.wheels?.trackMetres ?? 0.15) / 2 + 0.05
}

/** Gives a configuration its type, in an editor and at `tsc`. It is checked when the robot is made. */
export function defineRobot(configuration: RobotConfiguration): RobotConfiguration {
  return configuration
}
