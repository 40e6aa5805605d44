import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect } from 'vitest'
import { z } from 'zod'
import { type Place, test } from '../support/mechos.ts'

const count = z.int().nonnegative()

/** What `mechos prove --json` prints, as DESIGN §5 fixes it: these fields and no others. */
const proofSchema = z.strictObject({
  states: count,
  edges: count,
  haltFailures: count,
  escapes: count,
  errorStates: count,
  machines: z.array(
    z.strictObject({
      id: z.string(),
      states: count,
      transitions: count,
      statesVisited: count,
      transitionsVisited: count,
    }),
  ),
  mutants: z.strictObject({
    seeded: count,
    caught: count,
    list: z.array(z.strictObject({ name: z.string(), caught: z.boolean() })),
  }),
  livePaths: z.strictObject({ replayed: count, mismatches: count }),
})

const limitMs = 240_000

test(
  'mechos prove shows that every way leads to a halt, of any configuration',
  { timeout: limitMs },
  async ({ place }) => {
    place.write(
      'robot.config.ts',
      `export default {
        name: 'blind',
        limits: { linear: 0.3, angular: 1.5 },
        body: { kind: 'simulated' },
        goal: 'find the door',
      }`,
    )
    const ended = await place.run('prove', '--json')
    expect([ended.code, ended.stderr]).toEqual([0, ''])
    expect(ended.stdout.indexOf('\n')).toBe(ended.stdout.length - 1)
    const proof = proofSchema.parse(JSON.parse(ended.stdout))
    expect(proof).toMatchObject({ haltFailures: 0, escapes: 0, errorStates: 0 })
    expect(proof.states).toBeGreaterThan(1_000)
    expect(proof.mutants.caught).toBe(proof.mutants.seeded)
    expect(proof.mutants.seeded).toBeGreaterThanOrEqual(12)
    expect(proof.livePaths).toEqual({ replayed: proof.states, mismatches: 0 })
  },
)

describe('a root with a mistake in its source is refused, by rule and way', () => {
  const mistakes = [
    {
      name: 'halted that trips no gate',
      file: 'machines/robot.machine.js',
      from: /\{ type: 'tripGate', params: [^\n]*\},\n/,
      to: '',
      told: /broken: robot\.halt leads to halted .*\n {4}booting -- robot\.halt asked to halt --> halted/,
    },
    {
      name: 'an event that nobody gave an example of',
      file: 'machines/robot.machine.js',
      from: /'robot\.beat': /,
      to: `'robot.nudge': { actions: { type: 'stampBeat', params: ({ event }) => event } },\n$&`,
      told: /no example of event robot\.nudge/,
    },
    {
      name: 'a kernel that may fail and be started again',
      file: 'machines/supervision.js',
      from: /kernel: \{ restartsMax: 0, lastResort: 'halt' \}/,
      to: `kernel: { restartsMax: 5, lastResort: 'hold' }`,
      told: /broken: the failure or the end of whoever moves the robot/,
    },
  ]

  for (const { name, file, from, to, told } of mistakes) {
    test(name, { timeout: limitMs }, async ({ place }) => {
      const ended = await prove(place, file, from, to)
      expect(ended.stderr).toMatch(told)
      expect(ended.code).toBe(1)
    })
  }
})

/** Proves a copy of the shipped program in which one thing is different. */
async function prove(place: Place, file: string, from: RegExp, to: string) {
  cpSync('dist', join(place.path, 'dist'), { recursive: true })
  cpSync('package.json', join(place.path, 'package.json'))
  symlinkSync(resolve('node_modules'), join(place.path, 'node_modules'))
  const path = join(place.path, 'dist', file)
  const source = readFileSync(path, 'utf8')
  expect(source).toMatch(from)
  writeFileSync(path, source.replace(from, to))
  return place.launch(process.execPath, [join(place.path, 'dist', 'cli.js'), 'prove', '--json'])
    .ended
}
