import type { Evidence } from '../body.ts'
import type { Clock } from '../clock.ts'
import { confirmMsMax, type LineEvent } from './line.ts'

type Finding = Extract<LineEvent, { kind: 'evidence' }>

/** What is known of the halts of one line. */
export interface Answers {
  hear(finding: Finding): void
  /**
   * Resolves as soon as the board is known to have obeyed this halt, or to what is known of it when 190 ms are over.
   * Never rejects.
   */
  evidenceOf(halt: number): Promise<Evidence>
}

/** Nothing is known yet. */
export function makeAnswers(clock: Clock): Answers {
  const waiting = new Set<() => void>()
  let last: Finding = { kind: 'evidence', halt: 0, evidence: 'none' }
  const known = (halt: number): Evidence =>
    halt > 0 && last.halt === halt ? last.evidence : 'none'
  return {
    hear(finding) {
      last = finding
      for (const look of waiting) look()
    },
    evidenceOf(halt) {
      return new Promise((resolve) => {
        const finish = () => {
          waiting.delete(look)
          clock.clearTimeout(timer)
          resolve(known(halt))
        }
        const look = () => {
          if (isAnswer(known(halt))) finish()
        }
        const timer = clock.setTimeout(finish, confirmMsMax)
        waiting.add(look)
        look()
      })
    },
  }
}

/** The board itself has spoken. */
function isAnswer(evidence: Evidence): boolean {
  return evidence === 'echoed' || evidence === 'measured'
}
