import { filter, firstValueFrom, map, type Observable } from 'rxjs'
import { fromPromise, type PromiseActorLogic } from 'xstate'
import type { Repetition } from '../core/rules/loop.ts'
import type { Sighting } from '../core/space/world.ts'
import { MechosError } from '../core/vocabulary/errors.ts'
import type { Proposal } from '../core/vocabulary/intent.ts'
import type { Recollection } from '../core/vocabulary/memory.ts'
import type { Observation } from '../core/vocabulary/observation.ts'
import type { Verdict } from '../core/vocabulary/verdict.ts'
import type { Decision, Orientation } from '../machines/agent.machine.ts'
import type { Claim } from '../machines/kernel.machine.ts'

/** Whatever proposes what to do next: a behaviour tree, a model, a script in a test. */
export interface Brain {
  readonly name: string
  /** Rejects with a MechosError when it has nothing to propose; stops working when `signal` aborts. */
  decide(observation: Observation, signal: AbortSignal): Promise<Proposal>
}

/** A verdict with the claim that it answers. */
export interface Judgement {
  readonly claim: Claim
  readonly verdict: Verdict
}

/** How long to wait, in ms, for sensors that are still silent; then what there is must do. */
const warmUpMs = 500

/**
 * Looks around: the world as it is sensed now, or, while sensors that guard motion are silent, as soon as they speak,
 * but no later than half a second from now. `ticks` carries the robot's time.
 */
export function observe(
  look: () => Sighting,
  isSensing: () => boolean,
  ticks: Observable<number>,
): PromiseActorLogic<Sighting, void> {
  return fromPromise(async () => {
    const since = look().stampMs
    if (!isSensing()) {
      await firstValueFrom(ticks.pipe(filter((now) => isSensing() || now - since >= warmUpMs)))
    }
    return look()
  })
}

/**
 * Makes sense of a sighting: what a brain is told of it, with the goal and the recent past, and with what is remembered,
 * where there is a memory and somebody who reads it. `recollect` must neither reject nor take long.
 */
export function orient(
  understand: (orientation: Orientation) => Observation,
  recollect?: (seen: Observation) => Promise<Recollection>,
): PromiseActorLogic<Observation, Orientation> {
  return fromPromise(async ({ input }) => {
    const seen = understand(input)
    return recollect ? { ...seen, ...(await recollect(seen)) } : seen
  })
}

/**
 * Asks the brain, or, while that one is passed over because it repeats itself, the fallback. Without a fallback it rejects
 * with ERR_BRAIN_REPEATS then, and the robot holds still.
 */
export function decide(brain: Brain, fallback?: Brain): PromiseActorLogic<Proposal, Decision> {
  return fromPromise(async ({ input: { observation, isFallback }, signal }) => {
    const decider = isFallback ? fallback : brain
    if (decider) return decider.decide(observation, signal)
    throw new MechosError('ERR_BRAIN_REPEATS', complaintAbout(observation.loop))
  })
}

function complaintAbout(loop: Repetition | undefined): string {
  const said = loop ? `: ${loop.times} times ${loop.what} (${loop.outcome})` : ''
  return `the model repeats itself${said}`
}

/** Asks the kernel, and resolves to its verdict on this very claim. */
export function gatekeep(
  ask: (claim: Claim) => void,
  judgements: Observable<Judgement>,
): PromiseActorLogic<Verdict, { proposal: Proposal; epoch: number }> {
  return fromPromise(async ({ input }) => {
    const claim: Claim = {
      source: 'agent',
      intent: input.proposal.intent,
      epoch: input.epoch,
      renewal: false,
    }
    const verdict = firstValueFrom(
      judgements.pipe(
        filter((judgement) => judgement.claim === claim),
        map((judgement) => judgement.verdict),
      ),
    )
    ask(claim)
    return verdict
  })
}
