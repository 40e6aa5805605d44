import { z } from 'zod'

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

/** What an agent may ask for: the one source of the types, of the check, and of the schema that a model is sent. */
export const intentSchema = z.discriminatedUnion('type', [drive, stop, wait, setRelay])

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

/**
 * The schema of a whole reply, `{"reason", "intent"}`, holding only the intents that this robot's parts and grants
 * make possible.
 */
export function replySchemaFor(can: {
  readonly drive: boolean
  readonly relays: readonly string[]
}) {
  const [relay, ...relays] = can.relays
  const possible = [
    stop,
    wait,
    ...(can.drive ? [drive] : []),
    ...(relay === undefined ? [] : [setRelay.extend({ relay: z.enum([relay, ...relays]) })]),
  ] as const
  return z.strictObject({ reason: z.string(), intent: z.union(possible) })
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
    case 'stop':
      return 'stop'
  }
}
