import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { z } from 'zod'
import { dockFact, guided } from '../support/guided-model.ts'
import { cliPath, type Place, type Running, test } from '../support/mechos.ts'
import { reply, startModel } from '../support/model-server.ts'

const listSchema = z.object({
  memories: z.array(
    z.object({ id: z.int(), kind: z.string(), text: z.string(), wallMs: z.number() }),
  ),
  places: z.array(z.object({ name: z.string() })),
  notes: z.array(z.string()),
})

async function listIn(place: Place, ...more: readonly string[]) {
  const { code, stdout } = await place.run('memory', 'list', '--json', ...more)
  expect(code).toBe(0)
  return listSchema.parse(JSON.parse(stdout))
}

const stateIn = (place: Place) => join(place.env['XDG_STATE_HOME'] ?? '', 'mechos', 'rover')

describe.concurrent('mechos memory', { timeout: 120_000 }, () => {
  test('looks into what a run has left behind, and forgets it', async ({ place }) => {
    expect(await place.run('memory', 'list')).toMatchObject({
      code: 2,
      stderr: `state: ${stateIn(place)} has no memories; no robot ran there\n`,
    })
    await place.run('run', '--headless', '--for', '5', '--goal', 'find the door')
    const { memories } = await listIn(place)
    expect(memories.length).toBeGreaterThan(3)
    expect(memories.map(({ id }) => id)).toEqual(
      memories.map(({ id }) => id).toSorted((a, b) => b - a),
    )
    expect(memories.at(-1)).toMatchObject({
      id: 1,
      kind: 'episode',
      text: expect.stringMatching(/^goal "find the door": drive /),
    })
    const query = await place.run('memory', 'query', 'drive', 'to', 'the', 'door')
    expect(query.stdout).toMatch(/^ +\d+ {2}episode +just now {2}0\.\d\d {2}goal "find the door": /)
    const nothing = await place.run('memory', 'query', '§')
    expect([nothing.code, nothing.stdout]).toEqual([0, 'nothing that is remembered is like that\n'])

    const [first, second] = [await place.run('memory', 'forget', '1', '2'), await listIn(place)]
    expect([first.code, first.stdout]).toEqual([0, 'forgot 2 memories\n'])
    expect(second.memories.length).toBe(memories.length - 2)
    const again = await place.run('memory', 'forget', '1', '--json')
    expect([again.code, again.stdout]).toEqual([2, '{"forgotten":0}\n'])
    expect((await place.run('memory', 'forget', '--all')).stdout).toMatch(/^forgot \d+ memories\n$/)
    expect((await place.run('memory', 'list')).stdout).toBe('nothing is remembered\n')
  })

  test('asks the robot while that runs, which owns the memory', async ({
    place,
    onTestFinished,
  }) => {
    // Said twice it would be another memory, and a younger one.
    let isSaid = false
    const model = await startModel(({ may }) => {
      if (isSaid || !may.includes('remember')) {
        return reply('to look', { type: 'drive', linear: 0, angular: 1, durationMs: 300 })
      }
      isSaid = true
      return reply('told so', { type: 'remember', text: 'the dock is by the red door' })
    })
    onTestFinished(model.close)
    const running = place.start(
      `run --headless --brain ${model.url} --model m --goal find-the-dock`.split(' '),
    )
    await place.reaches('rover', ({ memory }) => memory?.notes === 1)
    writeFileSync(
      join(stateIn(place), 'settings.json'),
      '{"places": {"dock": {"x": 1, "y": 2, "frame": "odom"}}, "remember": ["be careful"]}',
    )
    const found = await place.run('memory', 'query', 'the', 'dock', '--name', 'rover')
    expect(found.stdout.split('\n')[0]).toMatch(/ note .*the dock is by the red door$/)
    await expect
      .poll(async () => (await place.run('memory', 'list')).stdout, { timeout: 20_000 })
      .toMatch(/^place: dock at x 1 m, y 2 m in odom\ntold: be careful\n/)
    const { memories } = await listIn(place)
    const note = memories.find(({ kind }) => kind === 'note')
    const forgot = await place.run('memory', 'forget', String(note?.id))
    expect([forgot.code, forgot.stdout]).toEqual([0, 'forgot 1 memory\n'])
    expect((await place.statusOf('rover'))?.memory).toMatchObject({ state: 'ready', notes: 0 })
    running.signal('SIGINT')
    expect((await running.ended).code).toBe(0)
    expect((await listIn(place)).memories.filter(({ kind }) => kind === 'note')).toEqual([])
  })

  test('changes what a robot decides that was started anew: told once where the dock is, it finds it', async ({
    place,
    onTestFinished,
  }) => {
    const model = await startModel(guided)
    onTestFinished(model.close)
    const words = (goal: string) => [
      ...`run --headless --brain ${model.url} --model m --goal`.split(' '),
      goal,
    ]
    const sendToDock = () => place.start(words('go to the dock'))
    const end = async (robot: Running) => {
      robot.signal('SIGINT')
      expect((await robot.ended).code).toBe(0)
    }

    // Before it was told it does not know, however often it is asked.
    const before = sendToDock()
    const lost = await place.reaches('rover', () => model.briefings.length > 4)
    expect(lost.pose).toMatchObject({ x: 0, y: 0, heading: 0 })
    await end(before)

    const told = place.start(words(`Remember: ${dockFact}`))
    await place.reaches('rover', ({ memory }) => memory?.notes === 1)
    await end(told)

    const since = model.briefings.length
    const after = sendToDock()
    const found = await place.reaches('rover', ({ pose }) => (pose?.heading ?? 0) > 0.2)
    expect([found.pid, found.goal]).toEqual([after.pid, 'go to the dock'])
    await end(after)
    // In the first prompt already, as what it is: the word of a process that is gone.
    const [first] = model.briefings.slice(since)
    expect(first).toMatchObject({ goal: 'go to the dock', last: [] })
    expect(first?.memories[0]?.text).toBe(dockFact)
  })

  test('says of a second robot whose memory it would be', async ({ place }) => {
    const running = place.start(['run', '--headless', '--detach'])
    const { pid } = await place.reaches('rover', ({ memory }) => memory?.state === 'ready')
    const second = await place.run('run', '--headless', '--for', '1')
    expect([second.code, second.stderr]).toEqual([
      2,
      `rover is running already as process ${pid}; halt it, or give this one another --state\n`,
    ])
    running.signal('SIGINT')
    await running.ended
  })

  test('keeps what was acknowledged when the robot is killed', async ({
    place,
    onTestFinished,
  }) => {
    let said = 0
    const model = await startModel(() =>
      reply('so', { type: 'remember', text: `fact number ${++said}` }),
    )
    onTestFinished(model.close)
    const running = place.start(`run --headless --brain ${model.url} --model m`.split(' '))
    const { memory } = await place.reaches('rover', (status) => (status.memory?.notes ?? 0) >= 3)
    running.signal('SIGKILL')
    await running.ended
    const { memories } = await listIn(place)
    const notes = memories.filter(({ kind }) => kind === 'note')
    expect(notes.length).toBeGreaterThanOrEqual(memory?.notes ?? Infinity)
    expect(notes.map(({ text }) => text).toReversed()).toEqual(
      notes.map((_, at) => `fact number ${at + 1}`),
    )
  })

  test.for([
    ['forget', 'x'],
    ['forget', '1', '--all'],
    ['forget', '-1'],
    ['forget'],
    ['query'],
    ['dream'],
    [],
  ])('refuses %j', async (words, { place }) => {
    const { code, stderr } = await place.run('memory', ...words)
    expect(code).toBe(2)
    expect(stderr).not.toBe('')
  })
})

