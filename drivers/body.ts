import type { Pose } from '../core/vocabulary/geometry.ts'
import type { Reading } from '../core/vocabulary/reading.ts'

/** What a body is told to do. Wheel speeds are in rad/s at the axle, positive forward; servo angles in radians. */
export type ActuatorCommand =
  | { readonly kind: 'wheels'; readonly left: number; readonly right: number }
  | { readonly kind: 'relay'; readonly name: string; readonly on: boolean }
  | { readonly kind: 'servo'; readonly name: string; readonly radians: number }

/** What one actuator puts out now: a wheel's effort from -1 to 1, a relay's 0 or 1, a servo's radians (null: released). */
export interface ActuatorOutput {
  readonly name: string
  readonly output: number | null
  /** True while the output is the one that was declared for a halt. */
  readonly safe: boolean
}

/**
 * How well a halt is known to have worked, best first. `measured`: the pins or the wheels themselves were looked at.
 * `echoed`: the firmware answered after the whole halt frame. `written`: the bytes left this machine. `none`: not even that.
 */
export type Evidence = 'measured' | 'echoed' | 'written' | 'none'

/** What a body says of itself once it is open. */
export interface BodyFacts {
  /** Name and version of the firmware, or what stands in for it. */
  readonly firmware: string
  /** True when something below this process stops the motors by itself after 500 ms of silence. */
  readonly deadman: boolean
}

/** What is known of the process that holds a body's ports. */
export type GuardianFact =
  | { readonly kind: 'starting' }
  | { readonly kind: 'guarding' }
  /** It has halted the hardware by itself, and keeps it halted until it is armed again. */
  | { readonly kind: 'tripped'; readonly cause: string }
  | { readonly kind: 'lost'; readonly cause: string }
  /** It has been let go of. */
  | { readonly kind: 'gone' }

/** What only a simulated body knows: where it really is, how far it really went, what it really touched. */
export interface Truth {
  readonly pose: Pose
  readonly distanceMetres: number
  readonly collisions: number
}

/**
 * A robot's hardware, or what stands in for it. Drivers keep it small so that anyone can bring one.
 *
 * While a body is not armed it moves nothing, whatever it is told. `halt` is synchronous, total and idempotent:
 * it puts every actuator at its declared safe output, disarms the body, and never throws. A write after it is
 * refused with ERR_GATE_SHUT until `arm` is called again.
 */
export interface Body {
  readonly kind: 'simulated' | 'firmata' | 'custom'
  /** What it reports beside the sensors that the configuration declares. Motion needs `encoders` fresh where they are named here. */
  readonly senses?: readonly ('encoders' | 'imu' | 'battery')[]
  /** Opens ports and waits until the hardware has reported itself. Rejects with a MechosError; may be called again after a loss. */
  open(): Promise<BodyFacts>
  /** Puts safe outputs on the pins, then makes them outputs, and accepts writes from now on. Throws when it cannot. */
  arm(): void
  /** Throws ERR_GATE_SHUT when not armed, ERR_COMMAND_REFUSED when the command is not finite or names no part of this body. */
  write(command: ActuatorCommand): void
  halt(): void
  /** Says how well the last halt is known to have worked. Resolves within 200 ms and never rejects. */
  confirm(): Promise<Evidence>
  outputs(): readonly ActuatorOutput[]
  /** Listeners are called for each reading, stamped on the clock that the body was made with. Returns how to stop. */
  onReading(listener: (reading: Reading) => void): () => void
  /** Called once for each loss after a successful `open`. Returns how to stop. */
  onLost?(listener: (cause: string) => void): () => void
  /** Proof of life, for whoever below this process halts the hardware when there is none. Called about 50 times a second while the robot's loop and its root are alive. */
  beat?(): void
  /** Tells of whoever that is; a body without one has none of this. Returns how to stop. */
  onGuardian?(listener: (fact: GuardianFact) => void): () => void
  /** A simulated body moves its world on by this much; called once a tick, before anything decides. */
  step?(milliseconds: number): void
  truth?(): Truth
  /** Halts and lets go of every port. Idempotent. */
  close(): Promise<void>
}
