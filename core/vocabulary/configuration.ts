import { z } from 'zod'
import { checkPins } from './pins.ts'
import { explainIssues } from './explain.ts'
import { MechosError } from './errors.ts'
import {
  type BodyConfiguration,
  firmataBody,
  name,
  ranges,
  simulatedBody,
  within,
} from './parts.ts'

const brains = 'explorer, or the address of an OpenAI-compatible endpoint'

function text(charactersMax: number) {
  const error = `a text of 1 to ${charactersMax} characters`
  return z.string({ error }).min(1, { error }).max(charactersMax, { error })
}

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
        url: z.union([z.literal('explorer'), z.url({ protocol: /^https?$/, error: brains })], {
          error: brains,
        }),
        model: text(200).optional(),
        keyEnv: text(200).optional(),
        budgetTokens: within(ranges.tokens).default(100_000),
        deadlineMs: within(ranges.modelDeadlineMs).default(10_000),
      })
      .default({ url: 'explorer', budgetTokens: 100_000, deadlineMs: 10_000 }),
    goal: text(2000).optional(),
  })
  .superRefine(checkPins)
  .superRefine(checkGrants)

/** A grant for what the robot has not is a typing mistake, and would be found when it is too late. */
function checkGrants(
  { body, grants }: { readonly body: BodyConfiguration; readonly grants: readonly string[] },
  context: z.RefinementCtx,
): void {
  const allowed = ['drive', ...body.relays.map((relay) => `relay:${relay.name}`)]
  grants.forEach((grant, index) => {
    if (allowed.includes(grant)) return
    const message = `"${grant}" is not allowed; one of ${allowed.join(', ')}`
    context.addIssue({ code: 'custom', path: ['grants', index], message })
  })
}

/** A robot as its owner writes it: only what differs from the defaults. */
export type RobotConfiguration = z.input<typeof schema>

/** A robot with every default filled in and every rule checked. */
export type Configuration = z.output<typeof schema>
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
