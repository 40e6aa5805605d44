import { describe, expect, test } from 'vitest'
import { explorer } from '../../actors/explorer.ts'
import { judge } from '../../core/rules/gatekeeper.ts'
import type { Point } from '../../core/vocabulary/geometry.ts'
import type { Observation } from '../../core/vocabulary/observation.ts'
import type { Scene } from '../../core/vocabulary/scene.ts'
import { randomStream } from '../../drivers/random.ts'

const limits = { linear: 0.4, angular: 1.5, linearBraking: 2, angularBraking: 12 }

function seeing(obstacles: readonly Point[], more: Partial<Scene> = {}): Observation {
  const scene: Scene = {
    footprintMetres: 0.13,
    obstacles,
    sectors: [{ facing: 0, halfAngle: Math.PI, whole: true }],
    stale: [],
    blindCreep: false,
    ...more,
  }
  return {
    stampMs: 0,
    goal: undefined,
    history: [],
    pose: { x: 0, y: 0, heading: 0 },
    velocity: { linear: 0, angular: 0 },
    scene,
    obstacles: [],
    battery: 1,
    limits,
    canDrive: true,
    relays: [],
    approve: [],
    answers: [],
    loop: undefined,
  }
}

const decideOnce = (seen: Observation, seed = 1) =>
  decideIn(explorer(randomStream(seed, 'explorer').uniform), seen)
const { signal } = new AbortController()

async function decideIn(brain: ReturnType<typeof explorer>, seen: Observation) {
  const { intent } = await brain.decide(seen, signal)
  return intent
}

describe('an explorer', () => {
  test('drives on where the way is free', async () => {
    expect(await decideOnce(seeing([]))).toMatchObject({ type: 'drive', linear: 0.4 })
    expect(await decideOnce(seeing([{ x: 3, y: 0 }]))).toMatchObject({ linear: 0.4 })
  })

  test('goes slower the shorter the way is', async () => {
    const near = await decideOnce(seeing([{ x: 0.7, y: 0 }]))
    expect(near).toMatchObject({ linear: expect.closeTo((0.7 - 0.16) * 0.5, 9) })
  })

  test('turns to the side with more room when the way is too short', async () => {
    const wall = { x: 0.4, y: 0 }
    expect(await decideOnce(seeing([wall, { x: 0, y: 0.5 }]))).toMatchObject({
      linear: 0,
      angular: -1,
    })
    expect(await decideOnce(seeing([wall, { x: 0, y: -0.5 }]))).toMatchObject({
      linear: 0,
      angular: 1,
    })
  })

  test('goes on turning the same way until there is room enough to leave', async () => {
    const brain = explorer(randomStream(1, 'explorer').uniform)
    const first = await decideIn(
      brain,
      seeing([
        { x: 0.4, y: 0 },
        { x: 0, y: 0.5 },
      ]),
    )
    expect(first).toMatchObject({ angular: -1 })
    // Now there is more room on the other side, and more ahead than it took to begin.
    expect(
      await decideIn(
        brain,
        seeing([
          { x: 0.8, y: 0 },
          { x: 0, y: -0.5 },
        ]),
      ),
    ).toMatchObject({ linear: 0, angular: -1 })
    expect(await decideIn(brain, seeing([{ x: 1.2, y: 0 }]))).toMatchObject({ linear: 0.4 })
  })

  test('creeps where no sensor sees the whole way, and turns where none looks', async () => {
    const ahead = [{ facing: 0, halfAngle: Math.PI / 4, whole: false }]
    expect(await decideOnce(seeing([], { sectors: ahead }))).toMatchObject({ linear: 0.1 })
    expect(await decideOnce(seeing([], { sectors: [] }))).toMatchObject({ linear: 0 })
  })

  test('leaves to chance only what seeds it, and decides alike with the same seed', async () => {
    const way = seeing([{ x: 2, y: 1 }])
    expect(await decideOnce(way, 7)).toEqual(await decideOnce(way, 7))
    expect(await decideOnce(way, 7)).not.toEqual(await decideOnce(way, 8))
  })

  test('proposes what a kernel can permit, whatever it sees', async () => {
    const random = randomStream(3, 'scenes')
    const brain = explorer(randomStream(3, 'explorer').uniform)
    let refused = 0
    for (let scene = 0; scene < 300; scene++) {
      const points = Array.from({ length: 20 }, () => {
        const angle = random.between(-Math.PI, Math.PI)
        const range = random.between(0.2, 4)
        return { x: range * Math.cos(angle), y: range * Math.sin(angle) }
      })
      const seen = seeing(points)
      const verdict = judge(await decideIn(brain, seen), { limits }, new Set(['drive']), seen.scene)
      if (!verdict.permitted) {
        expect(verdict.rule).toBe('path')
        refused += 1
      }
    }
    // A curve may come nearer to a corner than the straight line that it looked along.
    expect(refused).toBeLessThan(30)
  })
})
