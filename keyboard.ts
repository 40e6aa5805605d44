import { wallClock } from './drivers/clock.ts'
import { answerKeys, answerOfKey, type Screen } from './inspector/terminal.ts'
import { whyText } from './inspector/why.ts'
import type { Robot } from './robot/contract.ts'

/** What each key does, for people. */
export const keys =
  'space halts; then r resets, a arms, g goes on; w says why it does not move; q ends; ? shows this'

/** How long a person needs for reading, in ms: a key that comes sooner was not pressed because of what was said. */
const readingMs = 700

/** One key stops it. Only where standard input is a terminal. */
export function listenToKeys(
  robot: Robot,
  view: Screen,
  notices: Notices,
  end: (cause: string, fault: boolean) => void,
): () => void {
  const { stdin } = process
  if (!stdin.isTTY) return () => {}
  const onKey = (chunk: Buffer) => {
    const typed = chunk.toString()
    // Several keys at once come of a process that was busy: one that stops counts wherever it is.
    if (typed.includes('q') || typed.includes('\u0003')) end('asked by key', false)
    else if (typed.includes(' ') || typed === '\u001B') void robot.halt('asked to halt by key')
    else if (!answerByKey(robot, view, notices, typed)) press(robot, view, typed)
  }
  stdin.setRawMode(true)
  stdin.on('data', onKey)
  stdin.on('end', () => end('the terminal is gone', true))
  stdin.resume()
  return () => {
    stdin.off('data', onKey)
    stdin.setRawMode(false)
    stdin.pause()
  }
}

/** What was said to a person, and whether it is too young to have been read. */
export interface Notices {
  isUnread(): boolean
}

/** Says each notice once: on the terminal, with the keys that answer, or on standard error. */
export function sayNotices(robot: Robot, view: Screen, headless: boolean): Notices {
  const clock = wallClock()
  let saidMs = Number.NEGATIVE_INFINITY
  robot.onNotice((line) => {
    if (headless) {
      process.stderr.write(`${line}\n`)
      return
    }
    saidMs = clock.now()
    const { question } = robot.snapshot()
    const answering = question && answerKeys(question)
    view.say(answering ? `${line}; ${answering}` : line)
  })
  return { isUnread: () => clock.now() - saidMs < readingMs }
}

/** True for a key that answers the open question. One that was meant for the question before it does not answer this one. */
function answerByKey(robot: Robot, view: Screen, notices: Notices, key: string): boolean {
  const { question } = robot.snapshot()
  const text = question ? answerOfKey(question, key) : undefined
  if (!question || text === undefined) return false
  if (notices.isUnread()) {
    view.say('too soon: read the question, then press the key again')
    return true
  }
  const answered = robot.send({ type: 'robot.answer', id: question.id, text })
  if (!answered.ok) view.say(answered.message)
  return true
}

function press(robot: Robot, view: Screen, key: string): void {
  const commands = {
    r: { type: 'robot.reset' },
    a: { type: 'robot.arm', epoch: robot.snapshot().epoch },
    g: { type: 'robot.resume' },
  } as const
  if (key === '?') view.say(keys)
  if (key === 'w') view.say(whyText(robot.why()))
  if (key !== 'r' && key !== 'a' && key !== 'g') return
  const answered = robot.send(commands[key])
  if (!answered.ok) view.say(answered.message)
}
