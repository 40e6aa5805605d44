/** When a reading was taken, in milliseconds on the robot's own monotonic clock. */
interface Stamped {
  readonly stampMs: number
}

/** How far each wheel has turned since the body opened, in radians, positive forward. */
export interface EncoderReading extends Stamped {
  readonly kind: 'encoders'
  readonly left: number
  readonly right: number
}

/** A planar scan in `base_link`. Beam `i` points to `firstAngle + i * angleStep`; `Infinity` is nothing within `reachMetres`. */
export interface LidarReading extends Stamped {
  readonly kind: 'lidar'
  readonly firstAngle: number
  readonly angleStep: number
  readonly reachMetres: number
  readonly ranges: readonly number[]
}

/** The distance that one range finder reports, in metres from the sensor; `Infinity` is nothing within its reach. */
export interface RangeReading extends Stamped {
  readonly kind: 'range'
  readonly name: string
  readonly metres: number
}

/** Whether a bumper is pressed. */
export interface BumperReading extends Stamped {
  readonly kind: 'bumper'
  readonly name: string
  readonly pressed: boolean
}

/**
 * Whether the contact of a stop button, or the one in the motor supply, is closed, as it is while all is well. `name` is
 * the button's, or `motorPower`.
 */
export interface ContactReading extends Stamped {
  readonly kind: 'contact'
  readonly name: string
  readonly closed: boolean
}

/** Turn rate about z in rad/s and acceleration along x and y in m/s², in `base_link`. */
export interface ImuReading extends Stamped {
  readonly kind: 'imu'
  readonly turnRate: number
  readonly accelerationX: number
  readonly accelerationY: number
}

/** What is left in the battery: `charge` from 0 to 1, `volts` at the terminals. */
export interface BatteryReading extends Stamped {
  readonly kind: 'battery'
  readonly charge: number
  readonly volts: number
}

/** One camera frame. `jpeg` holds a whole JPEG file; `rgb8` holds `width * height * 3` bytes, row by row from the top. */
export interface ImageReading extends Stamped {
  readonly kind: 'image'
  readonly name: string
  readonly pixelFormat: 'rgb8' | 'jpeg'
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

/** Anything that a sensor says. */
export type Reading =
  | EncoderReading
  | LidarReading
  | RangeReading
  | BumperReading
  | ContactReading
  | ImuReading
  | BatteryReading
  | ImageReading

/** The most ranges that one scan may hold. */
export const lidarRangesMax = 4096

/** The name under which a reading's sensor is declared and watched: `front`, or the kind where there is one only. */
export function sensorOf(reading: Reading): string {
  return 'name' in reading ? reading.name : reading.kind
}

/**
 * True when every number is what its field allows: finite, or `Infinity` where that means "nothing near".
 * A reading that is not sound is dropped and counted; its sensor then grows stale.
 */
export function isSound(reading: Reading): boolean {
  return Number.isFinite(reading.stampMs) && isBodySound(reading)
}

function isBodySound(reading: Reading): boolean {
  switch (reading.kind) {
    case 'encoders':
      return Number.isFinite(reading.left) && Number.isFinite(reading.right)
    case 'lidar':
      return (
        reading.ranges.length > 0 &&
        reading.ranges.length <= lidarRangesMax &&
        Number.isFinite(reading.firstAngle) &&
        Number.isFinite(reading.angleStep) &&
        reading.ranges.every(isDistance)
      )
    case 'range':
      return isDistance(reading.metres)
    case 'bumper':
      return typeof reading.pressed === 'boolean'
    case 'contact':
      return typeof reading.closed === 'boolean'
    case 'imu':
      return [reading.turnRate, reading.accelerationX, reading.accelerationY].every(Number.isFinite)
    case 'battery':
      return reading.charge >= 0 && reading.charge <= 1 && Number.isFinite(reading.volts)
    case 'image':
      return reading.data.length > 0 && reading.width > 0 && reading.height > 0
  }
}

function isDistance(metres: number): boolean {
  return metres >= 0
}
