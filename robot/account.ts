import type { Account } from '../actors/account.ts'
import { whyOf } from '../actors/why.ts'
import type { Why } from '../core/vocabulary/why.ts'
import { beatLimitMs } from '../drivers/gate.ts'
import { situationOf, wayToMotion } from '../machines/way.ts'
import type { Parts } from './parts.ts'

/** What status and report are read from, as it is now. */
export function accountOf(parts: Parts): Account {
  const { build, children, configuration, halting, options, reach, root, seed } = parts
  return {
    configuration,
    run: options.run ?? `${configuration.name}-seed-${seed}`,
    seed: options.seed,
    brain: parts.brain.name,
    body: parts.body,
    facts: parts.reported.facts,
    world: parts.perceived.world.value,
    root: root.getSnapshot(),
    lost: reach.lost,
    children,
    sensors: Object.fromEntries(
      build.sensors.map(({ name }) => [
        name,
        children.sensor(name)?.getSnapshot().value ?? 'absent',
      ]),
    ),
    halt: halting.report,
    enabling: parts.enabling.status,
    unheld: parts.enabling.cause,
    recorder: parts.recording?.status,
    memory: parts.remembering?.status,
    budget: parts.thinking.opened,
  }
}

/** Why it does not move, and the shortest way to motion. */
export function explain(parts: Parts): Why {
  const { gate, reflex, root } = parts
  const way = wayToMotion(situationOf(root))
  return whyOf({ account: accountOf(parts), gate, beatLimitMs, reflex, way })
}
