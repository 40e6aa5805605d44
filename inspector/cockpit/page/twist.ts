import { STILL, type Twist } from '../../../core/vocabulary/geometry.ts'

/** How fast a hand may drive: m/s and rad/s at the end of its way. */
export interface Reach {
  readonly linear: number
  readonly angular: number
}

/** The keys that drive, by their place on the keyboard, whatever is printed on them. */
const directions: ReadonlyMap<string, { readonly ahead: number; readonly left: number }> = new Map([
  ['ArrowUp', { ahead: 1, left: 0 }],
  ['KeyW', { ahead: 1, left: 0 }],
  ['ArrowDown', { ahead: -1, left: 0 }],
  ['KeyS', { ahead: -1, left: 0 }],
  ['ArrowLeft', { ahead: 0, left: 1 }],
  ['KeyA', { ahead: 0, left: 1 }],
  ['ArrowRight', { ahead: 0, left: -1 }],
  ['KeyD', { ahead: 0, left: -1 }],
])

/** True for a key that drives. */
export function isDriveKey(code: string): boolean {
  return directions.has(code)
}

/** What the keys that are held want; two that say the same say it once, and two that disagree say nothing. */
export function twistOfKeys(held: Iterable<string>, reach: Reach): Twist {
  const wanted = [...held].flatMap((code) => directions.get(code) ?? [])
  const ahead = Math.sign(wanted.reduce((sum, direction) => sum + direction.ahead, 0))
  const left = Math.sign(wanted.reduce((sum, direction) => sum + direction.left, 0))
  return scaled(ahead, left, reach)
}

/** What a stick wants that is `right` and `up` of its middle, as shares of its way; near the middle it wants nothing. */
export function twistOfStick(right: number, up: number, reach: Reach): Twist {
  const length = Math.hypot(right, up)
  if (!(length >= deadShare && length < Infinity)) return STILL
  const share = Math.min(1, (length - deadShare) / (1 - deadShare)) / length
  return scaled(up * share, -right * share, reach)
}

/** A gamepad's left stick, whose axes are positive to the right and down. */
export function twistOfGamepad(axes: readonly number[], reach: Reach): Twist {
  const [right = 0, down = 0] = axes
  return twistOfStick(right, -down, reach)
}

/** The share of a stick's way that is as good as nothing. */
const deadShare = 0.12

/** A negative zero is one, too: it would be told as a zero. */
function scaled(ahead: number, left: number, { linear, angular }: Reach): Twist {
  return { linear: ahead * linear + 0, angular: left * angular + 0 }
}
