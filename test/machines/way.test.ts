import { type AnyMachineSnapshot, createActor } from 'xstate'
import { describe, expect, test } from 'vitest'
import type { Hazard, Ladder } from '../../core/rules/failsafe.ts'
import { failsafeMachine } from '../../machines/failsafe.machine.ts'
import { wayTo } from '../../machines/proof/explore.ts'
import {
  exploreRobot,
  isIn,
  modelOf,
  type RootPlace,
  started,
  wordsIn,
} from '../../machines/proof/robot.model.ts'
import { happen, type Happening } from '../../machines/proof/step.ts'
import { type RobotInput, robotMachine } from '../../machines/robot.machine.ts'
import { type ChildName, childNames } from '../../machines/supervision.ts'
import {
  followedChildren,
  type Situation,
  situationOf,
  type WayStep,
  wayToMotion,
} from '../../machines/way.ts'
import { livingRobot } from './robot.rig.ts'

const input: RobotInput = {
  unclean: undefined,
  goal: undefined,
  rules: { limits: { linear: 0.3, angular: 1.5, linearBraking: 2, angularBraking: 12 } },
  grants: new Set(['drive']),
  sensors: [{ name: 'front', guardsMotion: true }],
  motion: { stopLimitMs: 3_000 },
  model: { endpoints: [{ capTokens: 100, deadlineMs: 1_000 }] },
}
const model = modelOf(input)

function placesOf(unclean: string | undefined): readonly RootPlace[] {
  const { steps } = exploreRobot(model, { input: { ...input, unclean }, wrongMax: unclean ? 1 : 2 })
  return [...steps].flatMap(({ discovers, to }) => (discovers ? to : []))
}

const cleanPlaces = placesOf(undefined)

describe.each([undefined, 'the last run was killed'])('after a last run: %s', (unclean) => {
  const places = unclean === undefined ? cleanPlaces : placesOf(unclean)
  const ways = places.map((place) => ({ place, way: wayToMotion(situationAt(place)) }))

  test('from every place that the exploration reaches, the named steps reach motion', () => {
    expect(places.length).toBeGreaterThan(100)
    const astray = ways.flatMap(({ place, way }) =>
      way === null || hasMotionAfter(place, way) ? [] : `${wayTo(place)}: ${JSON.stringify(way)}`,
    )
    expect(astray).toEqual([])
  })

  test('nobody can, only where the root has ended and hears nothing any more', () => {
    const hopeless = ways.filter(({ way }) => way === null).map(({ place }) => place)
    const ended = places.filter(({ snapshot }) => snapshot.status !== 'active')
    expect(hopeless).toEqual(ended)
    expect(ended.length).toBeGreaterThan(0)
  })

  test('there is nothing to be done only where there is motion', () => {
    const without = ways.filter(({ way }) => way?.length === 0).map(({ place }) => place)
    expect(without).toEqual(places.filter(({ snapshot }) => snapshot.hasTag('motion')))
  })

  test('no step can be left out', () => {
    const longWinded = ways.flatMap(({ place, way }) =>
      (way ?? []).flatMap((left) =>
        hasMotionAfter(place, way?.filter((step) => step !== left) ?? [])
          ? `${wayTo(place)}: ${JSON.stringify(left)}`
          : [],
      ),
    )
    expect(longWinded).toEqual([])
  })

  test('a robot that has not been armed is not halted in order to drive it', () => {
    const halted = ways.filter(
      ({ place, way }) =>
        isIn(place, 'halted') &&
        way?.some((step) => step.type === 'command' && step.command.type === 'robot.halt'),
    )
    expect(halted).toEqual([])
  })
})

const ready = {
  type: 'change',
  child: 'board',
  tags: ['ready'],
  through: ['xstate.done.actor.openBody', 'xstate.done.actor.verifyBody'],
} as const
const command = (type: 'robot.reset' | 'robot.resume' | 'robot.takeOver') =>
  ({ type: 'command', command: { type } }) as const
const arm = (epoch: number) => ({ type: 'command', command: { type: 'robot.arm', epoch } }) as const
const halt = {
  type: 'command',
  command: { type: 'robot.halt', cause: 'to begin anew' },
} as const

describe('a living robot', () => {
  const standing = async () => {
    const robot = livingRobot()
    await robot.boot()
    return robot
  }
  const wayOf = ({ root }: ReturnType<typeof livingRobot>) => wayToMotion(situationOf(root))

  test('that boots waits for its board', () => {
    expect(wayOf(livingRobot())).toEqual([ready, arm(1), command('robot.resume')])
  })

  test('that stands by is armed in the epoch that is valid then', async () => {
    const robot = await standing()
    robot.root.send({ type: 'robot.halt', cause: 'asked to halt' })
    robot.root.send({ type: 'robot.halt', cause: 'asked again' })
    expect(wayOf(robot)).toEqual([command('robot.reset'), arm(3), command('robot.resume')])
    robot.root.send({ type: 'robot.reset' })
    expect(wayOf(robot)).toEqual([arm(3), command('robot.resume')])
    robot.arm()
    expect(wayOf(robot)).toEqual([command('robot.resume')])
    robot.root.send({ type: 'robot.resume' })
    expect(wayOf(robot)).toEqual([])
  })

  test('whose perception failed holds until that is started again by itself', async () => {
    const robot = await standing()
    robot.arm()
    robot.break('perception')
    const way = [{ type: 'restart', child: 'perception' }, command('robot.resume')]
    expect(wayOf(robot)).toEqual(way)
    await robot.clock.advance(100)
    expect(wayOf(robot)).toEqual(way.slice(1))
  })

  test('whose perception failed too often is halted, since only a reset brings that back', async () => {
    const robot = await standing()
    robot.arm()
    for (let failures = 1; failures <= 6; failures++) {
      robot.break('perception')
      // oxlint-disable-next-line no-await-in-loop -- one restart comes after the other
      if (failures < 6) await robot.clock.advance(10_000)
    }
    expect(wayOf(robot)).toEqual([halt, command('robot.reset'), arm(3), command('robot.resume')])
  })

  test('whose guardian is gone waits for it, and is looked at without being touched', async () => {
    const robot = await standing()
    robot.guardian({ type: 'guardian.lost', cause: 'the guardian process ended' })
    const before = JSON.stringify(robot.root.getPersistedSnapshot())
    const trips = robot.trips.length
    expect(wayOf(robot)).toEqual([
      { type: 'change', child: 'guardian', tags: ['present'], through: ['guardian.gone'] },
      command('robot.reset'),
      arm(2),
      command('robot.resume'),
    ])
    expect(robot.trips.length).toBe(trips)
    expect(robot.armed).toEqual([])
    expect(JSON.stringify(robot.root.getPersistedSnapshot())).toBe(before)
  })
})

