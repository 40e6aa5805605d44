import { describe, expect, test } from 'vitest'
import { livingRobot } from './robot.rig.ts'

const asleep = {
  kernel: 'locked',
  motion: 'inhibited',
  relays: 'inhibited',
  agent: { holding: 'paused' },
}

async function autonomous() {
  const robot = livingRobot()
  await robot.boot()
  robot.arm()
  robot.root.send({ type: 'robot.resume' })
  return robot
}

describe('from boot to motion', () => {
  test('it boots until its board obeys, and then stands by with everything asleep', async () => {
    const { boot, state, children, context, trips } = livingRobot()
    expect([state(), context().linked]).toEqual(['booting', false])
    await boot()
    expect([state(), context().linked, trips]).toEqual(['standby', true, []])
    expect(children()).toEqual(asleep)
  })

  test('armed it still holds; only then can it be told to move', async () => {
    const { root, boot, arm, state, children, armed, context } = livingRobot()
    await boot()
    root.send({ type: 'robot.resume' })
    root.send({ type: 'robot.goal', text: 'find the door' })
    root.send({ type: 'robot.takeOver' })
    expect(state()).toBe('standby')
    arm()
    expect([state(), armed, context().epoch]).toEqual(['active.holding', [2], 2])
    expect(children()).toEqual(asleep)
    root.send({ type: 'robot.resume' })
    expect(state()).toBe('active.autonomous')
    expect(children()).toEqual({
      kernel: 'open',
      motion: 'still',
      relays: 'switchable',
      agent: 'observing',
    })
  })

  test('with a goal it begins too', async () => {
    const { root, boot, arm, state, context } = livingRobot()
    await boot()
    arm()
    root.send({ type: 'robot.goal', text: 'find the door' })
    expect([state(), context().goal]).toEqual(['active.autonomous', 'find the door'])
  })

  test('a pause puts everything to sleep', async () => {
    const { root, state, children } = await autonomous()
    root.send({ type: 'robot.pause' })
    expect([state(), children()]).toEqual(['active.holding', asleep])
  })

  test('a person who takes over drives, and the agent pauses', async () => {
    const { root, state, children } = await autonomous()
    root.send({ type: 'robot.takeOver' })
    expect(state()).toBe('active.manual')
    expect(children()).toEqual({
      kernel: 'overridden',
      motion: 'still',
      relays: 'switchable',
      agent: { holding: 'paused' },
    })
    root.send({ type: 'robot.release' })
    expect([state(), children()]).toEqual(['active.holding', asleep])
  })

  test('that ended badly last time it begins halted, and stays so until a reset', async () => {
    const { root, boot, arm, state, context, trips } = livingRobot({ unclean: 'it was killed' })
    await boot()
    expect([state(), context().causes, trips]).toEqual([
      'halted',
      ['it was killed'],
      [['it was killed']],
    ])
    arm()
    expect(state()).toBe('halted')
    root.send({ type: 'robot.reset' })
    expect([state(), context().causes]).toEqual(['standby', []])
  })

  test('whose board does not open is halted, and can be reset once it has', async () => {
    const { clock, root, boot, state, context } = livingRobot()
    await clock.advance(15_000)
    expect([state(), context().causes]).toEqual(['halted', ['the board did not open in time']])
    root.send({ type: 'robot.reset' })
    expect(state()).toBe('halted')
    await clock.advance(1_000)
    await boot()
    expect(state()).toBe('halted')
    root.send({ type: 'robot.reset' })
    expect(state()).toBe('standby')
  })
})

