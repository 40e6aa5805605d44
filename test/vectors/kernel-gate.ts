import { z } from 'zod'
import { judge, type Rules } from '../../core/rules/gatekeeper.ts'
import { parseConfiguration } from '../../core/vocabulary/configuration.ts'
import { MechosError } from '../../core/vocabulary/errors.ts'
import type { Scene } from '../../core/vocabulary/scene.ts'
import type { Verdict } from '../../core/vocabulary/verdict.ts'
import { type Binding, numeral, same, strictly } from './binding.ts'

const span = z.tuple([z.number(), z.number()])
const each = z.strictObject({
  name: z.string(),
  rules: z.strictObject({
    speed_cap: z.strictObject({ linear: numeral, angular: numeral }).optional(),
    workspace: z.strictObject({ x: span, y: span, z: span }).optional(),
    manual_override: z.boolean().optional(),
  }),
  granted: z.array(z.string()),
  intent: z.custom<Record<string, unknown>>(
    (value) => typeof value === 'object' && value !== null && 'type' in value,
  ),
  expect: z.enum(['allow', 'hardware_fault', 'unauthorized', 'reject']),
  source_test: z.string().optional(),
  peer: z.string().optional(),
})

/** The peer's kinds of intent that ours has no counterpart for yet. */
const absent = ['move_end_effector', 'message_peer', 'broadcast_fleet', 'post_task']

/** The peer's gate sees no surroundings: ours gets some that are empty and watched all around. */
const empty: Scene = {
  footprintMetres: 0.1,
  obstacles: [],
  sectors: [{ facing: 0, halfAngle: Math.PI, whole: true }],
  stale: [],
  blindCreep: true,
}

const check = strictly(each, (item) => {
  const type = item.intent['type']
  if (absent.includes(String(type))) return { unbound: `there is no intent ${String(type)} yet` }
  if (item.rules.workspace) return { unbound: 'there is no rule for a workspace yet' }
  const rules = rulesFrom(item.rules)
  if (rules === 'refused') return same('configuration', 'reject', item.expect)
  const verdict = judge(intentFrom(item.intent), rules, grantsFrom(item.granted), empty)
  const said = item.expect === 'reject' && !verdict.permitted ? 'reject' : nameOf(verdict)
  return same(`verdict (${verdict.permitted ? 'permitted' : verdict.rule})`, said, item.expect)
})

/** kernel_gate.json, through `judge`, and through the configuration where a rule itself is broken. */
export const kernelGate: Binding = {
  file: 'kernel_gate.json',
  title: 'Kernel gate: capability then physical invariants',
  sections: { cases: check, must_beat_peer: check },
}

/** The vectors say nothing of braking; their scene is empty, so any will do. */
const braking = { linearBraking: 1, angularBraking: 1 }

/** A cap that no rule may hold has to be stopped by the configuration, before there is a rule. */
function rulesFrom(given: z.output<typeof each>['rules']): Rules | 'refused' {
  const limits = given.speed_cap ?? { linear: 1, angular: 1 }
  const override = given.manual_override ?? false
  if (limits.linear >= 0 && limits.angular >= 0 && limits.linear + limits.angular < Infinity) {
    return { limits: { ...limits, ...braking }, override }
  }
  const wheels = { radiusMetres: 0.03, trackMetres: 0.15 }
  try {
    const { limits: checked } = parseConfiguration({
      name: 'v',
      body: { kind: 'simulated', wheels },
      limits,
    })
    return { limits: checked, override }
  } catch (thrown) {
    if (thrown instanceof MechosError && thrown.code === 'ERR_CONFIGURATION') return 'refused'
    throw thrown
  }
}

/** The peer's names, as ours. Anything else in the intent is handed on as it came. */
function intentFrom(given: Record<string, unknown>): unknown {
  const intent = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, word(value)]))
  switch (given['type']) {
    case 'drive':
      return { ...intent, durationMs: 500 }
    case 'trigger_relay':
      return { ...intent, type: 'setRelay' }
    case 'ask_human':
      return { ...intent, type: 'askHuman', choices: [] }
    default:
      return intent
  }
}

/** NaN has no numeral in JSON. Other words, numbers among them, stay words. */
function word(value: unknown): unknown {
  const read = z.enum(['NaN', 'Infinity', '-Infinity']).safeParse(value)
  return read.success ? Number(read.data) : value
}

/** The peer has one namespace for all hardware; in ours a relay is `relay:<name>` and nothing else is. */
function grantsFrom(granted: readonly string[]): ReadonlySet<string> {
  const ours: Readonly<Record<string, string>> = {
    'hardware:drive_base': 'drive',
    'hardware:end_effector': 'arm',
    'hardware:hitl': 'ask',
  }
  return new Set(granted.map((name) => ours[name] ?? name.replace(/^hardware:/, 'relay:')))
}

function nameOf(verdict: Verdict): string {
  if (verdict.permitted) return 'allow'
  if (verdict.rule === 'capability') return 'unauthorized'
  return verdict.rule.startsWith('limits.') ? 'hardware_fault' : verdict.rule
}
