import type { Pose } from '../../core/vocabulary/geometry.ts'
import type { ImageReading } from '../../core/vocabulary/reading.ts'
import type { Camera } from '../camera.ts'
import type { Clock } from '../clock.ts'
import type { SimulatedBody } from './body.ts'
import { castRay } from './ray.ts'
import type { Room } from './room.ts'

/** Which camera of which robot. The clock stamps the frames. */
export interface CameraMount {
  readonly name: string
  readonly body: SimulatedBody
  readonly clock: Clock
}

const width = 64
const height = 48
const periodMs = 200
const viewRadians = Math.PI / 3
const sightMetres = 12
const wallMetres = 0.6
const lensHeightMetres = 0.15
/** Pixels from the lens to the picture, which makes distances of a projection come out in pixels. */
const focalPixels = width / 2 / Math.tan(viewRadians / 2)
const colours = { wall: [214, 160, 106], sky: [168, 192, 216], floor: [72, 76, 80] } as const

/**
 * A camera in the middle of a simulated robot that looks along its x axis, 60 degrees wide. It takes 64 x 48 pictures
 * in `rgb8`, five a second of simulated time: walls, the darker the farther, between floor and sky.
 */
export function simulatedCamera({ name, body, clock }: CameraMount): Camera {
  const listeners = new Set<(frame: ImageReading) => void>()
  let stop: (() => void) | undefined

  const takePicture = () => {
    const data = draw(body.room, body.truth().pose)
    const stampMs = clock.now()
    for (const listener of listeners) {
      listener({ kind: 'image', name, stampMs, pixelFormat: 'rgb8', width, height, data })
    }
  }
  const start = () => {
    let waitedMs = periodMs
    return body.onStep((milliseconds) => {
      waitedMs += milliseconds
      if (waitedMs < periodMs) return
      // A picture of the past cannot be taken: a long step yields one picture.
      waitedMs %= periodMs
      takePicture()
    })
  }

  return {
    name,
    open() {
      stop ??= start()
      return Promise.resolve()
    },
    onFrame(listener) {
      const entry = (frame: ImageReading) => listener(frame)
      listeners.add(entry)
      return () => void listeners.delete(entry)
    },
    // Nothing can come between a simulated camera and its robot.
    onLost: () => () => undefined,
    close() {
      stop?.()
      stop = undefined
      return Promise.resolve()
    },
  }
}

function draw(room: Room, pose: Pose): Uint8Array {
  const picture = new Uint8Array(width * height * 3)
  for (let column = 0; column < width; column++) {
    const across = (width / 2 - 0.5 - column) / focalPixels
    const angle = Math.atan2(across, 1)
    const depth = castRay(room, pose, pose.heading + angle, sightMetres) * Math.cos(angle)
    drawColumn(picture, column, depth)
  }
  return picture
}

/** `depth` is in metres along the optical axis; `Infinity` leaves nothing between floor and sky. */
function drawColumn(picture: Uint8Array, column: number, depth: number): void {
  const horizon = height / 2
  const top = horizon - ((wallMetres - lensHeightMetres) * focalPixels) / depth
  const bottom = horizon + (lensHeightMetres * focalPixels) / depth
  const wall = colours.wall.map((part) => Math.round(part / (1 + depth / 2)))
  for (let row = 0; row < height; row++) {
    const middle = row + 0.5
    const ground = middle < horizon ? colours.sky : colours.floor
    picture.set(middle > top && middle < bottom ? wall : ground, (row * width + column) * 3)
  }
}
