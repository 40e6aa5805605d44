import { boxesAround } from '../core/space/boxes.ts'
import { obstaclesOf, poseOf, velocityOf, type World } from '../core/space/world.ts'
import type { Configuration } from '../core/vocabulary/configuration.ts'
import type { Observation } from '../core/vocabulary/observation.ts'
import type { Scene } from '../core/vocabulary/scene.ts'
import type { Clock } from '../drivers/clock.ts'
import type { Orientation } from '../machines/agent.machine.ts'
import type { Build } from './anatomy.ts'
import type { Children } from './children.ts'
import { isFreshNow } from './freshness.ts'

/** The robot's view of its surroundings, for the kernel and for the brain. */
export interface Outlook {
  /**
   * What the kernel judges by, as of now. A perception that is not running leaves everything stale, and one that has
   * fallen silent keeps nothing fresh: what guards motion is looked at here once more.
   */
  scene(): Scene
  /** What a brain is told of a sighting. */
  understand(orientation: Orientation): Observation
}

export function createOutlook(
  configuration: Configuration,
  build: Build,
  world: { readonly value: World },
  children: Children,
  clock: Clock,
): Outlook {
  const grants = new Set(configuration.grants)
  const relays = configuration.body.relays
    .map(({ name }) => name)
    .filter((name) => grants.has(`relay:${name}`))
  const canDrive = configuration.body.wheels !== undefined && grants.has('drive')

  const guards = build.sensors.filter(({ guardsMotion }) => guardsMotion)
  const staleNow = (): readonly string[] => {
    const now = clock.now()
    const known = children.perception()?.getSnapshot().context.stale ?? ['perception']
    const unheard = guards.filter((sensor) => !isFreshNow(sensor, world.value, now))
    return [...new Set([...known, ...unheard.map(({ name }) => name)])]
  }
  const scene = (): Scene => ({
    footprintMetres: build.anatomy.footprintMetres,
    obstacles: obstaclesOf(world.value),
    sectors: build.sectors,
    stale: staleNow(),
    blindCreep: configuration.blindCreep,
    pose: poseOf(world.value),
  })

  return {
    scene,
    understand({ sighting, goal, history, answers, loop }) {
      const surroundings = scene()
      return {
        stampMs: sighting.stampMs,
        goal,
        history,
        pose: poseOf(sighting.world),
        velocity: velocityOf(sighting.world),
        scene: surroundings,
        obstacles: boxesAround(surroundings.obstacles),
        battery: sighting.world.battery?.charge,
        limits: children.kernel()?.getSnapshot().context.rules.limits ?? configuration.limits,
        canDrive,
        relays,
        approve: configuration.approve,
        answers,
        loop,
      }
    },
  }
}
