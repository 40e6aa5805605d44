import type { Observation } from '../vocabulary/observation.ts'

/** How many of the last answers of people are part of what it is about. */
const answersMax = 2

/** What a moment is about, in words: the goal, and what people have said of late. It changes seldom. */
export function cueTextOf({ answers, goal }: Pick<Observation, 'answers' | 'goal'>): string {
  const said = answers.slice(-answersMax).flatMap(({ question, answer }) => [question, answer])
  return [goal ?? 'explore', ...said].join('\n')
}