const canLimit = spawnSync('prlimit', ['--version']).status === 0

describe('a full disk', { timeout: 120_000 }, () => {
  test.runIf(canLimit)(
    'degrades the memory, and the robot drives on',
    async ({ place, onTestFinished }) => {
      // A limit on files is told by a signal, too, which a disk that is full does not send.
      const deaf = 'data:text/javascript,process.on("SIGXFSZ",()=>{})'
      const words = [
        '--import',
        deaf,
        cliPath,
        'run',
        '--headless',
        '--detach',
        '--goal',
        'explore',
      ]
      const running = place.launch(process.execPath, words)
      await place.reaches('rover', ({ memory }) => (memory?.episodes ?? 0) > 0)
      const before = await place.statusOf('rover')
      const limit = async (bytes: string) => {
        const child = spawn('prlimit', ['--pid', String(running.pid), `--fsize=${bytes}:unlimited`])
        onTestFinished(() => void child.kill())
        const [code] = await once(child, 'close')
        return code
      }
      expect(await limit('1')).toBe(0)
      const degraded = await place.reaches('rover', ({ memory }) => memory?.state === 'degraded')
      expect(degraded.state).toBe('active.autonomous')
      expect(degraded.memory?.cause).toMatch(/does not keep what is written/)
      const moved = await place.reaches(
        'rover',
        ({ pose }) => pose !== null && pose.x !== before?.pose?.x && pose.x !== degraded.pose?.x,
      )
      expect(moved.state).toBe('active.autonomous')
      await limit('unlimited')
      await place.reaches('rover', ({ memory }) => memory?.state === 'ready')
      running.signal('SIGINT')
      await running.ended
    },
  )
})
