import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createActor, isMachineSnapshot, setup } from 'xstate'
import { refusedIn } from '../../../inspector/cockpit/refusals.ts'
import type { Transition } from '../../../inspector/outline.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const
type Name = (typeof names)[number]

/**
 * A machine with states in states and beside each other, alternatives, and transitions without an event. Each guard says
 * what `answers` has for it, and writes down what it was asked.
 */
function machineWith(answers: ReadonlyMap<string, boolean>, asked: Map<string, boolean>) {
  const guard = (name: Name) => () => {
    const answer = answers.get(name) === true
    asked.set(name, answer)
    return answer
  }
  return setup({
    guards: {
      a: guard('a'),
      b: guard('b'),
      c: guard('c'),
      d: guard('d'),
      e: guard('e'),
      f: guard('f'),
      g: guard('g'),
      h: guard('h'),
    },
  }).createMachine({
    id: 'maze',
    type: 'parallel',
    on: { go: { guard: 'h', actions: [] }, back: { actions: [] } },
    states: {
      left: {
        initial: 'one',
        on: { go: [{ guard: 'a', target: '.two' }, { guard: 'b' }] },
        states: {
          one: { on: { go: [{ guard: 'c', target: 'two' }] } },
          two: {
            initial: 'inner',
            on: { back: { guard: 'd', target: 'one' } },
            states: { inner: { on: { go: { guard: 'e', target: '#maze.left.one' } } } },
          },
        },
      },
      right: {
        initial: 'one',
        states: {
          one: { on: { go: { target: 'choosing' }, back: [{ guard: 'g', target: 'two' }] } },
          choosing: {
            always: [
              { guard: 'f', target: 'two' },
              { guard: 'g', target: 'one' },
            ],
          },
          two: { on: { go: 'one' } },
        },
      },
    },
  })
}

test('what is said to have been refused is what the guards refused when XState asked them', () => {
  const event = fc.constantFrom('go', 'back')
  const truth = fc.dictionary(fc.constantFrom(...names), fc.boolean())
  let count = 0
  const wrong: string[] = []
  fc.assert(
    fc.property(fc.array(fc.tuple(event, truth), { maxLength: 12 }), (steps) => {
      const answers = new Map<string, boolean>()
      const asked = new Map<string, boolean>()
      let before: unknown
      const actor = createActor(machineWith(answers, asked), {
        inspect(seen) {
          if (seen.type !== '@xstate.microstep') return
          // oxlint-disable-next-line no-underscore-dangle -- as the cockpit reads it
          const taken: readonly Transition[] = seen._transitions
          if (isMachineSnapshot(before)) {
            const told = refusedIn(before, seen.event.type, taken).map(nameOf)
            const isEventless = taken.length > 0 && taken.every(({ eventType }) => eventType === '')
            // With the event, XState looks for what has none as well: what came of that is not in this step.
            const own = [...asked].filter(([name]) => name !== 'f')
            const refused = own.filter(([, answer]) => !answer).map(([name]) => name)
            const isRight = isEventless
              ? told.every((name) => asked.get(name) === false)
              : told.toSorted().join() === refused.toSorted().join()
            if (!isRight) wrong.push(`${told.join()} instead of ${refused.join()}`)
            count += told.length
          }
          before = seen.snapshot
          asked.clear()
        },
      })
      actor.start()
      before = actor.getSnapshot()
      for (const [type, truths] of steps) {
        asked.clear()
        answers.clear()
        for (const [name, answer] of Object.entries(truths)) answers.set(name, answer)
        actor.send({ type })
      }
      expect(wrong).toEqual([])
    }),
    { numRuns: 100 },
  )
  expect(count).toBeGreaterThan(100)
})

function nameOf({ guard }: Transition): string {
  return typeof guard === 'string' ? guard : 'no name'
}
