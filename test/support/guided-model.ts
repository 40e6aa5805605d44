import { type Briefing, reply } from './model-server.ts'

/** Where a dock is, as a person would tell it. */
export const dockFact = 'The dock is behind the place where I start: turn left to find it.'

/** Has it stand still for a moment. */
export const shortWait = { type: 'wait', durationMs: 200 }

/** Told where the dock is it keeps that; sent there it turns to where it remembers it, or knows no better than to wait. */
export function guided({ goal, last, may, memories }: Briefing): object {
  if (goal.startsWith('Remember: ')) {
    const isDone = last.some(({ intent }) => intent.startsWith('remember'))
    if (isDone || !may.includes('remember')) return reply('it is kept, or cannot be', shortWait)
    return reply('told so', { type: 'remember', text: goal.slice('Remember: '.length) })
  }
  return memories.some(({ text }) => text.includes('turn left'))
    ? reply('as I remember', { type: 'drive', linear: 0, angular: 1, durationMs: 300 })
    : reply('I do not know where that is', shortWait)
}
