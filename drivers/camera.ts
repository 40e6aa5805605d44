import type { ImageReading } from '../core/vocabulary/reading.ts'

/** No frame holds more bytes than this; a camera that sends more is lost. */
export const frameBytesMax = 4 * 1024 * 1024

/**
 * Something that takes pictures. Frames come in the order in which they were taken, hold at most `frameBytesMax`
 * bytes, say in `pixelFormat` what their bytes are, and are stamped on the clock that the camera was made with when
 * they were complete. Frames are not queued and not repeated: who needs an old one keeps it. A camera that falls
 * silent is not lost; its sensor grows stale.
 */
export interface Camera {
  readonly name: string
  /** Frames flow once this has resolved. Rejects with ERR_CAMERA_UNAVAILABLE; may be called again, also after a loss. */
  open(): Promise<void>
  /** Listeners are called for each frame. Returns how to stop. */
  onFrame(listener: (frame: ImageReading) => void): () => void
  /** Called once for each loss after a successful `open`, never because of `close`. Returns how to stop. */
  onLost(listener: (cause: string) => void): () => void
  /** No frame and no loss is told of afterwards. Idempotent. */
  close(): Promise<void>
}
