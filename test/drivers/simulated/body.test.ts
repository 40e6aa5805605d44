import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { parseConfiguration, type Configuration } from '../../../core/vocabulary/configuration.ts'
import { virtualClock } from '../../../drivers/clock.ts'
import { simulatedBody } from '../../../drivers/simulated/body.ts'
import { boxWalls, type Room } from '../../../drivers/simulated/room.ts'
import { bodyConformance, type Bench } from '../body.suite.ts'
import { emptyRoom, rig, robotWith, wallAt } from './rig.ts'

const allParts = {
  lidar: {},
  ranges: [{ name: 'front' }],
  bumpers: [{ name: 'nose' }],
  relays: [
    { name: 'lamp', halt: 'low' },
    { name: 'lock', halt: 'high' },
  ],
  servos: [
    { name: 'gripper', halt: 'hold' },
    { name: 'tail', halt: 'release' },
  ],
}
const uno = parseConfiguration({
  name: 'uno-rover',
  body: {
    kind: 'firmata',
    wheels: {
      left: { pwm: 3, dir: 2, halt: 'coast' },
      right: { pwm: 11, dir: 12, halt: 'coast' },
      radiusMetres: 0.03,
      trackMetres: 0.15,
    },
    ranges: [{ name: 'front', pin: 'A0' }],
    bumpers: [{ name: 'nose', pin: 4 }],
    relays: [{ name: 'lamp', pin: 7, halt: 'low' }],
  },
  limits: { linear: 0.3, angular: 1.5 },
})
const lamp = parseConfiguration({
  name: 'lamp',
  body: { kind: 'simulated', imu: false, relays: [{ name: 'lamp', halt: 'low' }] },
  limits: { linear: 0.3, angular: 1.5 },
})

bodyConformance('a simulated body with every part', () => benchFor(robotWith(allParts)))
bodyConformance('a simulated Uno rover', () => benchFor(uno))
bodyConformance('a simulated lamp', () => benchFor(lamp))

describe('the simulated drive', () => {
  test('goes straight on by what its wheels turn, but for slip', async () => {
    const { body, drive, last } = await rig(robotWith())
    await drive(10, 10, 3400)
    await drive(0, 0, 800)
    const { pose, distanceMetres } = body.truth()
    expect(pose.x).toBeCloseTo(1.02, 1)
    expect(Math.abs(pose.y)).toBeLessThan(0.1)
    expect(Math.abs(pose.heading)).toBeLessThan(0.1)
    expect(distanceMetres).toBeCloseTo(pose.x, 2)
    const rolled = ((last('encoders').left + last('encoders').right) / 2) * 0.03
    expect(Math.abs(rolled / distanceMetres - 1)).toBeLessThan(0.02)
    expect(rolled).not.toBe(distanceMetres)
  })

  test('turns left on the spot when the right wheel runs forward and the left one back', async () => {
    const { body, drive, last } = await rig(robotWith())
    await drive(-5, 5, 1000)
    const { pose } = body.truth()
    expect(pose.heading).toBeGreaterThan(1.5)
    expect(Math.sqrt(pose.x * pose.x + pose.y * pose.y)).toBeLessThan(0.02)
    expect(last('encoders').right).toBeGreaterThan(4)
    expect(last('encoders').left).toBeLessThan(-4)
  })

  test('runs no faster than full speed', async () => {
    const { body, drive, last } = await rig(robotWith())
    await drive(1000, 1000, 1000)
    expect(body.outputs().map((output) => output.output)).toEqual([1, 1])
    expect(last('encoders').left).toBeLessThan(20)
    expect(last('encoders').left).toBeGreaterThan(18)
  })

  test('needs about 80 ms for 63 % of a change', async () => {
    const { drive, last } = await rig(robotWith())
    await drive(10, 10, 60)
    const before = last('encoders').left
    await drive(10, 10, 40)
    const speed = (last('encoders').left - before) / 0.04
    expect(speed).toBeGreaterThan(5)
    expect(speed).toBeLessThan(7.5)
  })

  test('a halt stops it on its own, braked wheels sooner, and then its encoders are still', async () => {
    const [coasted, braked] = [await runsOnAfterHalt('coast'), await runsOnAfterHalt('brake')]
    expect(coasted).toBeCloseTo(0.012, 2)
    expect(braked).toBeLessThan(coasted / 3)

    const { body, drive, wait, all } = await rig(robotWith())
    await drive(10, 10, 1000)
    body.halt()
    await wait(1000)
    const still = all('encoders').slice(-15)
    expect(new Set(still.map((reading) => reading.left)).size).toBe(1)
    expect(new Set(still.map((reading) => reading.right)).size).toBe(1)
  })

  test('a body without power for its wheels is still, but its world goes on', async () => {
    const { body, wait, readings } = await rig(robotWith())
    body.halt()
    await wait(200)
    expect(body.truth()).toEqual({
      pose: { x: 0, y: 0, heading: 0 },
      distanceMetres: 0,
      collisions: 0,
    })
    expect(readings.length).toBeGreaterThan(0)
    await body.close()
    const heard = readings.length
    await wait(200)
    expect(readings).toHaveLength(heard)
  })
})

