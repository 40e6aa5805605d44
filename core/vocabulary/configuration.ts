import { z } from 'zod'
import { isSimple } from '../space/polygon.ts'
import { checkPins } from './pins.ts'
import { addressProblem } from './endpoint.ts'
import { explainIssues, show } from './explain.ts'
import type { Point } from './geometry.ts'
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

/** A name, not a key: what it is set to is read from the environment and never shown. */
const variable = z
  .string({ error: 'the name of an environment variable' })
  .max(200, { error: 'the name of an environment variable' })
  .superRefine((given, context) => {
    if (/^[A-Za-z_]\w*$/.test(given)) return
    const message =
      'is not the name of an environment variable: letters, digits and _; the key itself goes there'
    context.addIssue({ code: 'custom', message })
  })

/** Whoever proposes what to do: `explorer`, or a model behind an endpoint. */
const brain = z
  .strictObject({
    url: z.string({ error: brains }),
    model: text(200).optional(),
    /** The environment variable that holds its key. */
    keyEnv: variable.optional(),
    /** A file of certificates, in PEM, that are believed beside the usual ones. */
    caFile: text(1000).optional(),
    deadlineMs: within(ranges.modelDeadlineMs).default(10_000),
    /** How it counts tokens, where that is known: a tighter bound of what it bills than bytes are. */
    tokenizer: z
      .enum(['o200k_base', 'cl100k_base'], { error: 'o200k_base or cl100k_base' })
      .optional(),
    /** What it costs, where no list of prices has it. */
    price: z
      .strictObject({
        inputUsdPerMillion: within(ranges.usdPerMillion),
        outputUsdPerMillion: within(ranges.usdPerMillion),
      })
      .optional(),
  })
  .superRefine(checkBrain)

/** What models may cost. A day is one of UTC, a month one of the calendar. */
const budget = z
  .strictObject({
    tokensPerDay: within(ranges.tokens).default(100_000),
    usdPerDay: within(ranges.usd).default(1),
    tokensPerRun: within(ranges.tokens).optional(),
    usdPerRun: within(ranges.usd).optional(),
    tokensPerMonth: within(ranges.tokens).optional(),
    usdPerMonth: within(ranges.usd).optional(),
    requestsPerMinute: within(ranges.requestsPerMinute).default(20),
    /** This computer's clock has a battery, or somebody looks after it: believe it without being told that it is synchronised. */
    trustClock: z.boolean().default(false),
  })
  .prefault({})

/** Where texts are given vectors, so that memories are found by what they mean. Without it they are found by their words. */
const embeddings = z
  .strictObject({
    url: z.string({ error: 'the address of an OpenAI-compatible endpoint' }),
    model: text(200),
    keyEnv: variable.optional(),
    caFile: text(1000).optional(),
    deadlineMs: within(ranges.modelDeadlineMs).default(5_000),
    price: z.strictObject({ inputUsdPerMillion: within(ranges.usdPerMillion) }).optional(),
  })
  .superRefine(({ url }, context) => {
    const fault = addressProblem(url)
    if (fault === undefined) return
    const message = `${show(withoutSecrets(url))} is not allowed; ${fault}`
    context.addIssue({ code: 'custom', path: ['url'], message })
  })

/** How a robot remembers. That it does is for whoever runs it to say. */
const memory = z.strictObject({ embeddings: embeddings.optional() }).prefault({})

/** How much is kept of what robots went through, of all runs together and of one, and whether pictures are in it. */
const record = z
  .strictObject({
    maxBytes: within(ranges.recordBytes).default(2 * 1024 * 1024 * 1024),
    maxHours: within(ranges.recordHours).default(4),
    images: z.boolean().default(false),
  })
  .prefault({})

