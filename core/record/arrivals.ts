import { z } from 'zod'
import { anyNumber } from './entry.ts'

const stamped = { stampMs: anyNumber }

/** Pixels are kept where that was asked for; otherwise their size and hash, of which bytes of that many zeros are made. */
const pixels = z.union([
  z.instanceof(Uint8Array),
  z
    .strictObject({ bytes: z.int().min(0), sha256: z.string() })
    .transform(({ bytes }) => new Uint8Array(bytes)),
])

/** A reading as it was said, sound or not. */
export const readingSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('encoders'), ...stamped, left: anyNumber, right: anyNumber }),
  z.object({
    kind: z.literal('lidar'),
    ...stamped,
    firstAngle: anyNumber,
    angleStep: anyNumber,
    reachMetres: anyNumber,
    ranges: z.array(anyNumber),
  }),
  z.object({ kind: z.literal('range'), ...stamped, name: z.string(), metres: anyNumber }),
  z.object({ kind: z.literal('bumper'), ...stamped, name: z.string(), pressed: z.boolean() }),
  z.object({ kind: z.literal('contact'), ...stamped, name: z.string(), closed: z.boolean() }),
  z.object({
    kind: z.literal('imu'),
    ...stamped,
    turnRate: anyNumber,
    accelerationX: anyNumber,
    accelerationY: anyNumber,
  }),
  z.object({ kind: z.literal('battery'), ...stamped, charge: anyNumber, volts: anyNumber }),
  z.object({
    kind: z.literal('image'),
    ...stamped,
    name: z.string(),
    pixelFormat: z.enum(['rgb8', 'jpeg']),
    width: anyNumber,
    height: anyNumber,
    data: pixels,
  }),
])

export const imageSchema = z.object({
  kind: z.literal('image'),
  ...stamped,
  name: z.string(),
  pixelFormat: z.enum(['rgb8', 'jpeg']),
  width: anyNumber,
  height: anyNumber,
  data: pixels,
})

export const causeSchema = z.string()

export const guardianFactSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('starting') }),
  z.strictObject({ kind: z.literal('guarding') }),
  z.strictObject({ kind: z.literal('tripped'), cause: z.string() }),
  z.strictObject({ kind: z.literal('lost'), cause: z.string() }),
  z.strictObject({ kind: z.literal('gone') }),
])

/** What a person said, or a program in a person's name. */
export const commandSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('robot.halt'), cause: z.string() }),
  z.object({ type: z.literal('robot.arm'), epoch: anyNumber }),
  z.object({ type: z.literal('robot.goal'), text: z.string() }),
  z.object({ type: z.literal('robot.answer'), id: anyNumber, text: z.string() }),
  z.object({ type: z.literal('robot.reset') }),
  z.object({ type: z.literal('robot.resume') }),
  z.object({ type: z.literal('robot.pause') }),
  z.object({ type: z.literal('robot.takeOver') }),
  z.object({ type: z.literal('robot.release') }),
  z.object({ type: z.literal('robot.shutdown') }),
])

export const stickSchema = z.object({
  linear: anyNumber,
  angular: anyNumber,
  sequence: anyNumber.optional(),
})

export const holdSchema = z.object({ device: z.string(), isHeld: z.boolean() })

export const nothingSchema = z.undefined()