describe('collisions', () => {
  const bumpers = [
    { name: 'nose', facing: 0 },
    { name: 'flank', facing: Math.PI / 2 },
    { name: 'tail', facing: Math.PI },
  ]
  const footprint = 0.125

  test('a wall holds the robot, and is one collision until the robot has left it', async () => {
    const { body, drive } = await rig(robotWith(), wallAt(0.5))
    await drive(10, 10, 3000)
    expect(body.truth().pose.x).toBeCloseTo(0.5 - footprint, 3)
    expect(body.truth().pose.x).toBeLessThanOrEqual(0.5 - footprint)
    expect(body.truth().collisions).toBe(1)
    const travelled = body.truth().distanceMetres
    await drive(10, 10, 1000)
    expect(body.truth().distanceMetres - travelled).toBeLessThan(1e-4)
    expect(body.truth().collisions).toBe(1)
    await drive(-5, 5, 300)
    expect(body.truth().collisions).toBe(1)
    await drive(5, -5, 300)
    await drive(-10, -10, 1000)
    expect(body.truth().pose.x).toBeLessThan(0.2)
    await drive(10, 10, 2000)
    expect(body.truth().collisions).toBe(2)
  })

  test('the wheels of a robot that is held turn on, so that encoders deceive', async () => {
    const { drive, last, body } = await rig(robotWith(), wallAt(0.5))
    await drive(10, 10, 4000)
    expect(last('encoders').left * 0.03).toBeGreaterThan(body.truth().distanceMetres * 2)
  })

  test('a bumper is pressed by what is in front of it only, and released afterwards', async () => {
    const { drive, all } = await rig(robotWith({ bumpers }), wallAt(0.5))
    const pressed = () =>
      all('bumper')
        .slice(-3)
        .map((reading) => [reading.name, reading.pressed])
    await drive(10, 10, 500)
    expect(pressed()).toEqual([
      ['nose', false],
      ['flank', false],
      ['tail', false],
    ])
    await drive(10, 10, 2000)
    expect(pressed()).toEqual([
      ['nose', true],
      ['flank', false],
      ['tail', false],
    ])
    // A right turn by a quarter brings the wall to the left side, in touch all the while.
    await drive(5, -5, 800)
    expect(pressed()).toEqual([
      ['nose', false],
      ['flank', true],
      ['tail', false],
    ])
  })

  test.each([29.2, 29.5, 29.8, 30.1])(
    'nothing gets through a thin wall at %s m, however fast',
    async (wall) => {
      const wheels = { radiusMetres: 1, trackMetres: 0.2, fullSpeed: 200 }
      const { body, drive } = await rig(robotWith({ wheels, footprintMetres: 0.05 }), wallAt(wall))
      await drive(200, 200, 1000)
      expect(body.truth().pose.x).toBeLessThan(wall)
      expect(body.truth().collisions).toBe(1)
    },
  )

  test('a column holds the robot too', async () => {
    const room: Room = { walls: [], discs: [{ centre: { x: 1, y: 0 }, radius: 0.2 }] }
    const { body, drive } = await rig(robotWith(), room)
    await drive(10, 10, 4000)
    const { x, y } = body.truth().pose
    expect(Math.sqrt((1 - x) * (1 - x) + y * y)).toBeCloseTo(0.2 + footprint, 3)
    expect(body.truth().collisions).toBe(1)
  })
})

