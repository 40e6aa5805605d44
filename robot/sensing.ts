import { total } from '../actors/total.ts'
import type { Reading } from '../core/vocabulary/reading.ts'
import type { Camera } from '../drivers/camera.ts'
import type { Parts } from './parts.ts'

/** Takes a reading in. A stamp from the future would keep its sensor fresh until then: it counts as one from now. */
export function sense({ clock, enabling, hazards, perceived }: Parts, reading: Reading): void {
  const now = clock.now()
  perceived.readings.next({ ...reading, stampMs: Math.min(reading.stampMs, now) })
  hazards.hear(reading, now)
  enabling.hear(reading, now)
}

/** Opens a camera and takes its frames in. What it fails of is told and no more: nothing that guards motion sees by one. */
export function watchCamera(parts: Parts, camera: Camera): void {
  const { listen, log } = parts
  const warn = (cause: string) => log.warn({ camera: camera.name }, cause)
  total(warn, () => {
    camera.onFrame(listen('frame', (frame) => sense(parts, frame)))
    camera.onLost(listen('camera.lost', warn))
    return camera.open()
  })()
}
