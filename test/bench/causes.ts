import { readFileSync, rmSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { beatMs, silenceMsMax } from '../../drivers/guardian/line.ts'
import { tickMs } from '../../actors/reflex.ts'
import { monotonicMs } from '../support/uno/monotonic.ts'
import { until } from '../support/uno/until.ts'
import type { Rover } from './rover.ts'

/** What the robot, or its guardian, says of a halt: how well it is known to have worked, and how long that took to learn. */
export interface Finding {
  readonly evidence: 'measured' | 'echoed' | 'written' | 'none'
  readonly ms: number
}

/** Something that has been done to a robot in mid-drive. */
export interface Blow {
  /** When it began, as `monotonicMs` counts. */
  readonly atMs: number
  /** What is said of the halt that it caused; undefined where nobody is left to say it. */
  readonly finding: (() => Promise<Finding>) | undefined
}

/** What a blow needs to know. */
export interface Circumstances {
  /** Where a guardian notes how the halt of a dead robot went. */
  readonly note: string
  readonly isWarmUp: boolean
}

/** A cause of a halt, and what is promised of it. */
export interface Cause {
  readonly name: string
  /** From the cause to effective duty 0 on both wheels, in ms. */
  readonly bound: number
  /** How long those who must notice it are allowed to wait before they act, in ms. */
  readonly patienceMs: number
  readonly firmware: 'StandardFirmata' | 'MechosFirmata'
  /** The longest period that the moment of the cause is spread over, in ms. */
  readonly periodMs: number
  /** What the next sample needs: the same robot armed again, its body opened again, or another process. */
  readonly afterwards: 'rearm' | 'reopen' | 'restart'
  strike(rover: Rover, circumstances: Circumstances): Promise<Blow>
}

/** Longer than what is promised of a stall, so that its end is never what stops the wheels in time. */
const stallMs = 400
const floodMsMin = 150
const commandsPerSecondMin = 5_000
const deadmanMs = 500
const noteMsMax = 2_500

/** In the order in which they are measured. */
export const causes: readonly Cause[] = [
  {
    name: 'halt',
    bound: 10,
    patienceMs: 0,
    firmware: 'StandardFirmata',
    periodMs: tickMs,
    afterwards: 'rearm',
    strike: async (rover) => (await halt(rover)).blow,
  },
  {
    name: 'halt-under-flood',
    bound: 10,
    patienceMs: 0,
    firmware: 'StandardFirmata',
    periodMs: tickMs,
    afterwards: 'rearm',
    async strike(rover, { isWarmUp }) {
      rover.tell({ do: 'flood' })
      await delay(floodMsMin)
      const { blow, perSecond } = await halt(rover)
      if (!isWarmUp && !(perSecond >= commandsPerSecondMin)) {
        throw new Error(`${Math.round(perSecond)} commands a second are no flood of 5 000`)
      }
      return blow
    },
  },
  {
    name: 'robot-stalled',
    bound: 350,
    patienceMs: silenceMsMax,
    firmware: 'StandardFirmata',
    periodMs: beatMs,
    afterwards: 'rearm',
    async strike(rover) {
      rover.tell({ do: 'stall', ms: stallMs })
      const { atMs } = await rover.hears('stalls')
      return {
        atMs,
        async finding() {
          await rover.hears('stalled')
          return told(rover)
        },
      }
    },
  },
  {
    name: 'guardian-killed',
    bound: 100,
    patienceMs: 0,
    firmware: 'StandardFirmata',
    periodMs: tickMs,
    afterwards: 'reopen',
    async strike(rover) {
      return { atMs: signal('SIGKILL', rover.guardianPid()), finding: () => told(rover) }
    },
  },
  {
    name: 'guardian-stopped',
    bound: 600,
    patienceMs: silenceMsMax,
    firmware: 'StandardFirmata',
    periodMs: beatMs,
    afterwards: 'reopen',
    async strike(rover) {
      return { atMs: signal('SIGSTOP', rover.guardianPid()), finding: () => told(rover) }
    },
  },
  {
    name: 'robot-killed',
    bound: 50,
    patienceMs: 0,
    firmware: 'StandardFirmata',
    periodMs: tickMs,
    afterwards: 'restart',
    async strike(rover, { note }) {
      rmSync(note, { force: true })
      return { atMs: signal('SIGKILL', rover.pid), finding: () => noted(note) }
    },
  },
  {
    name: 'both-killed',
    bound: 600,
    patienceMs: deadmanMs,
    firmware: 'MechosFirmata',
    periodMs: beatMs,
    afterwards: 'restart',
    async strike(rover) {
      const guardian = rover.guardianPid()
      return { atMs: signal('SIGKILL', rover.pid, guardian), finding: undefined }
    },
  },
]

async function halt(rover: Rover): Promise<{ blow: Blow; perSecond: number }> {
  rover.tell({ do: 'halt' })
  const { atMs, evidence, ms, perSecond } = await rover.hears('halted')
  return { blow: { atMs, finding: () => Promise.resolve({ evidence, ms }) }, perSecond }
}

/** Sends a signal to each of the processes, and answers when the first was about to get it. */
function signal(name: 'SIGKILL' | 'SIGSTOP', ...pids: readonly number[]): number {
  const atMs = monotonicMs()
  for (const pid of pids) process.kill(pid, name)
  return atMs
}

async function told(rover: Rover): Promise<Finding> {
  rover.tell({ do: 'tell' })
  return rover.hears('told')
}

const noteSchema = z.object({
  evidence: z.enum(['measured', 'echoed', 'written', 'none']),
  ms: z.number(),
})

/** What the guardian of a dead robot has left behind. */
async function noted(note: string): Promise<Finding> {
  let text: string | undefined
  await until({
    what: () => `the guardian notes its halt in ${note}`,
    condition: () => (text = readIfThere(note)) !== undefined,
    on(listener) {
      const watcher = watch(dirname(note), listener)
      return () => watcher.close()
    },
    limitMs: noteMsMax,
  })
  return noteSchema.parse(JSON.parse(text ?? 'null'))
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