describe('a robot whose failsafe has halted it', () => {
  const haltedBy = (hazard: Hazard) => {
    const failsafe = createActor(failsafeMachine).start()
    const robot = haltedByFailsafe()
    failsafe.send({ type: 'failsafe.sensed', hazards: [hazard], stampMs: 20, isArmed: false })
    return { ...robot, followed: { ...robot.followed, failsafe: failsafe.getSnapshot() } }
  }
  const haltedByFailsafe = (): Situation => {
    const place = cleanPlaces.find(
      (found) =>
        isIn(found, 'halted') &&
        found.ghost.dead.length === 0 &&
        found.ghost.followed.failsafe === 'blocked fault' &&
        found.ghost.followed.board === 'ready' &&
        found.ghost.followed.guardian === 'present',
    )
    if (!place) throw new Error('the failsafe halts nothing')
    return situationAt(place)
  }
  const button: Hazard = {
    name: 'stop button red',
    rung: 'halt',
    clears: 'byOperator',
    takeover: 'never',
  }

  test('waits for the stop button to be released, by its name, and then for a person', () => {
    expect(wayToMotion(haltedBy(button))).toEqual([
      {
        type: 'change',
        child: 'failsafe',
        tags: ['fault'],
        through: ['stop button red is over'],
      },
      command('robot.reset'),
      arm(2),
      command('robot.resume'),
    ])
  })

  test('stays halted for what never clears: nobody can', () => {
    expect(wayToMotion(haltedBy({ ...button, clears: 'never' }))).toBeNull()
  })
})

/** A place as somebody who asks sees it: a child that is followed is in the state that stands for its tags. */
function situationAt({ snapshot, ghost }: RootPlace): Situation {
  const alive = followedChildren.filter((child) => !ghost.dead.includes(child))
  return {
    root: snapshot,
    followed: Object.fromEntries(
      alive.map((child) => [child, exampleOf(child, ghost.followed[child])]),
    ),
    pending: ghost.awaited.map((child) => ({ type: 'child.restart', child })),
  }
}

function exampleOf(child: ChildName, tags: string | undefined) {
  const example = model.followed.get(child)?.examples.get(tags ?? '')
  if (!example) throw new Error(`no state of ${child} has the tags ${String(tags)}`)
  return example
}

/** Takes the steps one after the other, by the root's own transitions, as the model of the proof tells what follows from each. */
function hasMotionAfter(place: RootPlace, way: readonly WayStep[]): boolean {
  let root = place.snapshot
  const alive = followedChildren.filter((child) => !place.ghost.dead.includes(child))
  const charts = new Map(
    alive.map((child) => [child, exampleOf(child, place.ghost.followed[child])]),
  )
  const tell = (event: Happening) => {
    const { snapshot, effects } = happen(robotMachine, root, event)
    root = snapshot
    for (const effect of effects) {
      for (const child of started([effect])) {
        const start = model.followed.get(child)?.start
        if (start !== undefined) show(child, exampleOf(child, start))
      }
      for (const { to, event: word } of wordsIn([effect])) {
        const child = childNames.find((name) => name === to)
        const chart = child && model.children.get(child)
        const heard = child && charts.get(child)
        if (!child || !chart || !heard) continue
        show(child, happen(chart, heard, word).snapshot)
      }
    }
  }
  const show = (child: ChildName, snapshot: AnyMachineSnapshot) => {
    charts.set(child, snapshot)
    tell({ type: `xstate.snapshot.${child}`, snapshot })
  }
  for (const step of way) {
    if (step.type === 'command') tell(step.command)
    if (step.type === 'restart') tell({ type: 'child.restart', child: step.child })
    if (step.type === 'change') {
      const before = charts.get(step.child)
      if (!before) return false
      show(step.child, step.through.reduce(come, before))
    }
  }
  return root.status === 'active' && root.hasTag('motion')
}

/** A child after something that it was waited for. */
function come(snapshot: AnyMachineSnapshot, event: string): AnyMachineSnapshot {
  const [, over] = /^(.*) is over$/.exec(event) ?? []
  if (over === undefined) return happen(snapshot.machine, snapshot, { type: event }).snapshot
  const { ladder }: { readonly ladder: Ladder } = snapshot.context
  const hazards = ladder.causes.filter(({ name, stands }) => stands && name !== over)
  const { isArmed, seenMs: stampMs = 0 } = ladder
  const sensed = { type: 'failsafe.sensed', hazards, stampMs, isArmed }
  return happen(snapshot.machine, snapshot, sensed).snapshot
}
