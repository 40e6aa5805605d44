import type { Condition, Why } from '../core/vocabulary/why.ts'
import { printable } from './terminal.ts'

/** Many lines, for `mechos why`: whether it moves, why it stopped, what is in the way, and the way to motion. */
export function whyText(why: Why): string {
  const unmet = why.conditions.filter(({ isMet }) => !isMet)
  const met = why.conditions.filter(({ isMet }) => isMet)
  const isClear = why.moves || (why.way?.length === 0 && unmet.length === 0)
  const lines = [
    headline(why),
    ...(unmet.length > 0 ? [isClear ? 'not as it might be:' : 'in the way:'] : []),
    ...unmet.map((condition) => `  ${conditionLine(condition)}`),
    ...(met.length > 0 ? [`as it should be: ${met.map(brief).join(', ')}`] : []),
    ...wayLines(why),
  ]
  return lines.map(printable).join('\n')
}

function headline({ name, state, moves, stopped, way }: Why): string {
  const where = state.replace('active.', '')
  if (moves) return `${name} moves: it is ${where}`
  const causes = stopped.causes.length > 0 ? `: ${stopped.causes.join('; ')}` : ''
  return way?.length === 0
    ? `${name} is ${where} and may move, but stands still now${causes}`
    : `${name} does not move: it is ${where}${causes}`
}

function conditionLine({ what, value, limit, liftedBy, command }: Condition): string {
  const help = command === null ? liftedBy : `${liftedBy}, by ${command}`
  return `${what}: ${value ?? 'none'}, must be ${limit ?? 'some'}; lifted by ${help}`
}

function brief({ what, value, limit }: Condition): string {
  return typeof limit === 'number'
    ? `${what} ${value ?? 'none'} of ${limit}`
    : `${what} ${value ?? ''}`
}

function wayLines({ moves, name, way }: Why): readonly string[] {
  if (way === null) {
    return ['nobody can make it move again: end this run and begin another']
  }
  if (moves || way.length === 0) return []
  const steps = way.map((step, index) => {
    const what = 'command' in step ? step.command : `wait until ${step.waitFor}`
    return `  ${index + 1}. ${what}`
  })
  return [`the way to motion, when all are clear of ${name}:`, ...steps]
}
