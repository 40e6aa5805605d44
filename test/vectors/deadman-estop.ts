import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createActor, getInitialSnapshot, transition } from 'xstate'
import { z } from 'zod'
import {
  hearWord,
  lookAt,
  makeSources,
  type SourceRule,
  type Sources,
} from '../../core/motion/sources.ts'
import { blockersOf, climb, foot } from '../../core/rules/failsafe.ts'
import type { Twist } from '../../core/vocabulary/geometry.ts'
import type { Scene } from '../../core/vocabulary/scene.ts'
import type { Verdict } from '../../core/vocabulary/verdict.ts'
import { frames, haltFrame, splitFrames } from '../../drivers/guardian/frames.ts'
import type { PinRule } from '../../drivers/guardian/pin-table.ts'
import { kernelMachine } from '../../machines/kernel.machine.ts'
import { robotMachine } from '../../machines/robot.machine.ts'
import { robotInput } from '../machines/robot.input.ts'
import { type Binding, type Finding, near, same, strictly } from './binding.ts'

const happening = z.record(z.string(), z.unknown())
const timeline = z.strictObject({
  name: z.string(),
  source: z.string(),
  peer: z.string(),
  must_beat_peer: z.boolean(),
  events: z.array(happening).min(1),
})
type Happening = z.output<typeof happening>

/** deadman_estop.json: what each timeline expects in words, looked for in the product. */
export const deadmanEstop: Binding = {
  file: 'deadman_estop.json',
  title: 'Deadman, e-stop, halt and re-arm timelines',
  neighbours: [
    'limits.command timeout',
    'limits.recommended',
    'iec_60204_1_stop_categories.0',
    'iec_60204_1_stop_categories.1',
    'iec_60204_1_stop_categories.2',
  ],
  sections: {
    timelines: strictly(timeline, ({ name, events }) => {
      const told = events.filter((event) => 'expect' in event)
      if (told.length === 0) return ['the timeline expects nothing']
      const findings = told.map((event) => judged(String(event['expect']), events, event))
      const unbound = findings.find((finding) => 'unbound' in finding)
      if (unbound && bound.includes(name)) return Object.values(unbound)
      return unbound ?? findings.flatMap((finding) => ('unbound' in finding ? [] : finding))
    }),
  },
}

/** Timelines of which every expectation is bound: one that is not understood was changed. */
const bound: readonly string[] = [
  'session without heartbeat stops what it moved last',
  'a sensor read does not claim a motor',
  'one stop that hangs does not delay the others',
  'a stop that reports success but wrote nothing is caught',
  'SIGKILL stops motors',
  'heartbeat alive but commands stale',
  'e-stop overrides every mode',
  're-arm refused while the cause stands',
  'command queued before the halt is not run after it',
  'duplicate or reordered command',
  'a stick that falls silent',
  'nothing said, nothing stopped',
  'a brain that falls silent',
  'halted from everywhere',
  'words out of order',
  'a door that is still open',
]

const operator: SourceRule = { name: 'operator', priority: 100, timeoutMs: 200, mustRest: false }
const agent: SourceRule = { name: 'agent', priority: 10, timeoutMs: 500, mustRest: false }
const forward: Twist = { linear: 0.2, angular: 0 }

/** What the timelines expect, each in the words of the file, with how it is looked for. */
function judged(expected: string, events: readonly Happening[], event: Happening): Finding {
  const atMs = Number(event['t_ms'])
  if (expected === 'left motor stopped, session gone') return silenceStops(operator, atMs)
  if (expected === 'm untouched') return nothingWasSaid(atMs)
  if (expected === 'zero') return silenceStops(agent, atMs)
  if (expected === 'halted') return haltsEverywhere()
  if (expected === 'queue empty') return queueIsVoid(events)
  if (expected === 'refused, reason given') return resetIsRefused(events)
  const [, motor, within] = /^(\w+) stopped within (\d+) ms$/.exec(expected) ?? []
  if (motor !== undefined) return stopsTogether(motor, Number(within))
  const [, speed] = /^v=(-?[\d.]+)$/.exec(expected) ?? []
  if (speed !== undefined) return lastInOrder(events, Number(speed))
  const [, killed] = /^guardian writes zero \+ 0xFF within (\d+) ms$/.exec(expected) ?? []
  if (killed !== undefined) return guardianStops(Number(killed))
  if (expected.startsWith('readback differs from zero: escalate')) return haltIsDoubted()
  return { unbound: `nobody has bound "${expected}"` }
}

/** A source that says nothing more has the robot told to stop, once, and nobody commands. */
function silenceStops(rule: SourceRule, atMs: number): string[] {
  let sources = says(makeSources([rule]), rule.name, forward, 0)
  let zeros = 0
  for (let now = 0; now < atMs; now += 20) {
    const looked = lookAt(sources, now)
    sources = looked.sources
    zeros += looked.command.zero ? 1 : 0
  }
  const { command } = lookAt(sources, atMs)
  zeros += command.zero ? 1 : 0
  return [
    ...near('zeros said', zeros, 1, 0),
    ...near('speed', command.twist.linear, 0, 0),
    ...same('who commands', command.source ?? 'nobody', 'nobody'),
  ]
}

function nothingWasSaid(atMs: number): string[] {
  const { command } = lookAt(makeSources([operator]), atMs)
  return [
    ...same('a zero', command.zero, false),
    ...same('who commands', command.source ?? 'nobody', 'nobody'),
  ]
}

