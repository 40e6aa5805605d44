import { causeSchema, imageSchema, nothingSchema } from '../core/record/arrivals.ts'
import type { ImageReading } from '../core/vocabulary/reading.ts'
import type { Camera } from '../drivers/camera.ts'
import type { Tape } from './tape.ts'

/** The same camera behind the doors of a tape. */
export function tapedCamera(tape: Tape, camera: Camera): Camera {
  const { name } = camera
  return {
    name,
    open: () =>
      tape.ask({ name: `camera.${name}.open`, schema: nothingSchema, act: () => camera.open() }),
    onFrame: (listener) =>
      camera.onFrame(tape.arrival<ImageReading>(`camera.${name}`, imageSchema, listener)),
    onLost: (listener) => camera.onLost(tape.arrival(`camera.${name}.lost`, causeSchema, listener)),
    close: () =>
      tape.ask({ name: `camera.${name}.close`, schema: nothingSchema, act: () => camera.close() }),
  }
}
