import { z } from 'zod'
import { type DriveGeometry, wheelSpeedsFor } from '../../core/motion/kinematics.ts'
import { grantLease, isLeaseLive, observeLease, spentLease } from '../../core/motion/lease.ts'
import { rateLimits } from '../../core/motion/limits.ts'
import {
  advanceByTwist,
  advanceByWheels,
  initialOdometry,
  type OdometryState,
  type OdometryStep,
  placeAt,
} from '../../core/motion/odometry.ts'
import { nextTwist } from '../../core/motion/profile.ts'
import { STILL } from '../../core/vocabulary/geometry.ts'
import { type Binding, near, numeral, same, strictly } from './binding.ts'
import { wheeledBase } from './wheeled-base.ts'

const unit: DriveGeometry = { leftRadiusMetres: 1, rightRadiusMetres: 1, trackMetres: 1 }

const drive = {
  wheel_separation_m: z.number(),
  left_radius_m: z.number(),
  right_radius_m: z.number(),
}
const named = { name: z.string(), source_test: z.string().optional() }

const inverse = z.strictObject({
  v: z.number(),
  w: z.number(),
  ...drive,
  expect: z.strictObject({ left_rad_s: z.number(), right_rad_s: z.number() }),
})
const unitInverse = z.strictObject({
  v: z.number(),
  w: z.number(),
  expect: z.strictObject({ left: z.number(), right: z.number() }),
})

const expect = z.strictObject({
  ok: z.boolean(),
  x: z.number(),
  y: z.number(),
  heading: z.number(),
  linear: z.number(),
  angular: z.number(),
})
const step = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('vel'), left: numeral, right: numeral, dt: numeral, expect }),
  z.strictObject({ op: z.literal('open'), v: numeral, w: numeral, dt: numeral, expect }),
  z.strictObject({ op: z.literal('set'), x: numeral, y: numeral, heading: numeral, expect }),
])
const run = z.strictObject({
  ...named,
  ...drive,
  rolling_window: z.int(),
  steps: z.array(step).min(1),
})

const clamped = z.strictObject({
  ...named,
  params: z.strictObject({
    max_velocity: z.number(),
    open_loop: z.literal(true),
    dt: z.number(),
  }),
  cmd: z.strictObject({ v: z.number(), w: z.number() }),
  expect: z.strictObject({
    linear: z.number(),
    angular: z.number(),
    x: z.number(),
    heading: z.number(),
    x_tol: z.number().positive().max(0.01),
  }),
})

const command = z.strictObject({ v: numeral, w: numeral, stamp_ms: numeral.optional() })
const timeline = z.strictObject({
  ...named,
  must_beat_peer: z.literal(true).optional(),
  params: z.strictObject({ cmd_vel_timeout_s: numeral }),
  events: z.array(
    z.strictObject({
      t_ms: z.number(),
      cmd: command.optional(),
      activate: z.literal(true).optional(),
      deactivate: z.literal(true).optional(),
      expect_moving: z.boolean().optional(),
      expect_wheels: z.tuple([z.number(), z.number()]).optional(),
    }),
  ),
  required: z.string().optional(),
  peer_result: z.string().optional(),
})

/** diff_drive.json, through kinematics, odometry, profile and lease. */
export const diffDrive: Binding = {
  file: 'diff_drive.json',
  title: 'Differential drive: inverse kinematics, odometry, command timeout',
  neighbours: ['viam_wheeled_base.width_mm', 'viam_wheeled_base.wheel_circumference_mm'],
  sections: {
    inverse_kinematics: strictly(inverse, (item, { tolerance }) => {
      const wheels = wheelSpeedsFor({ linear: item.v, angular: item.w }, geometryOf(item))
      return [
        ...near('left_rad_s', wheels.left, item.expect.left_rad_s, tolerance),
        ...near('right_rad_s', wheels.right, item.expect.right_rad_s, tolerance),
      ]
    }),
    mechos_inverse_kinematics: strictly(unitInverse, (item, { tolerance }) => {
      const wheels = wheelSpeedsFor({ linear: item.v, angular: item.w }, unit)
      return [
        ...near('left', wheels.left, item.expect.left, tolerance),
        ...near('right', wheels.right, item.expect.right, tolerance),
      ]
    }),
    'viam_wheeled_base.cases': wheeledBase,
    odometry: strictly(run, (item, { tolerance }) => checkRun(item, tolerance)),
    clamped_open_loop: strictly(clamped, (item, { tolerance }) => checkClamped(item, tolerance)),
    timeout_timelines: strictly(timeline, checkTimeline),
  },
}