/** The stops of all motors are one write, which waits for none of them. */
function stopsTogether(motor: string, withinMs: number): string[] {
  const pins = ['m1', 'm2'].map((part, index): PinRule => {
    return { kind: 'pwm', pin: 3 + index * 8, part, safe: 0 }
  })
  const bytes = haltFrame({ pins })
  const wireMs = bytes.length / 5.76
  const stopped = splitFrames('outbound').push(bytes).map(String)
  const rule = pins.find(({ part }) => part === motor)
  return [
    ...same(
      'its stop is in the one write',
      stopped.includes(String(frames.analog(rule?.pin ?? 127, 0))),
      true,
    ),
    ...same('in time', wireMs <= withinMs, true),
  ]
}

const scene = z.strictObject({
  wasDriving: z.literal(true),
  zeroMs: z.number(),
  resetMs: z.number(),
  lineResets: z.number(),
  evidence: z.string(),
})
let played: z.output<typeof scene> | undefined

/** The guardian's part, played in a process of its own, since it takes time to play. */
function guardianScene(): z.output<typeof scene> {
  if (!played) {
    const path = fileURLToPath(new URL('./guardian-scene.ts', import.meta.url))
    const cwd = fileURLToPath(new URL('../..', import.meta.url))
    const line = ['--import', 'tsx', path]
    const { stdout, stderr } = spawnSync(process.execPath, line, { cwd, encoding: 'utf8' })
    if (stdout === '') throw new Error(stderr)
    played = scene.parse(JSON.parse(stdout))
  }
  return played
}

function guardianStops(withinMs: number): string[] {
  const { zeroMs, resetMs } = guardianScene()
  return [
    ...same('zero in time', zeroMs <= withinMs, true),
    ...same('0xFF in time', resetMs <= withinMs, true),
  ]
}

function haltIsDoubted(): string[] {
  const { resetMs, lineResets, evidence } = guardianScene()
  return [
    ...same('a reset is written', resetMs > 0, true),
    ...near('resets by the line', lineResets, 1, 0),
    ...same('evidence', evidence, 'written'),
  ]
}

/** From every state of the root, one event leads to `halted`. */
function haltsEverywhere(): string[] {
  const root = robotMachine
  const start = getInitialSnapshot(root, robotInput)
  const context = { ...start.context, linked: true, absent: [] }
  const states = [
    'booting',
    'standby',
    { active: 'holding' },
    { active: 'autonomous' },
    { active: 'manual' },
    'halted',
  ] as const
  return states.flatMap((value) => {
    const from = root.resolveState({ value, context })
    const [next] = transition(root, from, { type: 'robot.halt', cause: 'emergency stop' })
    return same(`after ${JSON.stringify(value)}`, JSON.stringify(next.value), '"halted"')
  })
}

const surroundings: Scene = {
  footprintMetres: 0.1,
  obstacles: [],
  sectors: [{ facing: 0, halfAngle: Math.PI, whole: true }],
  stale: [],
  blindCreep: true,
}

/** What was asked for before a halt is refused after the next arm, by the epoch that it carries. */
function queueIsVoid(events: readonly Happening[]): string[] {
  const queue = z.array(z.string()).parse(events.find((event) => 'queue' in event)?.['queue'])
  const { limits } = robotInput.rules
  const kernel = createActor(kernelMachine, {
    input: { rules: { limits }, grants: new Set(['drive']) },
  }).start()
  const verdicts: Verdict[] = []
  kernel.on('kernel.verdict', ({ verdict }) => verdicts.push(verdict))
  const ask = (epoch: number) => {
    const intent = { type: 'drive', ...forward, durationMs: 500 }
    const claim = { source: 'agent', intent, epoch, renewal: false } as const
    kernel.send({ type: 'kernel.judge', claim, scene: surroundings })
  }
  kernel.send({ type: 'kernel.open', epoch: 2 })
  ask(2)
  kernel.send({ type: 'kernel.lock' })
  kernel.send({ type: 'kernel.open', epoch: 4 })
  queue.forEach(() => ask(2))
  kernel.stop()
  const said = verdicts.map((verdict) => (verdict.permitted ? 'permitted' : verdict.rule))
  const expected = ['permitted', ...queue.map(() => 'epoch')]
  return same('verdicts', said.join(', '), expected.join(', '))
}

/** A halt whose cause is still so blocks the reset, and says what it is. */
function resetIsRefused(events: readonly Happening[]): string[] {
  const name = z.string().parse(events.find((event) => 'cause' in event)?.['cause'])
  const hazard = { name, rung: 'halt', clears: 'byOperator', takeover: 'never' } as const
  const halted = climb(foot, { nowMs: 0, hazards: [hazard], isArmed: true })
  const asked = climb(halted, { nowMs: 20, hazards: [hazard], isArmed: true, hasSwitched: true })
  const over = climb(asked, { nowMs: 40, hazards: [], isArmed: true })
  const reset = climb(over, { nowMs: 60, hazards: [], isArmed: true, hasSwitched: true })
  return [
    ...same('rung', asked.rung, 'halt'),
    ...same('reason', blockersOf(asked).join(', '), name),
    ...same('rung when it is over', over.rung, 'halt'),
    ...same('reason when it is over', blockersOf(over).join(', '), ''),
    ...same('rung after the reset', reset.rung, 'none'),
  ]
}

function lastInOrder(events: readonly Happening[], speed: number): string[] {
  const word = z.looseObject({ seq: z.number(), v: z.number() })
  const sources = events
    .map((event) => word.safeParse(event).data)
    .filter((each) => each !== undefined)
    .reduce(
      (heard, { seq, v }) => says(heard, 'operator', { linear: v, angular: 0 }, 0, seq),
      makeSources([operator]),
    )
  return near('speed', lookAt(sources, 20).command.twist.linear, speed, 0)
}

function says(
  sources: Sources,
  source: string,
  twist: Twist,
  atMs: number,
  sequence?: number,
): Sources {
  const word = { source, twist, atMs, ...(sequence !== undefined && { sequence }) }
  return hearWord(sources, word).sources
}
