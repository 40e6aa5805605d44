import { z } from 'zod'
import { hearWord, lookAt, makeSources, type Sources, turnLock } from '../../core/motion/sources.ts'
import { ranges } from '../../core/vocabulary/parts.ts'
import { type Binding, near, same, strictly } from './binding.ts'

const place = z.strictObject({ name: z.string(), timeout_s: z.number(), priority: z.number() })
const timeline = z.strictObject({
  name: z.string(),
  topics: z.array(place),
  locks: z.array(place),
  events: z.array(
    z.union([
      z.strictObject({ t_ms: z.number(), source: z.string(), expect_forwarded: z.boolean() }),
      z.strictObject({ t_ms: z.number(), lock: z.string(), data: z.boolean() }),
    ]),
  ),
  source_test: z.string().optional(),
})
const wish = z.strictObject({
  name: z.string(),
  peer: z.string(),
  required: z.string(),
})

const forward = { linear: 0.2, angular: 0 }

/** velocity_mux.json, through `core/motion/sources.ts`. */
export const velocityMux: Binding = {
  file: 'velocity_mux.json',
  title: 'Command arbitration: priority, timeout, locks',
  neighbours: ['default_config.topics', 'default_config.locks', 'default_config.format'],
  sections: {
    cases: strictly(timeline, ({ topics, locks, events }) => {
      let sources = makeSources(
        // For the peer a timeout of 0 is none; ours believes nobody for longer than this.
        topics.map(({ timeout_s, ...topic }) => ({
          ...named(topic),
          timeoutMs: timeout_s === 0 ? ranges.leaseMs.max : timeout_s * 1000,
          mustRest: false,
        })),
        locks.map(({ timeout_s, ...lock }) =>
          timeout_s === 0 ? named(lock) : { ...named(lock), timeoutMs: timeout_s * 1000 },
        ),
      )
      return events.flatMap((event) => {
        if ('lock' in event) {
          sources = turnLock(sources, event.lock, event.data, event.t_ms)
          return []
        }
        const { sources: next, hearing } = hearWord(sources, {
          source: event.source,
          twist: forward,
          atMs: event.t_ms,
        })
        sources = next
        const at = `${event.source} at ${event.t_ms} ms forwarded`
        return same(at, hearing === 'heard', event.expect_forwarded)
      })
    }),
    must_beat_peer: strictly(wish, ({ required }) => {
      const judged = demands[required]
      return judged ? judged() : { unbound: `nobody has bound "${required}"` }
    }),
  },
}

/** The free-text demands that we know how to check. */
const demands: Readonly<Record<string, () => string[]>> = {
  'emit one explicit zero on the transition to "no source", and keep the actuator deadman': () => {
    const moving = lookAt(heard(pair(), 'low', 0), 100)
    const late = lookAt(moving.sources, 501)
    const later = lookAt(late.sources, 521)
    return [
      ...same('a command while it is heard', moving.command.source ?? 'nobody', 'low'),
      ...same('a zero when it is silent', late.command.zero, true),
      ...near('its speed', late.command.twist.linear, 0, 0),
      ...same('another zero', later.command.zero, false),
      ...same('a source that never ends', refusesEndless(), true),
    ]
  },
  'emit zero at once': () => {
    const moving = lookAt(heard(pair(), 'low', 0), 100)
    const { command } = lookAt(turnLock(moving.sources, 'stop', true, 100), 100)
    return [
      ...same('a command before', moving.command.source ?? 'nobody', 'low'),
      ...same('a zero at once', command.zero, true),
      ...near('its speed', command.twist.linear, 0, 0),
    ]
  },
  'source rejected, treated as expired; next source may win only if it is itself fresh': () => {
    const both = heard(heard(pair(), 'low', 0), 'high', 400)
    const nan = hearWord(both, {
      source: 'high',
      twist: { linear: NaN, angular: 0 },
      atMs: 450,
    })
    return [
      ...same('what became of it', nan.hearing, 'unsound'),
      ...same('who wins', lookAt(nan.sources, 450).command.source ?? 'nobody', 'low'),
      ...same('who wins later', lookAt(nan.sources, 550).command.source ?? 'nobody', 'nobody'),
    ]
  },
}

function pair(): Sources {
  return makeSources(
    [
      { name: 'low', priority: 10, timeoutMs: 500, mustRest: false },
      { name: 'high', priority: 100, timeoutMs: 500, mustRest: false },
    ],
    [{ name: 'stop', priority: 255 }],
  )
}

function heard(sources: Sources, source: string, atMs: number): Sources {
  return hearWord(sources, { source, twist: forward, atMs }).sources
}

function refusesEndless(): boolean {
  try {
    makeSources([{ name: 'a', priority: 1, timeoutMs: 0, mustRest: false }])
    return false
  } catch (thrown) {
    return thrown instanceof TypeError
  }
}

/** The peer holds priorities within a byte. */
function named({ name, priority }: { readonly name: string; readonly priority: number }) {
  return { name, priority: Math.min(255, Math.max(0, priority)) }
}
