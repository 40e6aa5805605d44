import { type AnyStateMachine, StateMachine } from 'xstate'
import { messageOf } from '../core/vocabulary/errors.ts'
import type { robotMachine } from '../machines/robot.machine.ts'
import { total } from './total.ts'

type Root = typeof robotMachine

/**
 * The same chart, and no fault in it ends it: XState would leave it in its old state, in error and deaf. What a guard, an
 * action, an assigner, a delay or a parameter throws leads to `halted`; what throws on that way too leads there without
 * it, and without any entry action. `trip` is told first. Own functions of this chart and of all charts among its actors
 * are total, and `failed` is told what they throw; their delays are finite. Changes the chart that it is given.
 */
export function lastResort(
  root: Root,
  trip: (cause: string) => unknown,
  failed: (cause: string) => void,
): Root {
  harden(root, failed)
  const { transition } = root
  type Step = Parameters<typeof transition>
  const halted = (cause: string, ...[snapshot, , scope]: Step) => {
    const { causes } = snapshot.context
    if (snapshot.matches('halted') && causes.includes(cause)) return snapshot
    try {
      return transition(snapshot, { type: 'robot.halt', cause }, scope)
    } catch {
      const { children, context, historyValue } = snapshot
      const epoch = context.epoch + 1
      const known = {
        ...context,
        epoch,
        causes: [...new Set([...causes, cause])].slice(-causesMax),
      }
      return Object.assign(root.resolveState({ value: 'halted', context: known, historyValue }), {
        children,
      })
    }
  }
  return Object.assign(root, {
    transition(...step: Step) {
      try {
        return transition(...step)
      } catch (error) {
        const cause = messageOf(error).replaceAll('\n', ' ')
        trip(cause)
        return halted(cause, ...step)
      }
    },
  })
}

function harden(machine: AnyStateMachine, failed: (cause: string) => void): void {
  const { actions, actors, delays } = machine.implementations
  for (const [name, action] of Object.entries(actions)) {
    // XState's own actions carry what they do in `resolve`.
    if (typeof action === 'function' && !('resolve' in action))
      actions[name] = total(failed, action)
  }
  for (const [name, delay] of Object.entries(delays)) {
    delays[name] = (args, params) => {
      const milliseconds = typeof delay === 'function' ? delay(args, params) : delay
      if (milliseconds >= 0 && milliseconds <= delayMsMax) return milliseconds
      throw new TypeError(`${machine.id}: ${name} is ${milliseconds} ms, which has no end`)
    }
  }
  for (const [name, actor] of Object.entries(actors)) {
    if (!(actor instanceof StateMachine)) continue
    const own = actor.provide({})
    harden(own, failed)
    actors[name] = own
  }
}

/** The most causes that are kept. */
const causesMax = 16

/** Beyond it timers of JavaScript fire at once. */
const delayMsMax = 2 ** 31 - 1
