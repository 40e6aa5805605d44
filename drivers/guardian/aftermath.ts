import type { Evidence } from '../body.ts'
import type { Clock } from '../clock.ts'

/** What is done after a halt, and how. */
export interface Remedies {
  readonly clock: Clock
  /** Asks the board whether it is safe; undefined when it did not say so within so many ms. */
  sound(limitMs: number): Promise<Evidence | undefined>
  /** Writes the safe outputs again. */
  rewrite(): void
  /** Whether the last bytes of the halt have left. */
  hasLeft(): boolean
  /** Stronger means, one step further with each call. */
  escalate(step: number): void
  /** Hears each finding that is news. */
  found(evidence: Evidence): void
}

/** Looks after a halt until the next arming. */
export interface Aftermath {
  /** To be called after each halt. */
  begin(): void
  /** Stops looking: the latch is open again, or the port is to be closed. */
  end(): void
  readonly evidence: Evidence
}

const soundMs = 80
const roundMs = 100
const rewriteMs = 1_000
/** Rounds without an answer after which the findings so far are told: two, which is below 200 ms. */
const roundsUntilTold = 2
/** Rounds without an answer between two steps of escalation. */
const roundsPerStep = 3

/**
 * Sounds the board after a halt. Without an answer the safe outputs are written again every 100 ms and the means grow
 * stronger every 300 ms; with one, both go on once a second, so that an output which comes on again is put out.
 */
export function makeAftermath(remedies: Remedies): Aftermath {
  const { clock } = remedies
  let evidence: Evidence = 'none'
  let turn = 0
  let timer: number | undefined

  const tell = (news: Evidence) => {
    if (news === evidence) return
    evidence = news
    remedies.found(news)
  }
  const look = async (mine: number, round: number) => {
    const startedMs = clock.now()
    const answer = await remedies.sound(soundMs)
    if (mine !== turn) return
    if (answer !== undefined) tell(answer)
    else if (round + 1 >= roundsUntilTold) tell(remedies.hasLeft() ? 'written' : 'none')
    const unanswered = answer === undefined ? round + 1 : 0
    const waitMs = answer === undefined ? roundMs - (clock.now() - startedMs) : rewriteMs
    timer = clock.setTimeout(
      () => {
        remedies.rewrite()
        if (unanswered > 0 && unanswered % roundsPerStep === 0) {
          remedies.escalate(unanswered / roundsPerStep)
        }
        void look(mine, unanswered)
      },
      Math.max(1, waitMs),
    )
  }
  const end = () => {
    turn++
    if (timer !== undefined) clock.clearTimeout(timer)
    timer = undefined
  }

  return {
    begin() {
      end()
      evidence = 'none'
      void look(turn, 0)
    },
    end,
    get evidence() {
      return evidence
    },
  }
}
