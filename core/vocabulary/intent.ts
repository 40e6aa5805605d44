import { z } from 'zod'
import { inquiryMax } from './inquiry.ts'
import { memoryMax } from './memory.ts'

/** How long one intent to drive or wait may last, in milliseconds. */
export const intentDurationMs = { min: 50, max: 5000 } as const

const duration = z.int().min(intentDurationMs.min).max(intentDurationMs.max)

const drive = z.strictObject({
  type: z.literal('drive'),
  linear: z.number().describe('m/s, positive forward'),
  angular: z.number().describe('rad/s, positive to the left'),
  durationMs: duration,
})
const stop = z.strictObject({ type: z.literal('stop') })
const wait = z.strictObject({ type: z.literal('wait'), durationMs: duration })
const setRelay = z.strictObject({ type: z.literal('setRelay'), relay: z.string(), on: z.boolean() })
const askHuman = z.strictObject({
  type: z.literal('askHuman'),
  question: z.string().min(1).max(inquiryMax.questionCharacters),
  choices: z
    .array(z.string().min(1).max(inquiryMax.choiceCharacters))
    .max(inquiryMax.choices)
    .describe('empty for a free answer'),
})
const remember = z.strictObject({
  type: z.literal('remember'),
  text: z.string().min(1).max(memoryMax.note).describe('kept for later runs'),
})

/** What an agent may ask for: the one source of the types, of the check, and of the schema that a model is sent. */
export const intentSchema = z.discriminatedUnion('type', [
  drive,
  stop,
  wait,
  setRelay,
  askHuman,
  remember,
])

/** Something that an agent wants to be done. It moves nothing until the kernel permits it. */
export type Intent = z.infer<typeof intentSchema>
export type DriveIntent = z.infer<typeof drive>

/** An intent with the words that its author gives for it. */
export interface Proposal {
  readonly reason: string
  readonly intent: unknown
}

/** The most characters of a model's reason that are kept. */
export const reasonCharactersMax = 500

/** What this robot's parts and grants make possible. */
export interface Abilities {
  readonly canDrive: boolean
  readonly relays: readonly string[]
  /** Something that is kept is there later. */
  readonly canRemember?: boolean
}

/** The schema of a whole reply, `{"reason", "intent"}`, holding only the intents that are possible. */
export function replySchemaFor({
  canDrive,
  canRemember = false,
  relays: [relay, ...relays],
}: Abilities) {
  const possible = [
    stop,
    wait,
    askHuman,
    ...(canRemember ? [remember] : []),
    ...(canDrive ? [drive] : []),
    ...(relay === undefined ? [] : [setRelay.extend({ relay: z.enum([relay, ...relays]) })]),
  ] as const
  return z.strictObject({ reason: z.string(), intent: z.union(possible) })
}

/**
 * The same as JSON schema, as OpenAI's strict mode takes it: an object at the root, every property required, no others,
 * `anyOf`, and no length of a text. What is left out of it is checked when the reply is judged.
 */
export function replyJsonSchema(can: Abilities): object {
  const { $schema: _, ...schema } = z.toJSONSchema(replySchemaFor(can), {
    override({ jsonSchema }) {
      delete jsonSchema.minLength
      delete jsonSchema.maxLength
    },
  })
  return schema
}

/** An intent in a few words: `drive 0.20 m/s -0.50 rad/s`. */
export function describeIntent(intent: Intent): string {
  switch (intent.type) {
    case 'drive':
      return `drive ${intent.linear.toFixed(2)} m/s ${intent.angular.toFixed(2)} rad/s`
    case 'wait':
      return `wait ${intent.durationMs} ms`
    case 'setRelay':
      return `${intent.relay} ${intent.on ? 'on' : 'off'}`
    case 'askHuman':
      return `ask ${JSON.stringify(intent.question)}`
    case 'remember':
      return `remember ${JSON.stringify(intent.text)}`
    case 'stop':
      return 'stop'
  }
}

/** The same of anything that was proposed, which need not be an intent at all; at most 200 characters. */
export function describeProposed(proposed: unknown): string {
  return jsonOf(proposed).slice(0, proposedCharactersMax)
}

const proposedCharactersMax = 200

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value
  } catch {
    // It holds itself, is nested too deeply, or has numbers that JSON has no form for.
    return typeof value
  }
}