describe('the simulated sensors', () => {
  test('a lidar sees a wall at its distance and in its direction', async () => {
    const { wait, last, drive, body } = await rig(robotWith({ lidar: {} }), wallAt(2))
    await wait(200)
    const before = last('lidar')
    expect(before.ranges).toHaveLength(360)
    expect(seen(before, 0)).toBeCloseTo(2, 1)
    expect(seen(before, Math.PI / 4)).toBeCloseTo(2 * Math.SQRT2, 1)
    expect(seen(before, -Math.PI / 4)).toBeCloseTo(2 * Math.SQRT2, 1)
    expect(seen(before, Math.PI / 2 + 0.1)).toBe(Infinity)
    expect(seen(before, -Math.PI)).toBe(Infinity)
    // 80 degrees off, the wall is 11 m away and so out of reach.
    expect(seen(before, (80 * Math.PI) / 180)).toBe(Infinity)
    await drive(-5, 5, 800)
    await drive(0, 0, 1000)
    const after = last('lidar')
    expect(seen(after, -body.truth().pose.heading)).toBeCloseTo(2, 1)
    expect(after.ranges).not.toEqual(before.ranges)
  })

  test('a lidar errs by about 5 mm', async () => {
    const { wait, all } = await rig(robotWith({ lidar: {} }), wallAt(2))
    await wait(20_000)
    const errors = all('lidar').map((scan) => seen(scan, 0) - 2)
    const sigma = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length)
    expect(sigma).toBeGreaterThan(0.004)
    expect(sigma).toBeLessThan(0.006)
  })

  test('a range finder sees what it faces within the reach of its model', async () => {
    const ranges = [
      { name: 'front' },
      { name: 'ahead', x: 0.1 },
      { name: 'flank', facing: Math.PI / 2 },
      { name: 'long', model: 'GP2Y0A02' },
      { name: 'short', model: 'GP2Y0A41' },
    ]
    const measure = async (wall: number) => {
      const { wait, all } = await rig(robotWith({ ranges }), wallAt(wall))
      await wait(20)
      return Object.fromEntries(all('range').map((reading) => [reading.name, reading.metres]))
    }
    expect(await measure(0.5)).toEqual({
      front: expect.closeTo(0.5, 1),
      ahead: expect.closeTo(0.4, 1),
      flank: Infinity,
      long: expect.closeTo(0.5, 1),
      short: Infinity,
    })
    expect(await measure(1.2)).toEqual({
      front: Infinity,
      ahead: Infinity,
      flank: Infinity,
      long: expect.closeTo(1.2, 1),
      short: Infinity,
    })
    expect(await measure(0.03)).toMatchObject({ front: 0.1, long: 0.2, short: 0.04 })
  })

  test('an IMU feels a left turn as positive and a start as forward', async () => {
    const { drive, all, last } = await rig(robotWith())
    await drive(10, 10, 40)
    expect(last('imu').accelerationX).toBeGreaterThan(1)
    await drive(-2, 2, 1000)
    const rates = all('imu')
      .slice(-10)
      .map((reading) => reading.turnRate)
    expect(rates.reduce((sum, rate) => sum + rate, 0) / rates.length).toBeCloseTo(0.8, 1)
  })

  test('a battery only ever drains, and sooner under load', async () => {
    const idle = await rig(robotWith())
    await idle.wait(20_000)
    const busy = await rig(robotWith())
    await busy.drive(20, 20, 20_000)
    for (const { all } of [idle, busy]) {
      const charges = all('battery').map((reading) => reading.charge)
      expect(charges).toHaveLength(20)
      expect(charges).toEqual([...new Set(charges)].toSorted((a, b) => b - a))
    }
    expect(busy.last('battery').charge).toBeLessThan(idle.last('battery').charge)
    expect(busy.last('battery').volts).toBeLessThan(idle.last('battery').volts)
  })

  test('each speaks at its own rate, and from the first tick on', async () => {
    const { wait, readings, all } = await rig(robotWith(allParts))
    await wait(20)
    expect(readings.map((reading) => reading.kind)).toEqual([
      'encoders',
      'imu',
      'bumper',
      'range',
      'lidar',
      'battery',
    ])
    expect(readings.every((reading) => reading.stampMs === 20)).toBe(true)
    await wait(1980)
    const counts = (['encoders', 'imu', 'bumper', 'range', 'lidar', 'battery'] as const).map(
      (kind) => all(kind).length,
    )
    expect(counts).toEqual([100, 100, 100, 50, 20, 2])
  })

  test('its contacts are closed until a test opens them, and without its supply nothing turns', async () => {
    const contacts = { stopButtons: [{ name: 'red' }], motorPower: {} }
    const { body, wait, drive, all, last } = await rig(robotWith(contacts))
    await wait(20)
    expect(all('contact').map(({ name, closed }) => [name, closed])).toEqual([
      ['red', true],
      ['motorPower', true],
    ])
    body.setContact('red', false)
    body.setContact('motorPower', false)
    await drive(10, 10, 1_000)
    expect(
      all('contact')
        .slice(2)
        .some(({ closed }) => closed),
    ).toBe(false)
    expect(last('encoders')).toMatchObject({ left: 0, right: 0 })
    body.setContact('red', true)
    await wait(20)
    expect(all('contact').at(-2)).toMatchObject({ name: 'red', closed: true })
    expect(() => body.setContact('blue', false)).toThrow(TypeError)
  })

  test('a robot has the sensors that it declares', async () => {
    expect(await kindsOf(robotWith({ imu: false }))).toEqual(['encoders', 'battery'])
    expect(await kindsOf(uno)).toEqual(['bumper', 'range'])
  })
})

