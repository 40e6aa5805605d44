import { type AnyActorRef, createActor, type EventFromLogic } from 'xstate'
import { messageOf } from '../core/vocabulary/errors.ts'
import { enablingName } from '../core/vocabulary/parts.ts'
import type { Reading } from '../core/vocabulary/reading.ts'
import type { EnablingStatus } from '../core/vocabulary/status.ts'
import type { Clock } from '../drivers/clock.ts'
import { enablingMachine, enablingMs } from '../machines/enabling.machine.ts'

/** The hand that a person keeps on a robot which a model drives (hold-to-run). */
export interface Enabling {
  /** Undefined where nobody has to hold anything. */
  readonly chart: AnyActorRef | undefined
  /** Why a model may move nothing; undefined while somebody holds the device, or where none is needed. */
  readonly cause: string | undefined
  /** Null where none is needed. */
  readonly status: EnablingStatus | null
  /** To be called more often than every 0.2 s while a device is held, and once it is let go. */
  hold(device: string, isHeld: boolean): void
  /** To be called with every reading: one of the contact on the body is its word. */
  hear(reading: Reading, nowMs: number): void
  /** A person wants it to drive itself: it does so once somebody takes hold, within a minute. */
  wait(): void
  /** A person wants it to stand still, whoever holds what: pressing the device is not to move it then. */
  stay(): void
  /** To be called with each state of the root. Whatever is held when nothing may move has to be let go first. */
  follow(state: string): void
  /** It cannot be relied on any more: nothing counts as held from now on, and the robot is halted. */
  fail(cause: string): void
  close(): void
}

/** For how long a robot waits for a hand, in ms, before a person has to say again that it is to drive itself. */
export const waitMsMax = 60_000

/** What an enabling device has to do with. */
export interface EnablingParts {
  /** The robot's clock. */
  readonly clock: Clock
  /** Called once it is known that a model may move something, or may not any more. */
  changed(): void
  /** Called when it is held, if the robot drove itself when it was let go, or a person has asked for that since. */
  resume(): void
  failed(cause: string): void
}

/** Where no model drives hardware, nobody has to hold anything. */
export const noDevice: Enabling = {
  chart: undefined,
  cause: undefined,
  status: null,
  hold() {},
  hear() {},
  wait() {},
  stay() {},
  follow() {},
  fail() {},
  close() {},
}

export function createEnabling(parts: EnablingParts): Enabling {
  const { clock, changed, failed, resume } = parts
  const actor = createActor(enablingMachine, { clock })
  let fault: string | undefined
  let wasEnabled = false
  let state = ''
  let goesOnUntilMs = Number.NEGATIVE_INFINITY
  let pressedMs = Number.NEGATIVE_INFINITY
  /** The chart decides; what it takes to be held, although nobody has said so for long, is not, whatever has become of it. */
  const isEnabled = () =>
    fault === undefined &&
    actor.getSnapshot().hasTag('enabled') &&
    clock.now() - pressedMs <= 2 * enablingMs.silence
  const fail = (cause: string) => {
    if (fault !== undefined) return
    fault = 'the enabling device has failed; start the program again'
    changed()
    failed(`${fault}: ${cause}`)
  }
  actor.subscribe({
    next() {
      if (isEnabled() === wasEnabled) return
      wasEnabled = isEnabled()
      const goesOn = wasEnabled && clock.now() <= goesOnUntilMs
      if (!wasEnabled && state === 'active.autonomous') goesOnUntilMs = clock.now() + waitMsMax
      changed()
      if (!goesOn) return
      goesOnUntilMs = Number.NEGATIVE_INFINITY
      resume()
    },
    error: (error) => fail(String(error)),
  })
  actor.start()
  /** Who has ended is told nothing any more. */
  const tell = (event: EventFromLogic<typeof enablingMachine>) => {
    if (fault !== undefined || actor.getSnapshot().status !== 'active') return
    try {
      actor.send(event)
    } catch (error) {
      fail(messageOf(error))
    }
  }
  const hold = (device: string, isHeld: boolean) => {
    if (isHeld) pressedMs = clock.now()
    tell({ type: isHeld ? 'enabling.press' : 'enabling.release', device })
  }
  const stay = () => {
    goesOnUntilMs = Number.NEGATIVE_INFINITY
  }
  return {
    chart: actor,
    get cause() {
      if (isEnabled()) return undefined
      return fault ?? causes[actor.getSnapshot().matches('taped') ? 'taped' : 'released']
    },
    get status() {
      const { context, value } = actor.getSnapshot()
      const name = typeof value === 'string' ? value : 'held'
      return { state: fault === undefined ? name : 'failed', device: context.device ?? null }
    },
    hold,
    hear(reading, nowMs) {
      if (reading.kind !== 'contact' || reading.name !== enablingName) return
      // What was true too long ago, or is to come, is no hand on it now. That it was let go counts whenever it is heard.
      const ageMs = nowMs - reading.stampMs
      if (!reading.closed) hold(enablingName, false)
      else if (Math.abs(ageMs) <= enablingMs.silence) hold(enablingName, true)
    },
    wait() {
      if (!wasEnabled) goesOnUntilMs = clock.now() + waitMsMax
    },
    stay,
    follow(next) {
      state = next
      if (next !== 'active.holding') stay()
      if (next.startsWith('active')) return
      tell({ type: 'enabling.forget' })
    },
    fail,
    close: () => actor.stop(),
  }
}

const causes = {
  released: 'nobody holds the enabling device',
  taped: 'the enabling device was not let go for ten minutes: let it go, and hold it again',
}
