/** The simulated world moves on in steps of this many milliseconds, whatever it is asked, so that runs repeat exactly. */
export const subStepMs = 5

/** The same in seconds. */
export const subStepSeconds = subStepMs / 1000

/** How many sub-steps lie between two samples of a sensor that runs at `hertz`, which must divide 200. */
export function subStepsAt(hertz: number): number {
  const steps = 1000 / subStepMs / hertz
  if (!Number.isInteger(steps)) throw new TypeError(`${hertz} Hz is no whole number of sub-steps`)
  return steps
}
