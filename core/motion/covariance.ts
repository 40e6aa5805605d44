/**
 * How unsure a pose is: the covariance of x and y (metres) and heading (radians), in the frame of the pose. It is
 * symmetric, so that each pair stands in it once.
 */
export interface Covariance {
  readonly xx: number
  readonly xy: number
  readonly yy: number
  readonly xHeading: number
  readonly yHeading: number
  readonly headingHeading: number
}

/** How far each wheel has rolled over the ground, in metres. */
export interface Rolled {
  readonly left: number
  readonly right: number
}

/** The half axes of an ellipse in metres, the longer one first, and where that one points, in radians. */
export interface Ellipse {
  readonly major: number
  readonly minor: number
  readonly direction: number
}

/** A pose of which nothing is unsure. */
export const certain: Covariance = Object.freeze({
  xx: 0,
  xy: 0,
  yy: 0,
  xHeading: 0,
  yHeading: 0,
  headingHeading: 0,
})

/**
 * What a wheel's way varies by, in m² for each metre that it has rolled. With encoders: 1 cm after the first metre, for
 * slip and what the encoder misses. Without: 5 cm, since a wheel that was told to roll may not have. A wheel that is
 * worn, or measured wrongly, errs in one direction all the time: that is no noise, and not in here.
 */
export const wheelVariancePerMetre = { measured: 1e-4, commanded: 2.5e-3 } as const

/**
 * How unsure a pose is once the wheels have rolled on from `heading` (radians), each with noise of its own in proportion
 * to its way. Where that is no number any more it stays as it was.
 * Formula: the linearised differential drive of Siegwart, Nourbakhsh and Scaramuzza, Introduction to Autonomous Mobile
 * Robots, §5.2.4: Σ' = Fp·Σ·Fpᵀ + FΔ·ΣΔ·FΔᵀ with ΣΔ = diag(k·|Δr|, k·|Δl|).
 */
export function rolledOn(
  covariance: Covariance,
  { left, right }: Rolled,
  heading: number,
  trackMetres: number,
  variancePerMetre: number,
): Covariance {
  const way = (right + left) / 2
  const middle = heading + (right - left) / trackMetres / 2
  const cos = Math.cos(middle)
  const sin = Math.sin(middle)
  const moved = carriedOn(covariance, -way * sin, way * cos)
  const lean = way / trackMetres
  const ofRight = withNoise(moved, variancePerMetre * Math.abs(right), {
    x: (cos - lean * sin) / 2,
    y: (sin + lean * cos) / 2,
    heading: 1 / trackMetres,
  })
  const next = withNoise(ofRight, variancePerMetre * Math.abs(left), {
    x: (cos + lean * sin) / 2,
    y: (sin - lean * cos) / 2,
    heading: -1 / trackMetres,
  })
  return Object.values(next).every(Number.isFinite) ? next : covariance
}

/** Where x and y are with so many standard deviations: two hold it in 86 % of all cases. */
export function ellipseOf({ xx, xy, yy }: Covariance, sigmas: number): Ellipse {
  const mean = (xx + yy) / 2
  const half = (xx - yy) / 2
  const spread = Math.sqrt(half * half + xy * xy)
  return {
    major: sigmas * Math.sqrt(Math.max(0, mean + spread)),
    minor: sigmas * Math.sqrt(Math.max(0, mean - spread)),
    direction: Math.atan2(xy, half) / 2,
  }
}

/** Fp·Σ·Fpᵀ, where Fp is the identity but for how x and y change with the heading. */
function carriedOn(
  { xx, xy, yy, xHeading, yHeading, headingHeading }: Covariance,
  xByHeading: number,
  yByHeading: number,
): Covariance {
  return {
    xx: xx + 2 * xByHeading * xHeading + xByHeading * xByHeading * headingHeading,
    xy:
      xy + xByHeading * yHeading + yByHeading * xHeading + xByHeading * yByHeading * headingHeading,
    yy: yy + 2 * yByHeading * yHeading + yByHeading * yByHeading * headingHeading,
    xHeading: xHeading + xByHeading * headingHeading,
    yHeading: yHeading + yByHeading * headingHeading,
    headingHeading,
  }
}

/** Σ + v·j·jᵀ, where `by` is j: how the pose changes with the way of one wheel. */
function withNoise(
  covariance: Covariance,
  variance: number,
  by: { readonly x: number; readonly y: number; readonly heading: number },
): Covariance {
  return {
    xx: covariance.xx + variance * by.x * by.x,
    xy: covariance.xy + variance * by.x * by.y,
    yy: covariance.yy + variance * by.y * by.y,
    xHeading: covariance.xHeading + variance * by.x * by.heading,
    yHeading: covariance.yHeading + variance * by.y * by.heading,
    headingHeading: covariance.headingHeading + variance * by.heading * by.heading,
  }
}
