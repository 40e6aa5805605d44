import { connect } from 'node:net'
import { describe, expect } from 'vitest'
import {
  cliPath,
  type Place,
  reportOf,
  type Running,
  type Status,
  test,
} from '../support/mechos.ts'

async function aRobotThatDrives(place: Place): Promise<Running> {
  const robot = place.start(['run', '--headless', '--for', '3600', '--speed', '1', '--report', '-'])
  await place.reaches('rover', drives)
  return robot
}

const drives = ({ state, pose }: Status) => state === 'active.autonomous' && (pose?.x ?? 0) > 0.05

function distance(one: Status, other: Status): number {
  const [a, b] = [one.pose, other.pose]
  return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : Infinity
}

describe.concurrent('a second process', { timeout: 120_000 }, () => {
  test('halts, resets, arms and lets drive again', async ({ place }) => {
    const robot = await aRobotThatDrives(place)

    expect(await place.run('halt')).toMatchObject({
      code: 0,
      stdout: 'rover: halted, evidence measured\n',
      stderr: '',
    })
    // It rolls on for a few centimetres; after that nothing moves it.
    const still = await place.reaches('rover', ({ state }) => state === 'halted')
    const resumed = await place.run('resume')
    expect([resumed.code, resumed.stdout]).toEqual([
      2,
      expect.stringMatching(/^resume: the robot is halted; .*\n$/),
    ])
    expect(distance(still, await place.reaches('rover', () => true))).toBeLessThan(0.1)

    const epoch = still.epoch
    expect(await place.run('reset', 'rover')).toMatchObject({
      code: 0,
      stdout: `rover: standby, epoch ${epoch}. When all are clear of it: mechos arm rover --epoch ${epoch}\n`,
    })
    const wrong = await place.run('arm', '--epoch', String(epoch + 1))
    expect([wrong.code, wrong.stderr]).toEqual([2, ''])
    expect(wrong.stdout).toMatch(
      new RegExp(`${epoch + 1} is not allowed; the present one is ${epoch}\n$`),
    )
    expect((await place.statusOf('rover'))?.state).toBe('standby')

    expect(await place.run('arm', 'rover', '--epoch', String(epoch))).toMatchObject({
      code: 0,
      stdout: `rover: active.holding, epoch ${epoch + 1}\n`,
    })
    const held = await place.reaches('rover', ({ state }) => state === 'active.holding')
    expect(held.causes).toEqual([])

    expect((await place.run('resume')).code).toBe(0)
    await place.reaches('rover', (status) => distance(status, held) > 0.1)

    robot.signal('SIGTERM')
    expect(reportOf(await robot.ended)).toMatchObject({ state: 'halted', exit: 0 })
  })

  test('pauses it, gives it a goal, and asks what it does', async ({ place }) => {
    const robot = await aRobotThatDrives(place)
    expect(await place.run('pause')).toMatchObject({
      code: 0,
      stdout: 'rover: active.holding, epoch 2\n',
    })
    expect(await place.run('goal', 'find', 'the', 'kitchen')).toMatchObject({
      code: 0,
      stdout: 'rover: active.autonomous, epoch 2\n',
    })
    expect((await place.statusOf('rover'))?.goal).toBe('find the kitchen')

    const text = await place.run('status')
    expect([text.code, text.stderr]).toEqual([0, ''])
    expect(text.stdout).toMatch(
      new RegExp(`^robot +rover \\(process ${robot.pid}, simulated body\\)\n`),
    )
    expect(text.stdout).toMatch(/^state +active\.autonomous$/m)
    expect(text.stdout).toMatch(/^goal +find the kitchen$/m)
    expect(text.stdout).toMatch(/^pose +x -?\d+\.\d\d m, y /m)

    const json = await place.run('status', 'rover', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({
      name: 'rover',
      pid: robot.pid,
      state: 'active.autonomous',
      causes: [],
      epoch: 2,
      pose: { x: expect.any(Number), y: expect.any(Number), heading: expect.any(Number) },
      budget: { state: 'ample', spent: 0, limit: 100_000 },
      llm: { circuit: 'closed', lastError: null },
      halt: null,
    })
  })

  test('may say halt in four ways', async ({ place }) => {
    await aRobotThatDrives(place)
    for (const verb of ['stop', 'estop', 'kill', 'halt']) {
      const said = await place.run(verb, '--json')
      expect([said.code, JSON.parse(said.stdout)]).toEqual([
        0,
        { name: 'rover', evidence: 'measured', ms: expect.any(Number), body: 'simulated' },
      ])
    }
    expect((await place.statusOf('rover'))?.state).toBe('halted')
  })

  test('speaks of a robot that is not there', async ({ place }) => {
    const absent = { code: 1, stdout: '', stderr: 'no robot is running\n' }
    for (const words of [
      ['status'],
      ['halt'],
      ['reset'],
      ['resume'],
      ['goal', 'home'],
      ['arm', '--epoch', '3'],
    ]) {
      expect(await place.run(...words)).toMatchObject(absent)
    }
    await aRobotThatDrives(place)
    expect(await place.run('halt', 'lander')).toMatchObject({
      code: 1,
      stderr: 'name: lander is not running; running are: rover\n',
    })
    expect((await place.statusOf('rover'))?.state).toBe('active.autonomous')
  })

  test('finds a robot by its state folder, and by name from any other folder', async ({
    place,
  }) => {
    const words = 'run --headless --for 3600 --speed 1 --state here --report -'.split(' ')
    const robot = place.start(words)
    await expect
      .poll(async () => (await place.run('status', '--state', 'here')).code, { timeout: 20_000 })
      .toBe(0)
    const elsewhere = (verb: string) =>
      place.launch('sh', ['-c', `cd home && ${process.execPath} ${cliPath} ${verb}`]).ended
    expect((await elsewhere('status')).stdout).toContain(`process ${robot.pid}`)
    expect(await elsewhere('halt rover')).toMatchObject({
      code: 0,
      stdout: 'rover: halted, evidence measured\n',
    })
    robot.signal('SIGTERM')
    expect(reportOf(await robot.ended).causes).toContain('asked to halt')
  })

  test('kills a robot that does not answer within 300 ms, and says that it knows nothing', async ({
    place,
  }) => {
    const robot = await aRobotThatDrives(place)
    robot.signal('SIGSTOP')
    const halted = await place.run('halt', '--json')
    expect(JSON.parse(halted.stdout)).toMatchObject({
      name: 'rover',
      evidence: 'none',
      killed: robot.pid,
    })
    // A simulated body moves nobody's fingers.
    expect(halted.code).toBe(0)
    expect((await robot.ended).signal).toBe('SIGKILL')
    // The dead robot's lock does not keep the next one out.
    expect((await place.run('run', '--headless', '--for', '1')).code).toBe(0)
  })
})

describe.concurrent('rubbish on the control socket', { timeout: 120_000 }, () => {
  const rubbish: Record<string, string | Buffer> = {
    'raw bytes': Buffer.from([0, 255, 10, 13, 10, 0x1b, 0xc0, 10]),
    'no JSON': 'halt\n',
    'a number': '3\n',
    null: 'null\n',
    'an unknown verb': '{"verb":"fly"}\n',
    'a field too many': '{"verb":"reset","now":true}\n',
    'an epoch that is no number': '{"verb":"arm","epoch":"3"}\n',
    'an endless epoch': '{"verb":"arm","epoch":1e999}\n',
    'a goal without words': '{"verb":"goal","text":""}\n',
    'a huge line': `${'x'.repeat(200_000)}\n`,
    'a huge line without an end': 'x'.repeat(200_000),
  }

  test('is answered with what is wrong, and changes nothing', async ({ place }) => {
    await aRobotThatDrives(place)
    const before = await place.statusOf('rover')
    for (const [title, bytes] of Object.entries(rubbish)) {
      const answers = await say(place.socketOf('rover'), bytes)
      for (const answer of answers) {
        expect(JSON.parse(answer), title).toMatchObject({ ok: false, message: expect.any(String) })
      }
      expect(answers.length, title).toBeGreaterThan(0)
    }
    const after = await place.statusOf('rover')
    expect([after?.state, after?.epoch, after?.goal]).toEqual([
      before?.state,
      before?.epoch,
      before?.goal,
    ])
  })

  test('fifty connections that say nothing keep nobody from halting', async ({ place }) => {
    const robot = await aRobotThatDrives(place)
    const sockets = Array.from({ length: 50 }, () => connect(place.socketOf('rover')))
    for (const socket of sockets) socket.on('error', () => socket.destroy())
    await Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))),
    )
    const before = await place.reaches('rover', drives)
    await place.reaches('rover', (status) => distance(status, before) > 0.05)
    expect(await place.run('halt')).toMatchObject({
      code: 0,
      stdout: 'rover: halted, evidence measured\n',
    })
    expect((await place.statusOf('rover'))?.state).toBe('halted')
    expect(robot.text()).toBe('')
    for (const socket of sockets) socket.destroy()
  })
})

/** Sends bytes and resolves to the lines that come back, at the first of them or when the robot hangs up. */
function say(path: string, bytes: string | Buffer): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const socket = connect(path)
    let text = ''
    const done = () => {
      socket.destroy()
      resolve(text.split('\n').filter((line) => line !== ''))
    }
    socket.setEncoding('utf8')
    socket.on('error', done)
    socket.on('close', done)
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.endsWith('\n')) done()
    })
    socket.write(bytes)
  })
}
