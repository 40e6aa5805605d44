import { type Pose, STILL, type Twist } from '../vocabulary/geometry.ts'
import { certain, type Covariance, rolledOn, wheelVariancePerMetre } from './covariance.ts'
import { type DriveGeometry, measuredTwist, type WheelSpeeds } from './kinematics.ts'

/** Dead reckoning so far. Never changed in place: each function returns the next one. */
export interface OdometryState {
  /** `base_link` in `odom`, metres and radians, heading unwrapped. */
  readonly pose: Pose
  /** How unsure the pose is. Nothing is decided by it. */
  readonly covariance: Covariance
  /** Measured: the mean of the last readings. Open loop: the command itself. */
  readonly velocity: Twist
  /** The wheel readings that the mean is made of, oldest first. */
  readonly readings: readonly Twist[]
  readonly readingsMax: number
}

/** `ok` is false when the input was refused; `state` is then the very state that was given. */
export interface OdometryStep {
  readonly ok: boolean
  readonly state: OdometryState
}

/** Intervals shorter than this, in seconds, are refused: no speed can be told from them. */
const dtSecondsMin = 1e-6
/** Turns smaller than this, in radians, are driven straight along the mean heading. */
const arcRadiansMin = 1e-6
const readingsLimit = 1000
const origin: Pose = { x: 0, y: 0, heading: 0 }

/**
 * Odometry at `pose` that takes its velocity from the mean of the last `readingsMax` readings of the wheels.
 * Throws a TypeError for a pose that is not finite and for a window outside 1 to 1000.
 */
export function initialOdometry(pose: Pose = origin, readingsMax = 10): OdometryState {
  if (!isFinitePose(pose)) throw new TypeError('a first pose must be finite')
  if (!(Number.isInteger(readingsMax) && readingsMax >= 1 && readingsMax <= readingsLimit)) {
    throw new TypeError(`a window holds 1 to ${readingsLimit} readings, got ${readingsMax}`)
  }
  return { pose, covariance: certain, velocity: STILL, readings: [], readingsMax }
}

/**
 * Rolls `state` on by what the wheels did for `dtSeconds`. Refused, state unchanged: anything that is not finite, an
 * interval within 1e-6 s of zero, a pose that no number can hold. A negative interval rolls back.
 * Formula: exact arc, and rolling mean, of diff_drive_controller (ros2_controllers).
 */
export function advanceByWheels(
  state: OdometryState,
  wheels: WheelSpeeds,
  dtSeconds: number,
  geometry: DriveGeometry,
): OdometryStep {
  const twist = measuredTwist(wheels, geometry)
  if (!twist) return refused(state)
  const pose = poseAfter(state.pose, twist, dtSeconds)
  const readings = [...state.readings, twist].slice(-state.readingsMax)
  const velocity = meanOf(readings)
  if (!pose || !isFiniteTwist(velocity)) return refused(state)
  const covariance = unsurer(state, twist, dtSeconds, geometry, wheelVariancePerMetre.measured)
  return { ok: true, state: { ...state, pose, covariance, velocity, readings } }
}

/**
 * Rolls `state` on as if `twist` (m/s, rad/s) had been obeyed for `dtSeconds`: odometry without encoders. The velocity
 * becomes the twist; the readings are left alone. Refuses what `advanceByWheels` refuses. How unsure the pose becomes
 * hangs on the wheels: without a geometry that stays as it was.
 */
export function advanceByTwist(
  state: OdometryState,
  twist: Twist,
  dtSeconds: number,
  geometry?: DriveGeometry,
): OdometryStep {
  const pose = poseAfter(state.pose, twist, dtSeconds)
  if (!pose) return refused(state)
  const velocity = { linear: twist.linear, angular: twist.angular }
  const covariance = geometry
    ? unsurer(state, twist, dtSeconds, geometry, wheelVariancePerMetre.commanded)
    : state.covariance
  return { ok: true, state: { ...state, pose, covariance, velocity } }
}

/**
 * Puts the robot at `pose` in `odom`, for certain. Being told where it is says nothing of how fast it goes: the velocity stays until
 * the next reading, which then starts a new mean. A pose that is not finite is refused, state unchanged.
 */
export function placeAt(state: OdometryState, pose: Pose): OdometryStep {
  if (!isFinitePose(pose)) return refused(state)
  const { x, y, heading } = pose
  return {
    ok: true,
    state: { ...state, pose: { x, y, heading }, covariance: certain, readings: [] },
  }
}

/** How unsure the pose is after that motion. Rolling back makes it no surer. */
function unsurer(
  { covariance, pose }: OdometryState,
  { linear, angular }: Twist,
  dtSeconds: number,
  { trackMetres }: DriveGeometry,
  variancePerMetre: number,
): Covariance {
  const way = linear * dtSeconds
  const rim = (angular * dtSeconds * trackMetres) / 2
  const rolled = { left: way - rim, right: way + rim }
  return rolledOn(covariance, rolled, pose.heading, trackMetres, variancePerMetre)
}

function poseAfter(pose: Pose, twist: Twist, dtSeconds: number): Pose | undefined {
  if (!(Math.abs(dtSeconds) >= dtSecondsMin)) return undefined
  const turn = twist.angular * dtSeconds
  const chord = twist.linear * dtSeconds * chordOfArc(turn)
  const direction = pose.heading + turn / 2
  const next = {
    x: pose.x + chord * Math.cos(direction),
    y: pose.y + chord * Math.sin(direction),
    heading: pose.heading + turn,
  }
  return isFinitePose(next) ? next : undefined
}

/** Length of the chord of an arc of length 1 that turns by `turn`. */
function chordOfArc(turn: number): number {
  return Math.abs(turn) < arcRadiansMin ? 1 : Math.sin(turn / 2) / (turn / 2)
}

function meanOf(readings: readonly Twist[]): Twist {
  const sum = readings.reduce((total, { linear, angular }) => ({
    linear: total.linear + linear,
    angular: total.angular + angular,
  }))
  return { linear: sum.linear / readings.length, angular: sum.angular / readings.length }
}

function refused(state: OdometryState): OdometryStep {
  return { ok: false, state }
}

function isFinitePose({ x, y, heading }: Pose): boolean {
  return Number.isFinite(x) && Number.isFinite(y) && Number.isFinite(heading)
}

function isFiniteTwist({ linear, angular }: Twist): boolean {
  return Number.isFinite(linear) && Number.isFinite(angular)
}
