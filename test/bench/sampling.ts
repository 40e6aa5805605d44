import { excludedShareMax, samplesMin, type Timings } from './figure.ts'

/** One measurement. */
export interface Sample {
  /** Milliseconds; Infinity for what never came, negative for what was there before its cause. */
  readonly ms: number
  /** How much real time the emulated chip lost meanwhile, or how late it was at the end. */
  readonly slipMs: number
  /** Why there is no measurement, where the robot could not be brought to where it is measured. */
  readonly fault?: string
}

/** What is not counted, before anything is: caches and compilers are cold. */
export const warmUps = 20
/** A chip that lost more than this would be measured instead of the robot. */
export const slipMsMax = 5

/** What was collected. */
export interface Collection<S extends Sample> {
  readonly kept: readonly S[]
  readonly excluded: number
  /** Why each different kind was excluded. */
  readonly remarks: readonly string[]
}

/**
 * Takes `warmUps` samples and forgets them, then samples one after another until 100 count. One with a fault does not,
 * nor one in which the chip slipped or that was over before its cause; when those become more than the permitted share
 * it gives up.
 */
export async function collect<S extends Sample>(
  take: (index: number) => Promise<S>,
): Promise<Collection<S>> {
  const kept: S[] = []
  const remarks = new Set<string>()
  let excluded = 0
  const isHopeless = () => excluded > (samplesMin + excluded) * excludedShareMax
  for (let index = 0; kept.length < samplesMin && !isHopeless(); index++) {
    // oxlint-disable-next-line no-await-in-loop -- samples that ran side by side would disturb each other
    const sample = await take(index)
    const isWarmUp = index < warmUps && sample.fault === undefined
    if (isWarmUp) continue
    const remark = exclusionOf(sample)
    if (remark === undefined) {
      kept.push(sample)
      continue
    }
    excluded++
    remarks.add(remark)
  }
  return { kept, excluded, remarks: [...remarks] }
}

function exclusionOf({ ms, slipMs, fault }: Sample): string | undefined {
  if (fault !== undefined) return fault
  if (!(slipMs <= slipMsMax)) return "the chip's clock slipped"
  if (!(ms >= 0)) return 'it was over before its cause'
  return undefined
}

/** The timings of some samples. */
export function timingsOf({ kept, excluded, remarks }: Collection<Sample>): Timings {
  return { ms: kept.map(({ ms }) => ms), excluded, remarks }
}

/**
 * A delay of at least 0 and below `rangeMs`, another for each sample and the same in each run, evenly spread however
 * many there are: so that a cause meets every phase of whatever has a period.
 */
export function phaseMs(index: number, rangeMs: number): number {
  return ((index * goldenRatio) % 1) * rangeMs
}

const goldenRatio = (Math.sqrt(5) - 1) / 2
