import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { and, assign, type AnyStateMachine, createMachine, fromPromise, not, stateIn } from 'xstate'
import { toMermaid } from '../../inspector/chart.ts'
import { chartPages, machines } from '../../inspector/charts.ts'

const root = new URL('../../', import.meta.url)
const folder = new URL('docs/charts/', root)

const act = () => undefined

describe('the pages in docs/charts', () => {
  const drawn = chartPages()

  test.each(drawn)('$file is as it is drawn now (else: npm run charts)', ({ file, text }) => {
    expect(readFileSync(new URL(file, folder), 'utf8')).toBe(text)
  })

  test('none is left of a machine that is gone (else: npm run charts)', () => {
    const written = readdirSync(folder).filter((file) => file.endsWith('.md'))
    expect(written.toSorted()).toEqual(drawn.map(({ file }) => file).toSorted())
  })

  test('every machine has one', () => {
    const files = readdirSync(new URL('machines/', root)).flatMap(
      (file) => /^(\w+)\.machine\.ts$/.exec(file)?.[1] ?? [],
    )
    expect(machines.map(({ id }) => id).toSorted()).toEqual(files.toSorted())
  })
})

describe('a chart', () => {
  test.each(machines.map((machine) => ({ id: machine.id, machine })))(
    'of $id is the same text every time',
    ({ machine }) => {
      expect(toMermaid(machine)).toBe(toMermaid(machine.provide({})))
    },
  )

  test('shows what a state does, what it reacts to, and nothing that XState adds for itself', () => {
    const lamp = createMachine({
      id: 'lamp',
      initial: 'off',
      entry: 'greet',
      on: { 'lamp.break': { target: '.broken', actions: ['report', { type: 'count' }] } },
      states: {
        off: { tags: ['safe', 'dark'], on: { 'lamp.switch': { guard: 'hasPower', target: 'on' } } },
        on: {
          entry: 'glow',
          exit: 'fade',
          invoke: { id: 'watch', src: 'watch', onError: 'broken', onDone: '#lamp.off' },
          on: { 'lamp.dim': { actions: 'dim' } },
          after: { patience: 'off' },
        },
        broken: { type: 'final' },
      },
    })
    expect(toMermaid(lamp)).toBe(
      [
        'stateDiagram-v2',
        '  [*] --> lamp__off',
        '  state "any of lamp" as lamp__any',
        '  lamp__any : entry / greet',
        '  state "off" as lamp__off',
        '  lamp__off : tags safe, dark',
        '  state "on" as lamp__on',
        '  lamp__on : invoke watch',
        '  lamp__on : entry / glow',
        '  lamp__on : exit / fade',
        '  lamp__on : lamp.dim / dim',
        '  state "broken" as lamp__broken',
        '  lamp__broken --> [*]',
        '  lamp__any --> lamp__broken : lamp.break / report, count',
        '  lamp__off --> lamp__on : lamp.switch [hasPower]',
        '  lamp__on --> lamp__off : watch done',
        '  lamp__on --> lamp__broken : watch failed',
        '  lamp__on --> lamp__off : after patience',
        '',
      ].join('\n'),
    )
  })

  test('draws an arrow inside the innermost state that holds both of its ends and is not parallel', () => {
    const nested = createMachine({
      id: 'nested',
      type: 'parallel',
      on: { reset: '.right.c' },
      states: {
        left: {
          initial: 'a',
          states: { a: { on: { go: 'b' } }, b: { on: { out: '#nested.right.c' } } },
        },
        right: { initial: 'c', states: { c: {} } },
      },
    })
    const [, ...drawn] = toMermaid(nested).split('\n')
    expect(drawn).toContain('      nested__left__a --> nested__left__b : go')
    expect(drawn).toContain('  nested__left__b --> nested__right__c : out')
    expect(drawn).toContain('  nested__any --> nested__right__c : reset')
  })

  test('shows a transition back to a whole state as a row of it', () => {
    const again = createMachine({
      id: 'again',
      initial: 'whole',
      states: {
        whole: {
          initial: 'part',
          on: { redo: { target: 'whole', reenter: true } },
          states: { part: {} },
        },
      },
    })
    expect(toMermaid(again)).toContain('again__whole__any : redo #8594; again.whole')
  })

  test('spells out composed guards', () => {
    const composed = createMachine({
      id: 'composed',
      on: {
        one: { guard: and(['isRed', not('isBroken')]), actions: 'act' },
        two: { guard: stateIn('#composed'), actions: 'act' },
      },
    })
    expect(toMermaid(composed)).toContain('one [isRed and not isBroken] / act')
    expect(toMermaid(composed)).toContain('two [in #34;#35;composed#34;] / act')
  })

  test('is not broken by any sign in a name', () => {
    const odd = createMachine({
      id: 'odd',
      initial: 'say "hi"; {a:b}',
      states: { 'say "hi"; {a:b}': { on: { 'a:b;c --> d%%': { actions: 'x"y' } } } },
    })
    const lines = toMermaid(odd).split('\n')
    expect(lines.slice(1, 4)).toEqual([
      '  [*] --> odd__say_32__34_hi_34__59__32__123_a_58_b_125_',
      '  state "say #34;hi#34;#59; #123;a#58;b#125;" as odd__say_32__34_hi_34__59__32__123_a_58_b_125_',
      '  odd__say_32__34_hi_34__59__32__123_a_58_b_125_ : a#58;b#59;c --#62; d#37;#37; / x#34;y',
    ])
  })
})

describe('a chart of what has no name is refused, by the name of its state', () => {
  const nameless: Record<string, AnyStateMachine> = {
    'an entry action': createMachine({ id: 'm', initial: 's', states: { s: { entry: act } } }),
    'an exit action': createMachine({ id: 'm', initial: 's', states: { s: { exit: act } } }),
    'an assign': createMachine({ id: 'm', initial: 's', states: { s: { entry: assign({}) } } }),
    'an action of a transition': createMachine({
      id: 'm',
      initial: 's',
      states: { s: { on: { e: { actions: act } } } },
    }),
    'a guard': createMachine({
      id: 'm',
      initial: 's',
      states: { s: { on: { e: { guard: () => true } } } },
    }),
    'a guard within a guard': createMachine({
      id: 'm',
      initial: 's',
      states: { s: { on: { e: { guard: and(['isRed', () => true]) } } } },
    }),
    'a delay': createMachine({ id: 'm', initial: 's', states: { s: { after: { 250: {} } } } }),
    'an actor': createMachine({
      id: 'm',
      initial: 's',
      states: { s: { invoke: { src: fromPromise(async () => undefined) } } },
    }),
  }

  test.each(Object.keys(nameless))('%s', (what) => {
    const machine = nameless[what]
    expect(machine).toBeDefined()
    expect(() => machine && toMermaid(machine)).toThrow(TypeError)
    expect(() => machine && toMermaid(machine)).toThrow(/^m\.s holds an .+ without a name/)
  })
})