describe('a simulated run', () => {
  test('repeats with its seed, and is another with another', async () => {
    const first = await digest(7)
    expect(await digest(7)).toBe(first)
    expect(await digest(8)).not.toBe(first)
  })

  test('keeps the noise of one sensor when another is added', async () => {
    const room = { walls: boxWalls({ x: 0, y: 0 }, { x: 4, y: 3 }, 0), discs: [] }
    const scan = async (parts: object) => {
      const { drive, all, body } = await rig(robotWith({ lidar: {}, ...parts }), room)
      await drive(6, 4, 2000)
      return { scans: all('lidar'), truth: body.truth() }
    }
    const fewer = await scan({ imu: false })
    const more = await scan({ ranges: [{ name: 'front' }, { name: 'back', facing: Math.PI }] })
    expect(more).toEqual(fewer)
  })

  test('costs well under a second of processor time for 20 s', async () => {
    const started = process.cpuUsage()
    await digest(9)
    const used = process.cpuUsage(started)
    expect((used.user + used.system) / 1000).toBeLessThan(1000)
  })

  test('asks for a step that has an end and an integer for a seed', () => {
    const clock = virtualClock()
    const body = simulatedBody(robotWith(), { clock, seed: 1 })
    for (const wrong of [NaN, -1, Infinity, 60_001]) {
      expect(() => body.step(wrong)).toThrow(TypeError)
    }
    for (const seed of [NaN, 0.5, Infinity]) {
      expect(() => simulatedBody(robotWith(), { clock, seed })).toThrow(TypeError)
    }
  })

  test('goes on where it was when the body is opened again, its encoders from 0', async () => {
    const { body, drive, wait, last, readings } = await rig(robotWith(allParts))
    await drive(10, 10, 1010)
    await body.close()
    await wait(500)
    const { pose } = body.truth()
    expect(pose.x).toBeGreaterThan(0.2)
    await body.open()
    readings.length = 0
    await wait(20)
    expect(body.truth().pose).toEqual(pose)
    expect(last('encoders')).toMatchObject({ left: 0, right: 0 })
    expect(readings.map((reading) => reading.kind)).toContain('battery')
    expect(last('battery').charge).toBeLessThan(1)
  })

  test('refuses to arm a body that is not open', () => {
    const body = simulatedBody(robotWith(), { clock: virtualClock(), seed: 1 })
    expect(() => body.arm()).toThrow(expect.objectContaining({ code: 'ERR_GATE_SHUT' }))
  })

  test('has no evidence of a halt while something moves', async () => {
    const { body, drive } = await rig(robotWith())
    await drive(1, 1, 20)
    expect(await body.confirm()).toBe('none')
    body.halt()
    expect(await body.confirm()).toBe('measured')
  })
})