describe('halted', () => {
  test('everything sleeps, the gate has tripped for the cause, and the epoch is a new one', async () => {
    const { root, state, children, context, trips } = await autonomous()
    root.send({ type: 'robot.halt', cause: 'asked to halt' })
    expect([state(), children(), trips, context().epoch]).toEqual([
      'halted',
      asleep,
      [['asked to halt']],
      3,
    ])
  })

  test('halting again trips again, adds its cause once, and raises the epoch', async () => {
    const { root, context, trips } = await autonomous()
    for (const cause of ['asked to halt', 'a bump', 'a bump']) {
      root.send({ type: 'robot.halt', cause })
    }
    expect([context().causes, context().epoch, trips.length]).toEqual([
      ['asked to halt', 'a bump'],
      5,
      3,
    ])
  })

  test('it leads to standby by a reset, and to motion only by arming the epoch of that reset', async () => {
    const { root, state, context } = await autonomous()
    root.send({ type: 'robot.halt', cause: 'asked to halt' })
    root.send({ type: 'robot.arm', epoch: 3 })
    expect(state()).toBe('halted')
    root.send({ type: 'robot.reset' })
    expect([state(), context().epoch]).toEqual(['standby', 3])
    root.send({ type: 'robot.arm', epoch: 2 })
    expect(state()).toBe('standby')
    root.send({ type: 'robot.arm', epoch: 3 })
    expect([state(), context().epoch]).toEqual(['active.holding', 4])
  })

  test('a guardian that tripped halts, and a reset clears it', async () => {
    const robot = livingRobot()
    robot.guardian({ type: 'guardian.starting' })
    robot.guardian({ type: 'guardian.guarding' })
    await robot.boot()
    robot.arm()
    robot.root.send({ type: 'robot.resume' })
    expect(robot.state()).toBe('active.autonomous')
    robot.guardian({ type: 'guardian.tripped', cause: 'the robot process was silent' })
    expect([robot.state(), robot.context().causes]).toEqual([
      'halted',
      ['the robot process was silent'],
    ])
    robot.root.send({ type: 'robot.reset' })
    expect([robot.state(), robot.valueOf('guardian')]).toEqual(['standby', 'guarding'])
  })

  test('a guardian that is started anew in mid-run halts', async () => {
    const robot = await autonomous()
    robot.guardian({ type: 'guardian.starting' })
    expect([robot.state(), robot.context().guarded]).toEqual(['halted', false])
  })

  test('a lost guardian halts, and there is no reset until there is another', async () => {
    const robot = await autonomous()
    robot.guardian({ type: 'guardian.lost', cause: 'the guardian process died' })
    expect(robot.state()).toBe('halted')
    robot.root.send({ type: 'robot.reset' })
    expect(robot.state()).toBe('halted')
    robot.guardian({ type: 'guardian.starting' })
    robot.root.send({ type: 'robot.reset' })
    expect(robot.state()).toBe('halted')
    robot.guardian({ type: 'guardian.guarding' })
    robot.root.send({ type: 'robot.reset' })
    robot.arm()
    expect(robot.state()).toBe('active.holding')
  })

  test('a lost board halts, and there is no reset until it is back', async () => {
    const { clock, root, boot, state, context, trips } = await autonomous()
    root.system.get('board')?.send({ type: 'board.lost', cause: 'the cable was pulled' })
    expect([state(), context().causes, trips.length]).toEqual([
      'halted',
      ['the cable was pulled'],
      1,
    ])
    root.send({ type: 'robot.reset' })
    expect(state()).toBe('halted')
    await clock.advance(1_000)
    await boot()
    root.send({ type: 'robot.reset' })
    expect(state()).toBe('standby')
  })

  test('many causes are kept, but not without end', async () => {
    const { root, context } = await autonomous()
    for (let count = 0; count < 40; count++)
      root.send({ type: 'robot.halt', cause: `cause ${count}` })
    expect(context().causes.length).toBe(16)
  })

  test('the first cause is never forgotten', async () => {
    const { root, context } = await autonomous()
    for (let count = 0; count < 40; count++)
      root.send({ type: 'robot.halt', cause: `cause ${count}` })
    expect(context().causes).toContain('cause 0')
  })

  test('it can be switched off', async () => {
    const { root } = await autonomous()
    root.send({ type: 'robot.shutdown' })
    expect(root.getSnapshot().status).toBe('active')
    root.send({ type: 'robot.halt', cause: 'end of run' })
    root.send({ type: 'robot.shutdown' })
    expect([root.getSnapshot().value, root.getSnapshot().status]).toEqual(['off', 'done'])
  })

  test('the board closes its ports on the way off', async () => {
    const { root, closeBody } = await autonomous()
    root.send({ type: 'robot.halt', cause: 'end of run' })
    root.send({ type: 'robot.shutdown' })
    expect(closeBody.calls.length).toBe(1)
  })
})