function checkRun(item: z.output<typeof run>, tolerance: number): string[] {
  const geometry = geometryOf(item)
  let state = initialOdometry(undefined, item.rolling_window)
  return item.steps.flatMap((each, index) => {
    const { ok, state: next } = apply(each, state, geometry)
    state = next
    const at = `steps[${index}]`
    const numbers = { ...next.pose, ...next.velocity }
    return [
      ...same(`${at}.ok`, ok, each.expect.ok),
      ...near(`${at}.x`, numbers.x, each.expect.x, tolerance),
      ...near(`${at}.y`, numbers.y, each.expect.y, tolerance),
      ...near(`${at}.heading`, numbers.heading, each.expect.heading, tolerance),
      ...near(`${at}.linear`, numbers.linear, each.expect.linear, tolerance),
      ...near(`${at}.angular`, numbers.angular, each.expect.angular, tolerance),
    ]
  })
}

function apply(
  each: z.output<typeof step>,
  state: OdometryState,
  geometry: DriveGeometry,
): OdometryStep {
  if (each.op === 'set') return placeAt(state, { x: each.x, y: each.y, heading: each.heading })
  if (each.op === 'open') {
    return advanceByTwist(state, { linear: each.v, angular: each.w }, each.dt)
  }
  return advanceByWheels(state, { left: each.left, right: each.right }, each.dt, geometry)
}

function checkClamped(
  { params, cmd, expect: wanted }: z.output<typeof clamped>,
  tolerance: number,
) {
  const speed = rateLimits({ max: params.max_velocity })
  const target = { linear: cmd.v, angular: cmd.w }
  const twist = nextTwist(STILL, target, { linear: speed, angular: speed }, params.dt)
  const { pose, velocity } = advanceByTwist(initialOdometry(), twist, params.dt).state
  return [
    ...near('linear', velocity.linear, wanted.linear, tolerance),
    ...near('angular', velocity.angular, wanted.angular, tolerance),
    ...near('x', pose.x, wanted.x, wanted.x_tol),
    ...near('heading', pose.heading, wanted.heading, tolerance),
  ]
}

/** The motion that a lease permits, on wheels of one metre. A stamp of 0 is the peer's way to say "none". */
function checkTimeline({ params, events, required }: z.output<typeof timeline>) {
  const leaseMs = params.cmd_vel_timeout_s * 1000
  if (required !== undefined) return judge(required, leaseMs)
  let lease = spentLease
  let twist = STILL
  const findings = events.map(({ t_ms: now, ...event }) => {
    if (event.cmd && Number.isFinite(event.cmd.v) && Number.isFinite(event.cmd.w)) {
      const stamp = event.cmd.stamp_ms === 0 ? undefined : event.cmd.stamp_ms
      lease = grantLease(now, leaseMs, stamp)
      twist = { linear: event.cmd.v, angular: event.cmd.w }
    }
    if (event.deactivate) lease = spentLease
    const wheels = wheelSpeedsFor(isLeaseLive(lease, now) ? twist : STILL, unit)
    lease = observeLease(lease, now)
    return checkWheels(`at ${now} ms`, wheels, event)
  })
  const told = findings.filter((finding) => finding !== undefined)
  return told.length > 0 ? told.flat() : ['the timeline expects nothing']
}

function checkWheels(
  at: string,
  { left, right }: { left: number; right: number },
  event: Pick<z.output<typeof timeline>['events'][number], 'expect_moving' | 'expect_wheels'>,
): string[] | undefined {
  const { expect_moving: moving, expect_wheels: wheels } = event
  if (moving === undefined && wheels === undefined) return undefined
  return [
    ...(moving === undefined ? [] : same(`${at} moving`, left !== 0 || right !== 0, moving)),
    ...(wheels ? near(`${at} left wheel`, left, wheels[0], 0) : []),
    ...(wheels ? near(`${at} right wheel`, right, wheels[1], 0) : []),
  ]
}

/** The free-text demands that we know how to check. */
function judge(required: string, leaseMs: number) {
  if (!required.startsWith('configuration refused')) {
    return { unbound: `nobody has bound "${required}"` }
  }
  try {
    grantLease(0, leaseMs)
    return [`a lease of ${leaseMs} ms was granted`]
  } catch (thrown) {
    return thrown instanceof TypeError ? [] : [`threw ${String(thrown)}`]
  }
}

function geometryOf(given: {
  wheel_separation_m: number
  left_radius_m: number
  right_radius_m: number
}): DriveGeometry {
  return {
    leftRadiusMetres: given.left_radius_m,
    rightRadiusMetres: given.right_radius_m,
    trackMetres: given.wheel_separation_m,
  }
}
