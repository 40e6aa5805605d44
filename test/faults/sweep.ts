import type { Fault } from './faulty.ts'
import { scenarios } from './scenarios.ts'
import { type Injection, type Outcome, perform, type Scenario } from './stage.ts'
import type { Slot } from './slots.ts'

/** A fault and the scenario that uses its slot. */
export interface Trial extends Injection {
  readonly scenario: Scenario
}

export interface Plan {
  readonly trials: readonly Trial[]
  /** Slots of charts, and listeners that were attached, that no scenario uses. */
  readonly unused: readonly string[]
  readonly slots: readonly Slot[]
}

/** As it stands in the list of tests: `agent/actions/giveOrder that throws, since the start`. */
export function titleOf({ slot, fault, since }: Trial): string {
  const verbs = { throw: 'throws', reject: 'rejects', hang: 'hangs', NaN: 'is NaN' }
  return `${slot} that ${verbs[fault]}, since the ${since}`
}

/** Plays every scenario without a fault, and finds for each slot one that uses it. */
export async function planOf(): Promise<Plan> {
  const dry: { scenario: Scenario; outcome: Outcome }[] = []
  for (const scenario of scenarios) dry.push({ scenario, outcome: await perform(scenario) })
  const first = dry[0]
  if (!first) throw new TypeError('no scenario')
  const { slots } = first.outcome
  const used = new Set(dry.flatMap(({ outcome }) => [...outcome.uses.keys()]))
  const trials = [...new Set([...slots.map(({ name }) => name), ...used])].flatMap((slot) =>
    faultsOf(slot, slots, dry).flatMap((fault) =>
      (['start', 'motion'] as const).flatMap((since): Trial[] => {
        const using = dry.filter(({ outcome }) => (outcome.uses.get(slot)?.[since] ?? 0) > 0)
        // What halts a robot that is still anyway shows little.
        const found =
          using.find(({ outcome }) => since === 'motion' && outcome.uses.get(slot)?.isArmed) ??
          using[0]
        return found ? [{ slot, fault, since, scenario: found.scenario }] : []
      }),
    ),
  )
  const known = [
    ...slots.map(({ name }) => name),
    ...dry.flatMap(({ outcome }) => [...outcome.attached]),
  ]
  return { trials, slots, unused: known.filter((name) => !used.has(name)) }
}

function faultsOf(
  slot: string,
  slots: readonly Slot[],
  dry: readonly { outcome: Outcome }[],
): readonly Fault[] {
  const known = slots.find(({ name }) => name === slot)
  if (known) return faultsOfSlot(known)
  if (slot.startsWith('inspection/')) return ['throw']
  const gives = dry.flatMap(({ outcome }) => outcome.gives.get(slot) ?? [])
  if (gives.includes('a promise')) return ['throw', 'reject', 'hang']
  // A clock promises nothing: it calls back, or it does not.
  if (slot.startsWith('clock/')) return slot.endsWith('setTimeout') ? ['throw', 'hang'] : ['throw']
  return gives.includes('a value') ? ['throw'] : ['throw', 'reject']
}

/** Guards, assigners and delays give a value: the compiler refuses an asynchronous one. */
function faultsOfSlot({ kind, form }: Slot): readonly Fault[] {
  if (kind === 'delays') return ['throw', 'NaN', 'hang']
  if (form === 'logic') return ['throw', 'reject', 'hang']
  if (form === 'machine') return ['throw', 'hang']
  return form === 'function' && kind === 'actions' ? ['throw', 'reject'] : ['throw']
}