const corners = 'a list of 3 to 64 corners {x, y} in metres'
/** Where the robot may be: a polygon around the place where it is started. */
const geofence = z
  .array(z.strictObject({ x: within(ranges.odomMetres), y: within(ranges.odomMetres) }), {
    error: corners,
  })
  .min(3, { error: corners })
  .max(64, { error: corners })
  .superRefine(checkFence)

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
    /** For what of it a person has to approve each intent. */
    approve: z.array(z.string()).max(64).default([]),
    acceptNoDeadman: z.boolean().default(false),
    /** The corners of the ground that nothing drives it out of, in `odom`, in their order. */
    geofence: geofence.optional(),
    blindCreep: z.boolean().default(false),
    /** Who decides, in this order: the next one when the one before it fails. The explorer never fails. */
    brains: z
      .array(brain, { error: 'a list of brains' })
      .min(1, { error: 'a list of 1 to 8 brains' })
      .max(8, { error: 'a list of 1 to 8 brains' })
      .default([{ url: 'explorer', deadlineMs: 10_000 }]),
    budget,
    record,
    memory,
    goal: text(2000).optional(),
  })
  .superRefine(checkPins)
  .superRefine(checkGrants)
  .superRefine(checkOrder)

/** A brain that is asked over a network says where, and which. */
function checkBrain(
  { url, model }: { readonly url: string; readonly model?: string | undefined },
  context: z.RefinementCtx,
): void {
  if (url === 'explorer') return
  const fault = addressProblem(url)
  if (fault !== undefined) {
    const message = `${show(withoutSecrets(url))} is not allowed; explorer, or ${fault}`
    context.addIssue({ code: 'custom', path: ['url'], message })
  } else if (model === undefined) {
    const message = `missing; the name of a model that ${url} serves`
    context.addIssue({ code: 'custom', path: ['model'], message })
  }
}

/** Whoever writes a password into an address is not to find it in a log. */
function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//[secret]@').replace(/[?#].*$/s, '?[secret]')
}

/** A fence whose sides cross has no inside that people would agree on. */
function checkFence(fence: readonly Point[], context: z.RefinementCtx): void {
  if (fence.length >= 3 && !isSimple(fence)) {
    const message = 'is not allowed; a polygon whose sides neither cross nor touch'
    context.addIssue({ code: 'custom', message: `${fence.length} corners: ${message}` })
  }
}

/** Whoever never fails hands on to nobody. */
function checkOrder(
  { brains: all }: { readonly brains: readonly { readonly url: string }[] },
  context: z.RefinementCtx,
): void {
  const at = all.findIndex(({ url }) => url === 'explorer')
  if (at < 0 || at === all.length - 1) return
  const message = 'explorer never fails, so whatever comes after it is never asked; put it last'
  context.addIssue({ code: 'custom', path: ['brains', at, 'url'], message })
}

/** A grant for what the robot has not is a typing mistake, and would be found when it is too late. So is an approval. */
function checkGrants(
  {
    body,
    ...named
  }: {
    readonly body: BodyConfiguration
    readonly grants: readonly string[]
    readonly approve: readonly string[]
  },
  context: z.RefinementCtx,
): void {
  const allowed = ['drive', ...body.relays.map((relay) => `relay:${relay.name}`)]
  for (const field of ['grants', 'approve'] as const) {
    named[field].forEach((capability, index) => {
      if (allowed.includes(capability)) return
      const message = `"${capability}" is not allowed; one of ${allowed.join(', ')}`
      context.addIssue({ code: 'custom', path: [field, index], message })
    })
  }
}

/** A robot as its owner writes it: only what differs from the defaults. */
export type RobotConfiguration = z.input<typeof schema>

/** A robot with every default filled in and every rule checked. */
export type Configuration = z.output<typeof schema>
export type Limits = Configuration['limits']
export type BrainConfiguration = Configuration['brains'][number]

/**
 * Checks a configuration and fills in its defaults.
 * Throws ERR_CONFIGURATION with one line: the field, its value, and what is allowed.
 */
export function parseConfiguration(value: unknown): Configuration {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new MechosError('ERR_CONFIGURATION', explainIssues(parsed.error.issues, value))
}

/** Whether a model is among those who decide. */
export function asksModels({ brains: all }: Pick<Configuration, 'brains'>): boolean {
  return all.some(({ url }) => url !== 'explorer')
}

/** The circle that the robot needs, in metres: as declared, or half the track and 5 cm. */
export function footprintOf(body: BodyConfiguration): number {
  return body.footprintMetres ?? (body.wheels?.trackMetres ?? 0.15) / 2 + 0.05
}

/** Gives a configuration its type, in an editor and at `tsc`. It is checked when the robot is made. */
export function defineRobot(configuration: RobotConfiguration): RobotConfiguration {
  return configuration
}
