/** A velocity in `base_link` (REP-103): `linear` in m/s, positive forward; `angular` in rad/s, positive to the left. */
export interface Twist {
  readonly linear: number
  readonly angular: number
}

/** Where `base_link` is in a parent frame: metres, and `heading` in radians, counter-clockwise from x, unwrapped. */
export interface Pose {
  readonly x: number
  readonly y: number
  readonly heading: number
}

/** A point in the frame that its holder names, in metres. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** No motion at all. */
export const STILL: Twist = Object.freeze({ linear: 0, angular: 0 })

/** True when neither component moves. NaN is not still. */
export function isStill(twist: Twist): boolean {
  return twist.linear === 0 && twist.angular === 0
}
