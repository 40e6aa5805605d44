import { messageOf } from '../../core/vocabulary/errors.ts'
import { contained } from './contained.ts'
import { type Picture, pictureOf } from './picture.ts'
import type { CameraView } from './protocol.ts'
import type { Sighted } from './steered.ts'

/** The last picture of each camera, as pages are shown it. */
export interface Gallery {
  /** Looks for frames that are new, and has pictures made of them. Made to be called while somebody watches, and seldom. */
  look(): void
  readonly cameras: readonly CameraView[]
  /** The same, where they have changed since this was last asked for; undefined where not. */
  news(): readonly CameraView[] | undefined
  /** The picture that is served at `path`. */
  pictureAt(path: string): Picture | undefined
  /** Nobody watches any more: there are no pictures. */
  clear(): void
}

/** The largest picture that is sent, in bytes, and the most cameras that are looked at. */
export const pictureBytesMax = 64 * 1024
export const camerasMax = 8

/** No frame is asked for before `look`; what fails with one is told in its place, and never thrown. */
export function createGallery(
  frames: () => readonly Sighted[],
  failed: (cause: string) => void,
): Gallery {
  const walls = new Map<string, Wall>()
  let isNew = false
  /** What was begun before the last clearing is nobody's. */
  let era = 0

  const hang = (wall: Wall, shown: Shown, since: number) => {
    wall.isBusy = false
    if (since !== era) return
    wall.shown = shown
    isNew = true
  }
  const develop = (wall: Wall, frame: NonNullable<Sighted['frame']>) => {
    const since = era
    wall.seen = frame
    wall.isBusy = true
    pictureOf(frame).then(
      (picture) => hang(wall, shownOf(frame, picture), since),
      (error: unknown) => hang(wall, refusedFor(frame, messageOf(error)), since),
    )
  }
  const look = () => {
    for (const { name, frame } of frames().slice(0, camerasMax)) {
      const wall = walls.get(name) ?? { seen: undefined, shown: undefined, isBusy: false }
      if (!walls.has(name)) isNew = true
      walls.set(name, wall)
      if (frame && frame !== wall.seen && !wall.isBusy) develop(wall, frame)
    }
  }
  const cameras = () =>
    [...walls].map(([name, { shown }]): CameraView => ({ name, frame: shown?.view ?? null }))

  return {
    look: contained(failed, look),
    get cameras() {
      return cameras()
    },
    news() {
      if (!isNew) return undefined
      isNew = false
      return cameras()
    },
    pictureAt(path) {
      for (const [name, { shown }] of walls) {
        if (path === `/camera/${encodeURIComponent(name)}`) return shown?.picture
      }
      return undefined
    },
    clear() {
      era += 1
      walls.clear()
    },
  }
}

/** Where the pictures of one camera hang. */
interface Wall {
  seen: Sighted['frame']
  shown: Shown | undefined
  isBusy: boolean
}

interface Shown {
  readonly view: NonNullable<CameraView['frame']>
  /** Undefined for one that is not sent. */
  readonly picture: Picture | undefined
}

type Frame = NonNullable<Sighted['frame']>

function shownOf(frame: Frame, picture: Picture): Shown {
  const bytes = picture.body.length
  if (!(bytes <= pictureBytesMax)) {
    const cause = `${kib(bytes)} KiB are too many: at most ${kib(pictureBytesMax)} KiB are sent`
    return { view: { ...viewOf(frame), bytes, cause }, picture: undefined }
  }
  return { view: { ...viewOf(frame), bytes, cause: null }, picture }
}

function refusedFor(frame: Frame, cause: string): Shown {
  return { view: { ...viewOf(frame), bytes: frame.data.length, cause }, picture: undefined }
}

function viewOf({ height, stampMs, width }: Frame) {
  return { stampMs, width, height }
}

function kib(bytes: number): number {
  return Math.ceil(bytes / 1024)
}
