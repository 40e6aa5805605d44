import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { unfitness } from './core/rules/restrictions.ts'
import type { Configuration } from './core/vocabulary/configuration.ts'
import { messageOf } from './core/vocabulary/errors.ts'
import type { Body, Evidence } from './drivers/body.ts'
import { wallClock } from './drivers/clock.ts'
import { firmataBody } from './drivers/johnny-five/body.ts'

/** Something that was looked at. `bad` keeps the robot from driving; `weak` leaves a gap that its owner should know. */
export interface Finding {
  readonly topic: string
  readonly verdict: 'good' | 'weak' | 'bad'
  readonly says: string
}

/** What `mechos doctor` is to look at. */
export interface DoctorOptions {
  readonly configuration: Configuration
  readonly port: string | undefined
  /** Whether a board that was another robot's is made this one's. */
  readonly adopts: boolean
  readonly stateRoot: string
  readonly json: boolean
  print(line: string): void
}

/** Looks at everything that a robot needs, moves nothing, and resolves to 1 when something is bad. */
export async function examine(options: DoctorOptions): Promise<number> {
  const findings = [
    storeOf(options.stateRoot),
    ...(await boardOf(options)),
    ...sharedFateOf(options.configuration),
  ]
  if (options.json) options.print(JSON.stringify({ findings }))
  else
    for (const { topic, verdict, says } of findings)
      options.print(`${marks[verdict]} ${topic}: ${says}`)
  return findings.some(({ verdict }) => verdict === 'bad') ? 1 : 0
}

const marks = { good: 'ok  ', weak: 'WEAK', bad: 'BAD ' } as const

function storeOf(stateRoot: string): Finding {
  try {
    mkdirSync(stateRoot, { recursive: true, mode: 0o700 })
    accessSync(stateRoot, constants.W_OK)
    return { topic: 'store', verdict: 'good', says: stateRoot }
  } catch (error) {
    return {
      topic: 'store',
      verdict: 'bad',
      says: `${stateRoot} cannot be written: ${messageOf(error)}`,
    }
  }
}

/** Opens the board as a run does, latched, and lets go of it again. */
async function boardOf({
  adopts,
  configuration,
  port,
}: DoctorOptions): Promise<readonly Finding[]> {
  const { body: declared, acceptNoDeadman } = configuration
  if (declared.kind !== 'firmata') {
    return [{ topic: 'body', verdict: 'good', says: 'simulated: there is no board to look at' }]
  }
  const path = port ?? declared.port
  if (path === undefined) {
    return [{ topic: 'port', verdict: 'bad', says: 'missing; --port PATH of the board' }]
  }
  const body = firmataBody(configuration, { port: path, clock: wallClock(), adopts })
  try {
    const { firmware, deadman } = await body.open()
    const evidence = await haltEvidence(body)
    const unfit = unfitness(configuration, { simulated: false, deadman })
    return [
      { topic: 'port', verdict: 'good', says: `${path}, held by a guardian process` },
      unfit === undefined
        ? { topic: 'firmware', verdict: 'good', says: firmware }
        : { topic: 'firmware', verdict: 'bad', says: `${firmware}: ${unfit}` },
      {
        topic: 'halt',
        verdict: evidence === 'none' ? 'bad' : evidence === 'measured' ? 'good' : 'weak',
        says: evidenceWords[evidence],
      },
      deadmanOf(deadman, acceptNoDeadman),
    ]
  } catch (error) {
    return [{ topic: 'board', verdict: 'bad', says: messageOf(error) }]
  } finally {
    await body.close()
  }
}

/** How often the board is asked before its silence is believed: a computer that is busy answers for it, late. */
const haltsMax = 5

async function haltEvidence(body: Body): Promise<Evidence> {
  let evidence: Evidence = 'none'
  for (let halts = 0; halts < haltsMax; halts++) {
    body.halt()
    evidence = await body.confirm()
    if (evidence === 'echoed' || evidence === 'measured') break
  }
  return evidence
}

const evidenceWords = {
  measured: 'measured: the board reported its pin registers, and every output is safe',
  echoed:
    'echoed: the firmware says that it obeyed, which is what it remembers; it cannot look at its own pins. Every screen will say HALTED, NOT CONFIRMED',
  written: 'written: the bytes have left, the board did not answer',
  none: 'none: the board did not take a halt',
} as const

function deadmanOf(deadman: boolean, isAccepted: boolean): Finding {
  if (deadman) {
    return {
      topic: 'deadman',
      verdict: 'good',
      says: 'the board stops by itself after 500 ms of silence, and boots latched with safe outputs',
    }
  }
  const lost =
    'none: if this computer loses power, or robot and guardian die together, or the cable is pulled, the motors go on as they were. Flash MechosFirmata (docs/firmware.md)'
  return isAccepted
    ? { topic: 'deadman', verdict: 'weak', says: `${lost}. Accepted: 0.25 m/s at most` }
    : {
        topic: 'deadman',
        verdict: 'bad',
        says: `${lost}, or set acceptNoDeadman: true to drive at 0.25 m/s at most`,
      }
}

/** Where one kill ends both the robot and its guardian, only a deadman is left. */
function sharedFateOf({ body }: Configuration): readonly Finding[] {
  if (body.kind !== 'firmata') return []
  const where = sharedFate()
  const says =
    where === undefined
      ? 'robot and guardian are separate processes in separate sessions'
      : `${where}: what ends it ends robot and guardian together, and then only a deadman on the board stops the motors`
  return [{ topic: 'guardian', verdict: where === undefined ? 'good' : 'weak', says }]
}

/** What would take both processes along, in words; undefined where nothing is known of any. */
function sharedFate(): string | undefined {
  if (existsSync('/.dockerenv') || existsSync('/run/.containerenv')) return 'this is a container'
  const group = readLine('/proc/self/cgroup')
  if (group !== undefined && /\.service\b/.test(group) && !/user@\d+\.service/.test(group)) {
    return `this is a systemd service (${group.slice(group.lastIndexOf('/') + 1)})`
  }
  const first = readLine('/proc/1/comm')
  return first !== undefined && !inits.includes(first)
    ? `this is a process namespace whose first process is ${first}`
    : undefined
}

const inits = ['systemd', 'init', 'runit', 's6-svscan', 'openrc-init', 'launchd']

function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').split('\n')[0]
  } catch {
    // Not Linux, or not to be looked at: then nothing is claimed.
    return undefined
  }
}
