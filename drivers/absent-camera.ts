import type { Camera } from './camera.ts'

/** A camera that is not there: it can be opened, and shows nothing. */
export function absentCamera(name: string): Camera {
  return {
    name,
    open: () => Promise.resolve(),
    onFrame: () => () => undefined,
    onLost: () => () => undefined,
    close: () => Promise.resolve(),
  }
}