describe('children that fail', () => {
  test.each(['kernel', 'relays'] as const)(
    'the %s halts it, and a reset starts a new one',
    async (child) => {
      const robot = await autonomous()
      robot.break(child)
      expect([
        robot.state(),
        robot.context().causes,
        robot.trips.length,
        robot.valueOf(child),
      ]).toEqual(['halted', [`${child} failed`], 1, undefined])
      robot.root.send({ type: 'robot.reset' })
      expect([robot.state(), robot.children()]).toEqual(['standby', asleep])
    },
  )

  test('the agent is started again later and later, is given up at the sixth failure, and it holds', async () => {
    const robot = await autonomous()
    const waits: number[] = []
    for (let failures = 0; failures < 5; failures++) {
      robot.break('agent')
      expect([robot.state(), robot.valueOf('agent')]).toEqual(['active.autonomous', undefined])
      let waited = 0
      while (robot.valueOf('agent') === undefined) {
        await robot.clock.advance(100)
        waited += 100
      }
      waits.push(waited)
      expect(robot.valueOf('agent')).toBe('observing')
    }
    expect(waits).toEqual([100, 200, 400, 800, 1_600])
    robot.break('agent')
    expect([robot.state(), robot.context().notice]).toEqual([
      'active.holding',
      'agent failed too often',
    ])
    await robot.clock.advance(30_000)
    expect(robot.valueOf('agent')).toBeUndefined()
  })

  test('a failure is forgiven after a minute', async () => {
    const robot = await autonomous()
    for (let failures = 0; failures < 20; failures++) {
      robot.break('agent')
      await robot.clock.advance(30_000)
    }
    expect(robot.state()).toBe('active.autonomous')
    expect(robot.valueOf('agent')).toBeDefined()
  })

  test('an agent that is started again while it holds stays paused', async () => {
    const robot = await autonomous()
    robot.root.send({ type: 'robot.pause' })
    robot.break('agent')
    await robot.clock.advance(100)
    expect(robot.children()).toEqual(asleep)
  })

  test('a perception that is started again watches its sensors anew', async () => {
    const robot = await autonomous()
    robot.break('perception')
    expect(robot.valueOf('perception')).toBeUndefined()
    await robot.clock.advance(100)
    expect(robot.valueOf('perception')).toBe('unlocalised')
    expect(robot.root.system.get('sensor.front')?.getSnapshot().value).toBe('warming')
  })

  test('the model is not started again, and it holds', async () => {
    const robot = await autonomous()
    robot.break('llm')
    expect([robot.state(), robot.context().notice]).toEqual([
      'active.holding',
      'llm failed too often',
    ])
    await robot.clock.advance(120_000)
    expect(robot.valueOf('llm')).toBeUndefined()
  })

  test('not even when the agent is started again after it', async () => {
    const robot = await autonomous()
    robot.break('llm')
    robot.break('agent')
    await robot.clock.advance(100)
    expect(robot.valueOf('llm')).toBeUndefined()
  })

  test('nor by a reset', async () => {
    const robot = await autonomous()
    robot.break('llm')
    robot.root.send({ type: 'robot.halt', cause: 'asked to halt' })
    robot.root.send({ type: 'robot.reset' })
    expect(robot.valueOf('llm')).toBeUndefined()
  })

  test('it cannot be told to drive itself while the agent is still to be started again', async () => {
    const robot = livingRobot()
    await robot.boot()
    robot.break('agent')
    robot.arm()
    robot.root.send({ type: 'robot.resume' })
    expect(robot.state()).toBe('active.holding')
    await robot.clock.advance(100)
    robot.root.send({ type: 'robot.resume' })
    expect(robot.state()).toBe('active.autonomous')
  })

  test('wheels that do not settle halt it', async () => {
    const robot = await autonomous()
    const twist = { linear: 0.2, angular: 0 }
    robot.root.system.get('motion')?.send({ type: 'motion.drive', twist, leaseMs: 500 })
    await robot.clock.advance(3_500)
    expect(robot.state()).toBe('halted')
  })
})
