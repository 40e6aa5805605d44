import { isStill, STILL } from '../../core/vocabulary/geometry.ts'
import type { Clock } from '../../drivers/clock.ts'
import { contained } from './contained.ts'
import type { PageWord, RobotWord } from './protocol.ts'
import type { Order, Steered } from './steered.ts'
import type { Visitor } from './visitor.ts'

/** The hands on the robot: what pages that may drive have it do, and the one of them that steers. */
export interface Hands {
  /** Carries out a word of a page that may drive, or says in one line why not. */
  take(page: Visitor, word: HandWord): string | undefined
  /** The page said something, whatever it was: it is there. */
  hear(page: Visitor): void
  /** The page has gone. What it steered stands still. */
  leave(page: Visitor): void
  driverFor(page: Visitor): DriverWord['driver']
  close(): void
}

/** A halt passes through no hands, and what was is changed by none. */
export type HandWord = Exclude<PageWord, { type: 'halt' | 'past' }>
type DriverWord = Extract<RobotWord, { type: 'driver' }>
type EnableWord = Extract<PageWord, { type: 'enable' }>
type DriveWord = Extract<PageWord, { type: 'drive' }>

/** How long a driver's stick may be silent in the middle of a motion, in ms: then it counts as let go (DESIGN §6). */
export const stickMsMax = 200

/** How long a driver may say nothing before somebody else may drive, in ms; less in the middle of a motion (DESIGN §6). */
export const driverMsMax = 2_000
export const movingDriverMsMax = 500

/** How long nobody may take over after somebody let go, in ms: until the wheels have been told, and the last word is void. */
export const handoverMs = 100

/** How old the world may be that a page has heard when it says that its device is held, in ms: it is told each 100 ms. */
export const seenMsMax = 300

/** What hands are laid on. */
export interface Grip {
  readonly robot: Steered
  readonly clock: Clock
  /** How long ago the world of that moment was told to the pages, in ms. */
  ageOf(atMs: number): number
  /** Called when somebody begins or ends to drive. */
  changed(): void
  /** Something in here failed that should not have. */
  failed(cause: string): void
}

/**
 * At most one page steers. It stops doing so when it lets go, falls silent or goes away, and whenever the robot is not
 * driven by hand any more.
 */
export function createHands({ robot, clock, ageOf, changed, failed }: Grip): Hands {
  let driver: Visitor | undefined
  let timers: readonly number[] = []
  let isMoving = false
  /** Whoever begins, or fell silent in the middle of a motion, has to be seen at zero before he moves anything. */
  let mustRest = true
  let lastSequence = -1
  let letGoMs = Number.NEGATIVE_INFINITY
  /** What the robot calls the enabling devices of pages that have one. */
  const devices = new Map<Visitor, string>()
  let devicesCount = 0

  const wind = () => {
    for (const timer of timers) clock.clearTimeout(timer)
    timers = driver
      ? [
          clock.setTimeout(contained(failed, letGo), isMoving ? movingDriverMsMax : driverMsMax),
          ...(isMoving ? [clock.setTimeout(contained(failed, stopMoving), stickMsMax)] : []),
        ]
      : []
  }
  const seat = (page: Visitor | undefined) => {
    driver = page
    letGoMs = clock.now()
    isMoving = false
    mustRest = true
    lastSequence = -1
    wind()
    changed()
  }
  const letGo = () => {
    if (!driver) return
    // What was said last may not outlive its driver, not even where nobody can be told that he has let go.
    robot.drive(STILL)
    robot.send({ type: 'robot.release' })
    if (driver) seat(undefined)
  }
  const stopMoving = () => {
    isMoving = false
    mustRest = true
    robot.drive(STILL)
  }
  const forget = robot.onState(
    contained(failed, (state) => {
      if (driver && state !== 'active.manual') seat(undefined)
    }),
  )

  const takeOver = (page: Visitor): string | undefined => {
    if (driver === page) return undefined
    if (driver) return 'takeOver: another page drives; it has to let go first'
    if (!(clock.now() - letGoMs >= handoverMs)) {
      return 'takeOver: somebody has only just let go; say it again'
    }
    const taken = robot.send({ type: 'robot.takeOver' })
    if (!taken.ok) return taken.message
    seat(page)
    return undefined
  }
  const release = (page: Visitor): string | undefined => {
    if (driver !== page) return 'release: this page does not drive'
    letGo()
    return undefined
  }
  const drive = (page: Visitor, { linear, angular, sequence }: DriveWord): string | undefined => {
    if (driver !== page) return 'drive: take over first'
    if (!(sequence > lastSequence)) return 'drive: a younger word was heard already'
    lastSequence = sequence
    const isAtRest = isStill({ linear, angular })
    if (mustRest && !isAtRest) return 'drive: let go of the stick first: it was not seen at zero'
    // Each page counts its own words: the next one to drive begins anew.
    const verdict = robot.drive({ linear, angular })
    mustRest = false
    isMoving = verdict.permitted && !isAtRest
    wind()
    return verdict.permitted ? undefined : `drive: ${verdict.message}`
  }

  const enable = (page: Visitor, { held, seenMs }: EnableWord): undefined => {
    // What was held up on its way says nothing of the hand as it is now. That it was let go counts whenever it is heard.
    if (held && !(ageOf(seenMs) <= seenMsMax)) return
    const device = devices.get(page) ?? `page ${++devicesCount}`
    devices.set(page, device)
    robot.enable(device, held)
  }

  return {
    take(page, word) {
      if (word.type === 'enable') return enable(page, word)
      if (word.type === 'takeOver') return takeOver(page)
      if (word.type === 'release') return release(page)
      if (word.type === 'drive') return drive(page, word)
      const sent = robot.send(orderOf(word))
      return sent.ok ? undefined : sent.message
    },
    hear(page) {
      // In the middle of a motion only the stick itself shows that somebody holds it.
      if (page === driver && !isMoving) wind()
    },
    leave(page) {
      if (page === driver) letGo()
      const device = devices.get(page)
      devices.delete(page)
      if (device !== undefined) robot.enable(device, false)
    },
    driverFor: (page) => (driver === undefined ? 'nobody' : driver === page ? 'you' : 'another'),
    close() {
      forget()
      letGo()
      for (const device of devices.values()) robot.enable(device, false)
      devices.clear()
    },
  }
}

function orderOf(
  word: Exclude<HandWord, { type: 'takeOver' | 'release' | 'drive' | 'enable' }>,
): Exclude<Order, { type: 'robot.takeOver' | 'robot.release' }> {
  switch (word.type) {
    case 'reset':
      return { type: 'robot.reset' }
    case 'arm':
      return { type: 'robot.arm', epoch: word.epoch }
    case 'resume':
      return { type: 'robot.resume' }
    case 'pause':
      return { type: 'robot.pause' }
    case 'goal':
      return { type: 'robot.goal', text: word.text }
    case 'answer':
      return { type: 'robot.answer', id: word.id, text: word.text }
  }
}
