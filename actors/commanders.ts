import {
  forgetSources,
  type Hearing,
  hearWord,
  lookAt,
  makeSources,
  silence,
  silentAt,
} from '../core/motion/sources.ts'
import { refuse } from '../core/rules/gatekeeper.ts'
import type { Twist } from '../core/vocabulary/geometry.ts'
import type { Refusal, Source } from '../core/vocabulary/verdict.ts'
import type { Clock } from '../drivers/clock.ts'

/** How long a command by hand lasts when no other follows, in ms (DESIGN §6, joystick deadman). */
export const operatorDeadmanMs = 200

/** Who commands motion: a person before the agent, each for as long as it is heard. */
export interface Commanders {
  /** Takes a source's word, in m/s and rad/s. Answers why it moves nothing, or undefined when it may. */
  hear(source: Source, twist: Twist, sequence?: number): Refusal | undefined
  /** What a source said before counts no more, and it is not missed. */
  silence(source: Source): void
  /** After an arm or a halt: whatever was said is void, and a person has to be seen at zero again. */
  forget(): void
  /** To be asked once a tick. `zero`: nobody commands any more, and what moves has to be told to stop. */
  look(): { readonly zero: boolean; readonly silent: readonly string[] }
}

/** `leaseMs` is for how long the agent's word counts. */
export function createCommanders(clock: Clock, leaseMs: number): Commanders {
  let sources = makeSources([
    { name: 'operator', priority: 100, timeoutMs: operatorDeadmanMs, mustRest: true },
    // What an agent asks for is an act of its own epoch: it holds no stick down.
    { name: 'agent', priority: 10, timeoutMs: leaseMs, mustRest: false },
  ])
  return {
    hear(source, twist, sequence) {
      const word = { source, twist, atMs: clock.now(), ...(sequence !== undefined && { sequence }) }
      const heard = hearWord(sources, word)
      sources = heard.sources
      return refusalOf(heard.hearing, source, twist)
    },
    silence(source) {
      sources = silence(sources, source)
    },
    forget() {
      sources = forgetSources(sources)
    },
    look() {
      const now = clock.now()
      const silent = silentAt(sources, now)
      const looked = lookAt(sources, now)
      sources = looked.sources
      return { zero: looked.command.zero, silent }
    },
  }
}

function refusalOf(hearing: Hearing, source: Source, twist: Twist): Refusal | undefined {
  switch (hearing) {
    case 'heard':
      return undefined
    case 'not at rest':
      return refuse(
        'rest',
        twist,
        'zero first',
        'let go of the stick first: it was not seen at zero',
      )
    case 'masked':
      return refuse('priority', source, 'operator', 'somebody with a higher priority commands')
    case 'out of order':
      return refuse('order', source, 'a younger word', 'a younger command was heard already')
    case 'unsound':
    case 'unknown':
      return refuse('shape', twist, 'finite numbers', 'the command is no velocity')
  }
}
