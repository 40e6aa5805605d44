import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { assign, createMachine } from 'xstate'
import { parseConfiguration } from '../../core/vocabulary/configuration.ts'
import { demoRover } from '../../drivers/simulated/rover.ts'
import { complaintsOf, proofLine, proofTable } from '../../inspector/proof-table.ts'
import { safetyPage } from '../../inspector/safety-page.ts'
import { chartProof, exploreChart } from '../../machines/proof/charts.ts'
import { marked } from '../../machines/proof/marks.ts'
import { begin, happen } from '../../machines/proof/step.ts'
import { proofOf } from '../../prove.ts'

describe('the proof of the built-in rover', () => {
  const proof = proofOf(parseConfiguration(demoRover))

  test('finds nothing to complain about', () => {
    expect(complaintsOf(proof)).toEqual([])
    expect(proof.holds).toBe(true)
  })

  test('has gone through every state and transition of every chart', () => {
    const left = proof.machines.filter(
      ({ states, statesVisited, transitions, transitionsVisited }) =>
        states === 0 || statesVisited !== states || transitionsVisited !== transitions,
    )
    expect(left).toEqual([])
  })

  test('lived through the shortest way to each state that it counts', () => {
    expect(proof.livePaths).toEqual({ replayed: proof.states, mismatches: [] })
    expect(proof.states).toBeGreaterThan(1_000)
    expect(proof.edges).toBeGreaterThan(proof.states * 10)
  })

  test('caught every mistake, by many rules', () => {
    expect(proof.mutants.filter(({ by }) => by === undefined)).toEqual([])
    expect(new Set(proof.mutants.map(({ name }) => name)).size).toBe(proof.mutants.length)
    expect(new Set(proof.mutants.map(({ by }) => by)).size).toBeGreaterThanOrEqual(12)
  })

  test('is one line for programs', () => {
    const line: unknown = JSON.parse(proofLine(proof))
    expect(line).toMatchObject({
      states: proof.states,
      edges: proof.edges,
      haltFailures: 0,
      escapes: 0,
      errorStates: 0,
      mutants: { seeded: proof.mutants.length, caught: proof.mutants.length },
      livePaths: { replayed: proof.states, mismatches: 0 },
    })
    expect(proofLine(proof)).not.toContain('\n')
  })

  test('says so when something does not hold', () => {
    const [mutant] = proof.mutants
    const [chart] = proof.machines
    const broken = {
      ...proof,
      holds: false,
      breaches: [{ says: 'a rule', way: 'a -- b --> c' }],
      machines: [{ ...chart, unvisited: ['robot.limbo'] }, ...proof.machines.slice(1)],
      mutants: [{ ...mutant, by: undefined }, ...proof.mutants.slice(1)],
      livePaths: { replayed: 1, mismatches: ['a -- b --> d'] },
    } as typeof proof
    expect(complaintsOf(broken)).toEqual([
      'broken: a rule\n    a -- b --> c',
      'not visited: robot.limbo',
      `not caught: ${mutant?.name}`,
      'lived elsewhere:\n    a -- b --> d',
    ])
    expect(proofTable(broken).at(-1)).toBe('IT DOES NOT HOLD.')
    expect(proofTable(broken)).toContain(`  MISSED  ${mutant?.name}`)
    expect(proofTable(proof).at(-1)).toBe('All of it holds.')
  })

  test('docs/safety.md is as it is written now (else: npm run charts)', () => {
    expect(readFileSync('docs/safety.md', 'utf8')).toBe(safetyPage(proof))
  })
})

describe('a chart that is stepped through', () => {
  const boom = () => {
    throw new Error('boom')
  }

  test('is in error when an exit action throws, as a living one would be', () => {
    const chart = createMachine(
      { id: 'c', initial: 'a', states: { a: { exit: 'explode', on: { go: 'b' } }, b: {} } },
      { actions: { explode: boom } },
    )
    const { snapshot } = begin(chart, undefined)
    const stepped = happen(chart, snapshot, { type: 'go' })
    expect([stepped.snapshot.status, stepped.thrown]).toEqual(['error', 'boom'])
  })

  test('is in error when an assign throws, and when an action is not there', () => {
    const chart = createMachine(
      { id: 'c', on: { a: { actions: 'explode' }, b: { actions: 'forgotten' } } },
      { actions: { explode: assign(boom) } },
    )
    const { snapshot } = begin(chart, undefined)
    expect(happen(chart, snapshot, { type: 'a' }).thrown).toBe('boom')
    expect(happen(chart, snapshot, { type: 'b' }).thrown).toBe('nobody knows how to forgotten')
  })

  test('does not go round for ever', () => {
    const { machine } = marked(
      createMachine({
        id: 'c',
        initial: 'a',
        states: { a: { on: { go: 'b' } }, b: { always: 'c' }, c: { always: 'b' } },
      }),
    )
    const { snapshot } = begin(machine, undefined)
    expect(happen(machine, snapshot, { type: 'go' }).thrown).toMatch(/loop/)
  })

  test('counts a guarded alternative by itself, and names what nothing leads to', () => {
    const chart = createMachine(
      {
        id: 'c',
        initial: 'a',
        states: {
          a: { on: { go: [{ guard: 'never', target: 'b' }, { target: 'd' }] } },
          b: {},
          d: { always: 'e' },
          e: {},
        },
      },
      { guards: { never: () => false } },
    )
    const { marked: watched, steps } = exploreChart(chart, undefined)
    const visited = new Set(steps.flatMap(({ visits }) => visits))
    expect(chartProof(watched, visited)).toEqual({
      id: 'c',
      states: 4,
      transitions: 3,
      statesVisited: 3,
      transitionsVisited: 2,
      unvisited: ['c.b', 'c.a: go [never] (1 of 2)'],
    })
  })

  test('must be given an example of each event that it reads', () => {
    const chart = createMachine(
      { id: 'c', on: { tell: { actions: { type: 'note', params: ({ event }) => event } } } },
      { actions: { note() {} } },
    )
    expect(() => exploreChart(chart, undefined)).toThrow(/^no example of event tell: c reads/)
    expect(() =>
      exploreChart(chart, undefined, { events: { tell: [{ word: 'x' }] } }),
    ).not.toThrow()
  })
})
