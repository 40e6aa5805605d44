import {
  budgetNoteSchema,
  completionSchema,
  reservationSchema,
  settlementSchema,
} from '../core/record/answers.ts'
import {
  causeSchema,
  commandSchema,
  holdSchema,
  nothingSchema,
  stickSchema,
} from '../core/record/arrivals.ts'
import type { Amount, BudgetNote } from '../core/vocabulary/question.ts'
import type { Budget, Totals } from '../actors/budget.ts'
import type { complete } from '../actors/chat.ts'
import type { reserveFor, settleWith } from '../actors/spending.ts'
import type { Tape } from '../actors/tape.ts'
import { tapedBody } from '../actors/taped-body.ts'
import { tapedBrain } from '../actors/taped-brain.ts'
import { tapedCamera } from '../actors/taped-camera.ts'
import { tapedPromise } from '../actors/taped-promise.ts'
import type { Body } from '../drivers/body.ts'
import type { Clock } from '../drivers/clock.ts'
import type { Robot, RobotOptions } from './contract.ts'
import { silence } from './log.ts'
import type { Thinking } from './thinking.ts'

/** Options with body and clock chosen. */
type Outside = RobotOptions & { readonly body: Body; readonly clock: Clock }

/** Everything that a robot is given, behind the doors of a tape. */
export function tapedOptions(tape: Tape, options: Outside): Outside {
  const { beforeMotion, body, brain, cameras, clock, log = silence, onPrompt } = options
  return {
    ...options,
    clock: tape.clock(clock),
    body: tapedBody(tape, body),
    ...(cameras && { cameras: cameras.map((camera) => tapedCamera(tape, camera)) }),
    ...(brain && { brain: tapedBrain(tape, brain) }),
    beforeMotion: () => tape.pass('beforeMotion', () => beforeMotion?.()),
    onPrompt: (messages) => tape.pass('prompt', () => onPrompt?.(messages)),
    log: {
      info: (fields, message) => tape.pass('log', () => log.info(fields, message)),
      warn: (fields, message) => tape.pass('log', () => log.warn(fields, message)),
      error: (fields, message) => tape.pass('log', () => log.error(fields, message)),
    },
  }
}

/** What a robot asks models with, behind the doors of a tape: of the budget the robot hears notes, and nothing else. */
export function tapedThinking(tape: Tape, thinking: Thinking): Thinking {
  const listeners = new Set<(note: BudgetNote) => void>()
  let note: BudgetNote | undefined
  let opened: Budget | undefined
  const hear = tape.arrival<BudgetNote>('budget', budgetNoteSchema, (next) => {
    note = next
    for (const listener of listeners) listener(next)
  })
  const open = async (): Promise<BudgetNote> => {
    await thinking.prepare()
    thinking.opened?.onNote(hear)
    return thinking.opened?.note ?? ample
  }
  return {
    endpoints: thinking.endpoints,
    tariffs: thinking.tariffs,
    profiles: thinking.profiles,
    budget: thinking.budget,
    get opened() {
      return opened
    },
    wallMs: () => thinking.wallMs(),
    async prepare() {
      const first = await tape.ask({ name: 'prepare', schema: budgetNoteSchema, act: open })
      note ??= first
      opened = {
        reserve: (wish, signal) => thinking.budget.reserve(wish, signal),
        settle: (reservation, charge) => thinking.budget.settle(reservation, charge),
        get note() {
          return note ?? ample
        },
        get run() {
          return thinking.opened?.run ?? nothingYet
        },
        get day() {
          return thinking.opened?.day ?? nothingYet
        },
        get month() {
          return thinking.opened?.month ?? nothingYet
        },
        onNote(listener) {
          const entry = (changed: BudgetNote) => listener(changed)
          listeners.add(entry)
          return () => void listeners.delete(entry)
        },
        close: () => thinking.close(),
      }
    },
    close: () =>
      tape.ask({ name: 'closeBudget', schema: nothingSchema, act: () => thinking.close() }),
  }
}

const ample: BudgetNote = { level: 'ample', cause: undefined }
const none: Amount = { tokens: 0, nanoUsd: 0 }
const nothingYet: Totals = { spent: none, assumed: none, debt: none, held: none, limit: none }

/** What the chart of the models calls. */
interface Calls {
  readonly reserve: ReturnType<typeof reserveFor>
  readonly complete: ReturnType<typeof complete>
  readonly settle: ReturnType<typeof settleWith>
}

/** The same behind the doors of a tape. */
export function tapedCalls(tape: Tape, { reserve, complete: call, settle }: Calls): Calls {
  return {
    reserve: tapedPromise(tape, reserve, {
      name: 'reserve',
      schema: reservationSchema,
      outline: ({ endpoint, capTokens }) => ({ endpoint, capTokens }),
    }),
    complete: tapedPromise(tape, call, {
      name: 'complete',
      schema: completionSchema,
      outline: ({ question: { messages }, endpoint, capTokens }) => ({
        endpoint,
        capTokens,
        messages,
      }),
    }),
    settle: tapedPromise(tape, settle, {
      name: 'settle',
      schema: settlementSchema,
      outline: ({ reservation: { id }, outcome: { kind } }) => ({ id, outcome: kind }),
    }),
  }
}

/** What people and programs tell a robot, through the doors of a tape. */
export function tapedRobot(tape: Tape, robot: Robot): Robot {
  const drive = tape.command('drive', stickSchema, ({ linear, angular, sequence }) =>
    robot.drive({ linear, angular }, sequence),
  )
  const enable = tape.command('enable', holdSchema, ({ device, isHeld }) =>
    robot.enable(device, isHeld),
  )
  const halt = tape.command('halt', causeSchema, (cause) => robot.halt(cause))
  return {
    ...robot,
    start: tape.errand('start', () => robot.start()),
    send: tape.command('send', commandSchema, (command) => robot.send(command)),
    drive: ({ linear, angular }, sequence) =>
      drive({ linear, angular, ...(sequence !== undefined && { sequence }) }),
    enable: (device, isHeld) => enable({ device, isHeld }),
    halt: (cause = 'asked to halt') => tape.reply(halt(cause)),
    stop: tape.errand('stop', () => robot.stop()),
  }
}
