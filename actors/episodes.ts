import type { SnapshotFrom } from 'xstate'
import type { Turn } from '../core/memory/episode.ts'
import type { agentMachine } from '../machines/agent.machine.ts'

type AgentSnapshot = SnapshotFrom<typeof agentMachine>

/** A turn that is not over. */
type Open = Omit<Turn, 'ended' | 'judged'> & { readonly judged: string | undefined }

/**
 * Follows an agent through its states and tells of each turn when it is over: what was seen, proposed, and judged, and how
 * it ended. A turn without a proposal is none. Returns what to call with each of the agent's snapshots.
 */
export function episodesOf(hear: (turn: Turn) => void): (agent: AgentSnapshot) => void {
  let open: Open | undefined
  const end = (ended: string) => {
    if (open) hear({ ...open, judged: open.judged ?? ended, ended })
    open = undefined
  }
  return (agent) => {
    const { context } = agent
    const { observation, proposal, standstill } = context
    if (agent.matches('gatekeeping')) {
      if (!observation || !proposal || open?.proposal === proposal) return
      end('cut short')
      open = { observation, proposal, judged: undefined }
    } else if (agent.matches('acting') || agent.matches({ holding: 'awaitingHuman' })) {
      if (open) open = { ...open, judged: judgedBy(agent) }
    } else if (agent.matches({ holding: 'reconsidering' })) {
      end(standstill ?? 'cut short')
    } else if (agent.matches({ holding: 'paused' }) || context.goal !== open?.observation.goal) {
      end('cut short')
    } else {
      end(open?.judged === asked ? answerIn(agent) : 'done')
    }
  }
}

const asked = 'a person was asked'

function judgedBy(agent: AgentSnapshot): string {
  return agent.matches('acting') ? 'permitted' : asked
}

function answerIn({ context: { answers } }: AgentSnapshot): string {
  const last = answers.at(-1)
  return last ? `answered: ${last.answer}` : 'done'
}
