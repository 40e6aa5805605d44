import { Subject } from 'rxjs'
import type { ActorRefFrom } from 'xstate'
import { type DriveGeometry, wheelSpeedsFor } from '../core/motion/kinematics.ts'
import {
  grantLease,
  isLeaseLive,
  type Lease,
  observeLease,
  spentLease,
} from '../core/motion/lease.ts'
import { nextTwist, scaleToWheelLimits, type TwistLimits } from '../core/motion/profile.ts'
import type { Commanded } from '../core/space/perceive.ts'
import { messageOf } from '../core/vocabulary/errors.ts'
import { isStill, STILL, type Twist } from '../core/vocabulary/geometry.ts'
import type { Intent } from '../core/vocabulary/intent.ts'
import type { Scene } from '../core/vocabulary/scene.ts'
import type { Source, Verdict } from '../core/vocabulary/verdict.ts'
import type { Body } from '../drivers/body.ts'
import type { Clock } from '../drivers/clock.ts'
import type { MotionGate } from '../drivers/gate.ts'
import type { Claim, kernelMachine } from '../machines/kernel.machine.ts'
import type { motionMachine } from '../machines/motion.machine.ts'

/** The period of the reflex loop in milliseconds: 50 Hz. */
export const tickMs = 20

/** The shortest lease, in ms: an order that ends sooner keeps the wheels turning for no longer than this. */
const leaseMsMin = 50

/** Something permitted that is being done. It is judged again on every tick. */
export interface Order {
  readonly intent: Intent
  readonly source: Source
  readonly epoch: number
  /** When it ends by itself, in ms on the robot's clock. */
  readonly untilMs: number
}

/** What the loop works with. Actors are looked up anew on every tick, since a supervisor may have replaced them. */
export interface ReflexParts {
  readonly clock: Clock
  readonly body: Body
  readonly gate: MotionGate
  readonly drive: DriveGeometry | undefined
  readonly fullSpeed: number
  readonly limits: TwistLimits
  readonly leaseMs: number
  /** True for a body without encoders: its odometry is what it was told. */
  openLoop(): boolean
  motion(): ActorRefFrom<typeof motionMachine> | undefined
  kernel(): ActorRefFrom<typeof kernelMachine> | undefined
  scene(): Scene
  feel(commanded: Commanded): void
  /** Sends the beat through the root's mailbox. */
  beat(stampMs: number): void
  refused(order: Order, verdict: Verdict): void
  failed(cause: string): void
}

/** The loop that never waits. */
export interface Reflex {
  /** The time of each tick, in ms, before anything is decided in it. */
  readonly ticks: Subject<number>
  readonly order: Order | undefined
  readonly commanded: Twist
  /** How long ago the present lease was granted, in ms; undefined when none is live. */
  readonly leaseAgeMs: number | undefined
  start(): void
  stop(): void
  give(order: Order): void
  withdraw(source: Source): void
  /** To be called with every verdict of the kernel. */
  hear(claim: Claim, verdict: Verdict): void
}

/**
 * 50 times a second: lets the body sense, sends the beat, has the present order judged again, renews its lease, and
 * moves the wheels one step towards it within the comfort limits. A throw in any of it trips the gate.
 */
export function createReflex(parts: ReflexParts): Reflex {
  const ticks = new Subject<number>()
  let order: Order | undefined
  let lease: Lease = spentLease
  let leasedMs = 0
  let commanded: Twist = STILL
  /** The opening of the gate to which order, lease and commanded belong. */
  let opening = 0
  let timer: number | undefined
  let dueMs = 0
  /** The time of the present tick: one tick has one time, however long it takes. */
  let tickedMs = 0

  const tick = (): void => {
    try {
      const now = parts.clock.now()
      tickedMs = now
      const stopped = parts.gate.watch()
      if (stopped !== undefined) parts.failed(stopped)
      parts.body.step?.(tickMs)
      ticks.next(now)
      parts.beat(now)
      renew(now)
      move(now)
    } catch (error) {
      fail(error)
    }
    try {
      schedule(tickedMs)
    } catch (error) {
      // There will be no other tick, and so no other beat.
      fail(error)
    }
  }

  const fail = (error: unknown): void => {
    const cause = `the reflex loop failed: ${messageOf(error)}`
    parts.gate.trip(cause)
    parts.failed(cause)
  }

  const schedule = (now: number): void => {
    // A tick that came late is not made up for: the next one is due a whole period after the last that was due.
    dueMs = Math.max(dueMs + tickMs, now)
    timer = parts.clock.setTimeout(tick, dueMs - now)
  }

  /** A hold voids what was ordered before it, and the wheels begin anew after it, also when no tick fell into it. */
  const forgetBeforeHold = (): void => {
    if (parts.gate.openings === opening) return
    opening = parts.gate.openings
    order = undefined
    lease = spentLease
    commanded = STILL
  }

  const renew = (now: number): void => {
    forgetBeforeHold()
    lease = observeLease(lease, now)
    if (!order || order.intent.type !== 'drive') return
    if (now >= order.untilMs) {
      order = undefined
      return
    }
    const { source, intent, epoch } = order
    parts.kernel()?.send({
      type: 'kernel.judge',
      claim: { source, intent, epoch, renewal: true },
      scene: parts.scene(),
    })
  }

  const hear = (claim: Claim, verdict: Verdict): void => {
    if (!claim.renewal || !order || claim.source !== order.source) return
    if (verdict.permitted && verdict.intent.type === 'drive') {
      const { linear, angular } = verdict.intent
      const leaseMs = Math.max(leaseMsMin, Math.min(parts.leaseMs, order.untilMs - tickedMs))
      lease = grantLease(tickedMs, leaseMs)
      leasedMs = tickedMs
      parts.motion()?.send({ type: 'motion.drive', twist: { linear, angular }, leaseMs })
      return
    }
    const refused = order
    order = undefined
    lease = spentLease
    parts.motion()?.send({ type: 'motion.stop' })
    parts.refused(refused, verdict)
  }

  const move = (now: number): void => {
    const motion = parts.motion()
    const state = motion?.getSnapshot()
    if (!motion || !state || !parts.drive) return
    if (!parts.gate.isOpen || !state.hasTag('ramping')) {
      commanded = STILL
    } else {
      const target = isLeaseLive(lease, now) ? state.context.target : STILL
      const step = nextTwist(commanded, target, parts.limits, tickMs / 1000)
      commanded = scaleToWheelLimits(step, parts.drive, parts.fullSpeed)
      parts.gate.write({ kind: 'wheels', ...wheelSpeedsFor(commanded, parts.drive) })
      if (state.matches('stopping') && isStill(commanded)) motion.send({ type: 'motion.settled' })
    }
    if (parts.openLoop())
      parts.feel({ kind: 'commanded', twist: commanded, seconds: tickMs / 1000 })
  }

  return {
    ticks,
    get order() {
      return order
    },
    get commanded() {
      return commanded
    },
    get leaseAgeMs() {
      const now = parts.clock.now()
      return isLeaseLive(lease, now) ? now - leasedMs : undefined
    },
    start() {
      dueMs = parts.clock.now()
      schedule(dueMs)
    },
    stop() {
      if (timer !== undefined) parts.clock.clearTimeout(timer)
      timer = undefined
    },
    give(next) {
      forgetBeforeHold()
      order = next
    },
    withdraw(source) {
      if (order?.source !== source) return
      order = undefined
      lease = spentLease
    },
    hear,
  }
}
