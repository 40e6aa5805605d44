import { MechosError, messageOf } from '../core/vocabulary/errors.ts'
import type { ActuatorCommand, Body } from './body.ts'
import type { Clock } from './clock.ts'

/** Milliseconds without a beat after which the gate trips by itself (DESIGN §6). */
export const beatLimitMs = 300

/** What the gate needs of a body. */
export type Actuators = Pick<Body, 'arm' | 'write' | 'halt' | 'beat'>

/**
 * The only holder of a body's actuators, outside every statechart. Shut until `allow`, and open only as long as beats
 * arrive. `trip` is synchronous, total and idempotent, and latches: no `allow` with the epoch in which it tripped, or an
 * older one, opens it again.
 */
export class MotionGate {
  readonly #actuators: Actuators
  readonly #clock: Clock
  #open = false
  #trippedEpoch = 0
  #epoch = 0
  #beatMs = Number.NEGATIVE_INFINITY
  #causes: readonly string[] = []
  #refused = 0
  #openings = 0

  constructor(actuators: Actuators, clock: Clock) {
    this.#actuators = actuators
    this.#clock = clock
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** Why the gate last tripped; empty when it never did. */
  get causes(): readonly string[] {
    return this.#causes
  }

  /** It tripped, and no younger epoch has opened it since. */
  get isTripped(): boolean {
    return this.#causes.length > 0 && this.#trippedEpoch >= this.#epoch
  }

  /** How often it was opened. What was ordered before it was opened last is of another time, in the same epoch too. */
  get openings(): number {
    return this.#openings
  }

  /** How long ago the last beat was, in ms; Infinity before the first. */
  get beatAgeMs(): number {
    return this.#clock.now() - this.#beatMs
  }

  /** Writes that were refused because the gate was shut. */
  get refused(): number {
    return this.#refused
  }

  /**
   * Arms the body and opens, for an epoch that is younger than the last trip and has had a beat lately; otherwise
   * nothing happens. A body that cannot be armed trips the gate, and its error is thrown on.
   */
  allow(epoch: number): void {
    if (this.#open && epoch === this.#epoch) return
    if (!(epoch > this.#trippedEpoch) || epoch < this.#epoch || !this.#isBeating()) return
    try {
      this.#actuators.arm()
    } catch (error) {
      this.trip(messageOf(error), epoch)
      throw error
    }
    this.#epoch = epoch
    this.#openings += 1
    this.#open = true
  }

  /**
   * Proof that the loop and the root are alive, sent after it went through the root's mailbox. It is handed on to
   * whoever below this process halts the body when there is none.
   */
  beat(stampMs: number): void {
    if (!(stampMs <= this.#clock.now() && stampMs > this.#beatMs)) return
    this.#beatMs = stampMs
    this.#actuators.beat?.()
  }

  /** Trips the gate when the beats have stopped, and says why then. To be asked before each beat: a late one forgives nothing. */
  watch(): string | undefined {
    if (!this.#open || this.#isBeating()) return undefined
    const cause = `the robot's heart stopped for more than ${beatLimitMs} ms`
    this.trip(cause)
    return cause
  }

  /** Shuts without latching: every actuator goes to its safe output and `allow` may open again. */
  shut(): void {
    this.#open = false
    this.#halt()
  }

  /** Shuts and latches the present epoch. Never throws. */
  trip(cause: string, epoch: number = this.#epoch): void {
    this.#open = false
    this.#trippedEpoch = Math.max(this.#trippedEpoch, this.#epoch, epoch)
    this.#causes = [cause]
    this.#halt()
  }

  /** Passes a command on to the body. Throws ERR_GATE_SHUT, counted, when the gate is shut or the beats have stopped. */
  write(command: ActuatorCommand): void {
    if (!this.#open || !this.#isBeating()) {
      this.#refused += 1
      throw new MechosError('ERR_GATE_SHUT', 'the motion gate is shut')
    }
    this.#actuators.write(command)
  }

  #isBeating(): boolean {
    return this.#clock.now() - this.#beatMs <= beatLimitMs
  }

  #halt(): void {
    try {
      this.#actuators.halt()
    } catch (error) {
      // A body's halt must not throw. If one does, the gate is shut all the same, and the cause is kept for the report.
      this.#causes = [...this.#causes, `halting the body failed: ${messageOf(error)}`]
    }
  }
}
