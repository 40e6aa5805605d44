import { entrySchema } from './entry.ts'
import { foldPast, noPast, type PastEvent, type PastState } from './past.ts'
import { valueOf } from './text.ts'

/** Where in a record a moment is found, kept while the record is written: nobody has to read all of it for one moment. */
export interface PastIndex {
  /** How far back and how far on the record can be looked at; null while it holds nothing. */
  readonly reach: PastReach | null
  /** Takes in the entry of that number, the next one that was kept. Never throws. */
  add(number: number, text: string): void
  /** The entries up to this one are gone. */
  drop(number: number): void
  /** From where to fold, in order to know a moment: everything that lasts is in its state. Undefined beyond the reach. */
  before(atMs: number): Checkpoint | undefined
}

export interface PastReach {
  /** In ms on the robot's clock. */
  readonly fromMs: number
  readonly toMs: number
  /** The last halts and refusals, oldest first. */
  readonly marks: readonly PastMark[]
}

export interface PastMark {
  readonly atMs: number
  readonly kind: 'halt' | 'refusal'
}

/** What was known before the entry of that number. */
export interface Checkpoint {
  readonly number: number
  readonly state: PastState
}

/** How many checkpoints are kept; with more, every second one goes, and there are half as many from then on. */
export const checkpointsMax = 512
/** There is one after so long, in ms on the robot's clock, or so many entries. */
const everyMs = 2_000
const everyEntries = 5_000
/** One that is folded from is at least so much older: whatever a sensor says at any rate has been said again by then. */
const lookBackMs = 1_000

const marksMax = 200
/** What happens again within this is one mark, in ms. */
const markMs = 1_000

export function createPastIndex(): PastIndex {
  let checkpoints: readonly Checkpoint[] = []
  let marks: readonly PastMark[] = []
  let state = noPast
  let spread = 1

  const isDue = (number: number): boolean => {
    const last = checkpoints.at(-1)
    if (!last) return true
    const isLate = state.atMs - last.state.atMs >= everyMs * spread
    return isLate || number - last.number >= everyEntries * spread
  }
  const keep = (checkpoint: Checkpoint) => {
    checkpoints = [...checkpoints, checkpoint]
    if (checkpoints.length <= checkpointsMax) return
    checkpoints = checkpoints.filter((_, index) => index % 2 === 0)
    spread *= 2
  }
  const mark = (event: PastEvent | undefined, before: PastEvent | undefined) => {
    if (!event || event === before || !isMarked(event)) return
    const { atMs, kind } = event
    const last = marks.findLast((other) => other.kind === kind)
    if (last && atMs - last.atMs < markMs) return
    marks = [...marks, { atMs, kind }].slice(-marksMax)
  }

  return {
    get reach() {
      const [first] = checkpoints
      if (!first) return null
      const fromMs = first.state.atMs
      const toMs = Math.max(fromMs, state.atMs)
      return { fromMs, toMs, marks: marks.filter(({ atMs }) => atMs >= fromMs) }
    },
    add(number, text) {
      if (!isPassing(text)) {
        const before = state.events.at(-1)
        state = foldText(state, text)
        mark(state.events.at(-1), before)
      }
      if (isDue(number + 1)) keep({ number: number + 1, state })
    },
    drop(number) {
      checkpoints = checkpoints.filter((checkpoint) => checkpoint.number > number)
    },
    before(atMs) {
      const [first] = checkpoints
      return checkpoints.findLast(({ state: { atMs: at } }) => at <= atMs - lookBackMs) ?? first
    },
  }
}

/** The state one entry later, of which there is the text. What is no entry changes nothing. */
export function foldText(state: PastState, text: string): PastState {
  // Pictures are large, and nothing of them is shown of the past.
  if (pictures.test(text.slice(0, headCharacters))) return state
  try {
    return foldPast(state, entrySchema.parse(valueOf(text)))
  } catch {
    return state
  }
}

/** Readings are said again and again: they are looked at when somebody looks. The battery is not heard of so often. */
function isPassing(text: string): boolean {
  const head = text.slice(0, headCharacters)
  return passing.test(head) && !head.includes('"kind":"battery"')
}

const headCharacters = 160
const pictures = /^\{"kind":"(?:in|nested)","door":"camera\./
const passing = /^\{"kind":"(?:in|nested)","door":"(?:reading"|camera\.)/

function isMarked(event: PastEvent): event is PastEvent & PastMark {
  return event.kind === 'halt' || event.kind === 'refusal'
}
