import type { Trial } from './sweep.ts'
import type { Outcome } from './stage.ts'

/** Faults after which the robot is not halted by itself, and why that is right. Each is still again once a person halts it. */
export interface Named {
  /** Matches `slot fault since`. */
  readonly faults: RegExp
  /** Where the root is six seconds later. */
  readonly state: RegExp
  /**
   * What is still from the second second on: every output; the wheels, while a relay may stay as the agent has set it;
   * everything in the end, after moving now and then; or nothing, since the fault takes nothing away that motion needs.
   */
  readonly still: 'everything' | 'wheels' | 'in the end' | 'nothing'
  /** Where a person's halt leads; `halted` unless said otherwise. */
  readonly halted?: RegExp
  /** True when no beat reaches the body any more, so that who stands below this process halts it. */
  readonly isSilent?: true
  readonly why: string
}

export const named: readonly Named[] = [
  {
    faults:
      /^robot\/(actions\/(callFor|startDue)|guards\/(isUnclean|isLinked)|delays\/bootLimit) \w+ start$/,
    state: /^failed$/,
    still: 'everything',
    halted: /^failed$/,
    why: 'The root cannot even be begun: `start` rejects, nothing was armed, and there is no state to be halted in.',
  },
  {
    faults: /^clock\/(setTimeout|clearTimeout) throw start$/,
    state: /^failed$/,
    still: 'everything',
    halted: /^failed$/,
    why: 'XState sets its timers outside of every step: a root that cannot is in error. The gate is shut for good.',
  },
  {
    faults: /^(listener\/root\.error|log\/error) \w+ start$/,
    state: /^failed$/,
    still: 'everything',
    halted: /^failed$/,
    why: 'Both are called by nothing but a root that failed before: here one that could not be begun.',
  },
  {
    faults: /^clock\/now throw start$/,
    state: /^not made$/,
    still: 'everything',
    halted: /^not made$/,
    why: 'A robot without a time is not made: `createRobot` throws.',
  },
  {
    faults: /^clock\/setTimeout hang /,
    state: /^(active\.autonomous|booting)$/,
    still: 'nothing',
    isSilent: true,
    why: 'A loop that is not called cannot notice it. The beats stop: guardian and firmware halt the body.',
  },
  {
    faults: /^(board\/actors\/openBody|body\/open) hang start$/,
    state: /^booting$/,
    still: 'everything',
    why: 'It is waited for until `openLimit`, 15 s, and nothing is armed meanwhile.',
  },
  {
    faults: /^board\/actors\/bodyLoss hang start$/,
    state: /^active\.autonomous$/,
    still: 'nothing',
    why: 'A body that tells no loss has not lost anything by that. A lost one refuses writes, which halts.',
  },
  {
    faults: /^guardian\/actors\/watchGuardian hang /,
    state: /^active\.autonomous$/,
    still: 'nothing',
    why: 'What the guardian tells comes after what it did: it has halted the body by itself, and refuses late writes.',
  },
  {
    faults:
      /^(perception\/(actions|guards|actors\/freshness (throw|reject)|actors\/sensor throw)|robot\/actors\/perception throw)/,
    state: /^active\.holding$/,
    still: 'everything',
    why: 'Perception is started again, and the robot holds at once until a person says that it may go on.',
  },
  {
    faults: /^perception\/actors\/freshness hang /,
    state: /^active\.autonomous$/,
    still: 'wheels',
    why: 'The kernel is shown what is stale whether or not perception tells of it: it refuses every motion.',
  },
  {
    faults: /^perception\/actors\/sensor hang start$/,
    state: /^active\.autonomous$/,
    still: 'nothing',
    why: 'The chart of one sensor is for people to look at: what is stale is kept by perception itself.',
  },
  {
    faults: /^perception\/actors\/sensor hang motion$/,
    state: /^active\.holding$/,
    still: 'wheels',
    why: 'The same, in a robot whose lidar falls silent: it is held for that after five seconds.',
  },
  {
    faults: /^agent\/actions\/noteGoal throw motion$/,
    state: /^active\.autonomous$/,
    still: 'nothing',
    why: 'It fails once, at a goal: the order ends, and a new agent goes on. Five failures are forgiven.',
  },
  {
    faults:
      /^agent\/(actions\/(noteAnswer|noteSilence)|guards\/(isApproval|isAnswer)) throw motion$/,
    state: /^active\.autonomous$/,
    still: 'in the end',
    why: 'It fails once, at an answer or at silence: a new agent asks again, and stands still meanwhile.',
  },
  {
    faults: /^(agent\/(actions|guards|delays)|robot\/actors\/agent throw)/,
    state: /^active\.holding$/,
    still: 'in the end',
    why: 'An agent that fails loses its order and is started again, later and later; the sixth failure holds the robot.',
  },
  {
    faults: /^(agent\/actors\/|brain\/)/,
    state: /^active\.autonomous$/,
    still: 'wheels',
    why: 'A step of the loop that fails, or does not end, proposes nothing: without an order nothing moves.',
  },
  {
    faults:
      /^(llm\/(actions\/forgetCall|guards\/(hasNext|hasFailedOften)|actors\/watchBudget) \w+ start|robot\/actors\/llm throw start)$/,
    state: /^active\.autonomous$/,
    still: 'nothing',
    why: 'This robot explores without a model: a chart that it does not ask takes nothing away.',
  },
  {
    faults: /^llm\/(actions\/(noteBudget|noteUnwatched)|guards\/isLevel) throw start$/,
    state: /^active\.autonomous$/,
    still: 'everything',
    why: 'The chart of the model fails as it begins, before there is any motion to hold: its brain has nobody to ask.',
  },
  {
    faults: /^(llm\/(actions|guards|delays)\/|robot\/actors\/llm throw motion)/,
    state: /^active\.holding$/,
    still: 'everything',
    why: 'A chart that has lost count of its calls is not started again: the robot holds for the rest of the run.',
  },
  {
    faults: /^llm\/actors\/watchBudget \w+ motion$/,
    state: /^active\.autonomous$/,
    still: 'everything',
    why: 'A budget that nobody watches counts as exhausted; where it is not even said so, the ledger itself refuses.',
  },
  {
    faults: /^llm\/actors\/(reserve|complete|settle) /,
    state: /^active\.autonomous$/,
    still: 'wheels',
    why: 'A call that fails or does not end is a failed call: the brain has nothing to propose.',
  },
  {
    faults: /^camera\/(open|onFrame|onLost) /,
    state: /^active\.autonomous$/,
    still: 'nothing',
    why: 'Nothing that guards motion sees by a camera.',
  },
]

