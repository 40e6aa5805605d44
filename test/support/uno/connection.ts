import type { ChildProcessByStdio } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { DutyChange } from './uno.ts'
import { type Message, type Request, messageSchema } from './wire.ts'

/** A request but for its number. */
export type Call = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never

/** What a call may answer. */
export type Answer = number | boolean | undefined

/** The near end of the pipes to the board's process. */
export interface Connection {
  readonly path: string
  /** Rejects with the board's error, or where its process has ended. */
  readonly call: (call: Call) => Promise<Answer>
  readonly onDuty: (listener: (change: DutyChange) => void) => () => void
}

interface Pending {
  readonly resolve: (value: Answer) => void
  readonly reject: (reason: Error) => void
}

/** Resolves when the board has booted; rejects where its process ends before. */
export function connect(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
): Promise<Connection> {
  const pending = new Map<number, Pending>()
  const listeners = new Set<(change: DutyChange) => void>()
  let calls = 0
  let isOpen = true
  let lastWords = ''

  function processEnded() {
    return new Error(`the process of the board has ended: ${lastWords || 'nothing to say'}`)
  }

  function call(request: Call): Promise<Answer> {
    if (!isOpen) return Promise.reject(processEnded())
    const id = ++calls
    return new Promise((resolve, reject) => {
      pending.set(id, { resolve, reject })
      child.stdin.write(`${JSON.stringify({ id, ...request })}\n`)
    })
  }

  function onDuty(listener: (change: DutyChange) => void) {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  function settle(message: Extract<Message, { id: number }>) {
    const waiting = pending.get(message.id)
    pending.delete(message.id)
    if ('error' in message) waiting?.reject(new Error(message.error))
    else waiting?.resolve(message.value)
  }

  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = messageSchema.parse(JSON.parse(line))
      if ('path' in message) resolve({ path: message.path, call, onDuty })
      else if ('duty' in message) for (const listener of listeners) listener(message.duty)
      else settle(message)
    })
    child.stderr.setEncoding('utf8').on('data', (words: string) => {
      lastWords = (lastWords + words).slice(-lastWordsMax)
    })
    // Every call that is lost rejects by itself when the process closes.
    child.stdin.on('error', () => {})
    child.once('error', reject)
    child.once('close', () => {
      isOpen = false
      reject(processEnded())
      for (const waiting of pending.values()) waiting.reject(processEnded())
      pending.clear()
    })
  })
}

/** Enough for an uncaught error and its stack. */
const lastWordsMax = 4000
