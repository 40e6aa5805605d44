import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { RobotConfiguration } from '../../core/vocabulary/configuration.ts'
import { until } from '../support/uno/until.ts'

const evidence = z.enum(['measured', 'echoed', 'written', 'none'])

/** What a rover says, a line of JSON each. */
const messageSchema = z.discriminatedUnion('said', [
  z.strictObject({ said: z.literal('loaded') }),
  z.strictObject({ said: z.literal('open'), deadman: z.boolean() }),
  z.strictObject({ said: z.literal('driving') }),
  z.strictObject({
    said: z.literal('halted'),
    atMs: z.number(),
    evidence,
    ms: z.number(),
    perSecond: z.number(),
    refused: z.int(),
  }),
  z.strictObject({ said: z.literal('stalls'), atMs: z.number() }),
  z.strictObject({ said: z.literal('stalled') }),
  z.strictObject({ said: z.literal('told'), evidence, ms: z.number() }),
  z.strictObject({ said: z.literal('closed') }),
])

type Message = z.infer<typeof messageSchema>
type Said<Kind> = Extract<Message, { said: Kind }>

/** What a rover can be told. */
type Word =
  | {
      readonly do: 'open'
      readonly configuration: RobotConfiguration
      readonly port: string
      readonly note: string
    }
  | { readonly do: 'drive' | 'flood' | 'halt' | 'tell' | 'close' }
  | { readonly do: 'stall'; readonly ms: number }

/** A robot in a process of its own (rover.mjs). */
export interface Rover {
  readonly pid: number
  tell(word: Word): void
  /** Resolves to the next message of that kind, if it was not waited for before. Rejects when the process ends without. */
  hears<Kind extends Message['said']>(kind: Kind): Promise<Said<Kind>>
  /** The process of the guardian that it has started. */
  guardianPid(): number
  /** Kills it at once, and resolves when it is gone. */
  kill(): Promise<void>
  /** Lets it end by itself, halted. */
  leave(): Promise<void>
}

const script = fileURLToPath(new URL('rover.mjs', import.meta.url))
const waitMsMax = 20_000
const lastWordsMax = 2_000

/** Starts a rover that loads its modules and then waits. It ends with this process however that ends. */
export function startRover(): Rover {
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'pipe'] })
  const { pid } = child
  if (pid === undefined) throw new Error('the rover did not start')
  const closed = once(child, 'close')
  const unheard: Message[] = []
  const listeners = new Set<() => void>()
  let isOver = false
  let lastWords = ''
  const changed = () => {
    for (const listener of listeners) listener()
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    unheard.push(messageSchema.parse(JSON.parse(line)))
    changed()
  })
  child.stderr.setEncoding('utf8').on('data', (words: string) => {
    lastWords = (lastWords + words).slice(-lastWordsMax)
  })
  // A word to a rover that is gone: whoever waits for its answer hears of its end.
  child.stdin.on('error', () => {})
  child.once('close', () => {
    isOver = true
    changed()
  })

  return {
    pid,
    tell: (word) => void child.stdin.write(`${JSON.stringify(word)}\n`),
    async hears(kind) {
      const indexOf = () => unheard.findIndex(({ said }) => said === kind)
      await until({
        what: () => `the rover says ${kind}; ${complaint(lastWords) || JSON.stringify(unheard)}`,
        condition: () => isOver || indexOf() >= 0,
        on: (listener) => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
        limitMs: waitMsMax,
      })
      const [message] = indexOf() >= 0 ? unheard.splice(indexOf(), 1) : []
      if (!isOfKind(message, kind))
        throw new Error(`the rover ended without saying ${kind}: ${complaint(lastWords)}`)
      return message
    },
    guardianPid: () => childOf(pid),
    async kill() {
      child.kill('SIGKILL')
      await closed
    },
    async leave() {
      child.stdin.end()
      await closed
    },
  }
}

function isOfKind<Kind extends Message['said']>(
  message: Message | undefined,
  kind: Kind,
): message is Said<Kind> {
  return message?.said === kind
}

/** The line of an uncaught error that says what it was. */
function complaint(words: string): string {
  return words.split('\n').find((line) => /^\w*Error\b/.test(line)) ?? words
}

/** The one child of a process. Throws where it has none, or several. */
function childOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  const [child] = children
  if (children.length !== 1 || !child)
    throw new Error(`${pid} has the children "${children.join(' ')}"`)
  return Number(child)
}