/** The exception that is made for a trial, if one is. */
export function exceptionFor({ slot, fault, since }: Trial): Named | undefined {
  return named.find(({ faults }) => faults.test(`${slot} ${fault} ${since}`))
}

/** What is wrong with how a trial ended, in words. */
export function complaintsOf(trial: Trial, outcome: Outcome): readonly string[] {
  const exception = exceptionFor(trial)
  const {
    state = /^(halted|off)$/,
    still = 'everything',
    halted = /^(halted|off)$/,
  } = exception ?? {}
  const { stillAfterMs } = outcome
  const stands = {
    everything: stillAfterMs !== undefined && stillAfterMs <= 1_000 && outcome.staysStill,
    wheels: outcome.wheelsStill,
    'in the end': stillAfterMs !== undefined && outcome.isStillAtEnd,
    nothing: true,
  }[still]
  return [
    ...(outcome.atMs === undefined ? ['its slot was not used'] : []),
    ...(stands ? [] : [`${still} was not still: ${String(stillAfterMs)} ms`]),
    ...(exception?.isSilent && outcome.beats > 0 ? [`it beat ${outcome.beats} times`] : []),
    ...(state.test(outcome.state) ? [] : [`it is ${outcome.state}: ${outcome.causes.join('; ')}`]),
    ...(outcome.haltedSafe ? [] : ['a halt left an output that is not safe']),
    ...(halted.test(outcome.haltedState) ? [] : [`a halt left it ${outcome.haltedState}`]),
    ...outcome.uncaught.map((what) => `it reached the process: ${what}`),
  ]
}