/** How far, in metres, a robot still goes after a halt at half of its full speed; it must then be still. */
async function runsOnAfterHalt(halt: 'coast' | 'brake'): Promise<number> {
  const wheel = (pwm: number, dir: number, cdir: number) => ({ pwm, dir, cdir, halt })
  const wheels = {
    left: wheel(3, 2, 4),
    right: wheel(11, 12, 13),
    radiusMetres: 0.03,
    trackMetres: 0.15,
  }
  const firmata = parseConfiguration({
    name: 'rover',
    body: { kind: 'firmata', wheels },
    limits: { linear: 0.3, angular: 1.5 },
  })
  const { body, drive, wait } = await rig(firmata)
  await drive(10, 10, 1000)
  const before = body.truth().distanceMetres
  body.halt()
  await wait(600)
  const stopped = body.truth()
  await wait(300)
  expect(body.truth()).toEqual(stopped)
  return stopped.distanceMetres - before
}

/** The kinds of reading that a robot sends, in the order of their first. */
async function kindsOf(configuration: Configuration): Promise<string[]> {
  const { wait, readings } = await rig(configuration)
  await wait(1100)
  return [...new Set(readings.map((reading) => reading.kind))]
}

/** Beam nearest to `bearing` (radians in `base_link`). */
function seen(
  scan: { firstAngle: number; angleStep: number; ranges: readonly number[] },
  bearing: number,
): number {
  const beam = Math.round((bearing - scan.firstAngle) / scan.angleStep)
  return scan.ranges[beam % scan.ranges.length] ?? NaN
}

/** All that a robot with every part senses in 20 s of a run in the room of its seed. */
async function digest(seed: number): Promise<string> {
  const clock = virtualClock()
  const body = simulatedBody(robotWith(allParts), { clock, seed })
  const hash = createHash('sha256')
  body.onReading((reading) => hash.update(JSON.stringify(reading)))
  await body.open()
  body.arm()
  for (let tick = 0; tick < 1000; tick++) {
    const bend = tick % 200 < 100 ? 1 : -1
    body.write({ kind: 'wheels', left: 8 - bend, right: 8 + bend })
    body.step(20)
  }
  hash.update(JSON.stringify(body.truth()))
  return hash.digest('hex')
}

/** Looks at how the robot really moves, but for relays, which have no outside in a simulation. */
async function benchFor(configuration: Configuration): Promise<Bench> {
  const clock = virtualClock()
  const body = simulatedBody(configuration, { clock, seed: 3, room: emptyRoom })
  const tick = async () => {
    await clock.advance(20)
    body.step(20)
  }
  const settle = async () => {
    for (let ticks = 0; ticks < 50; ticks++) await tick()
  }
  const effortOf = async (wheel: 'left' | 'right') => {
    const { wheels } = configuration.body
    if (!wheels) throw new Error('there are no wheels to look at')
    let rolledMetres = 0
    const ticks = 20
    for (let ticked = 0; ticked < ticks; ticked++) {
      const before = body.truth().pose
      await tick()
      const after = body.truth().pose
      const turn = after.heading - before.heading
      const middle = before.heading + turn / 2
      const forward =
        (after.x - before.x) * Math.cos(middle) + (after.y - before.y) * Math.sin(middle)
      const outward = (turn * wheels.trackMetres) / 2
      rolledMetres += wheel === 'left' ? forward - outward : forward + outward
    }
    return rolledMetres / (ticks * 0.02) / wheels.radiusMetres / wheels.fullSpeed
  }
  return {
    body,
    configuration,
    settle,
    effortOf,
    levelOf: (relay) => {
      const level = body.outputs().find((output) => output.name === relay)?.output
      return Promise.resolve(level === 1 ? 1 : 0)
    },
    close: () => body.close(),
  }
}
