import { readdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { McapIndexedReader } from '@mcap/core'
import { FileHandleReadable } from '@mcap/nodejs'
import { describe, expect } from 'vitest'
import type { Link } from '../../core/record/chain.ts'
import type { Entry } from '../../core/record/entry.ts'
import { recordsIn } from '../../store/records.ts'
import { type Place, reportOf, test } from '../support/mechos.ts'
import { cameOf, entriesOf, outputsNamed } from '../support/records.ts'
import { chainedAnew, tamper } from '../support/tampering.ts'

const wordsFor = (seconds: number) =>
  `run --headless --for ${seconds} --seed 7 --state kept --report -`.split(' ')

/** A run that has ended, and where it was recorded. */
async function recorded(place: Place, seconds: number): Promise<string> {
  const report = reportOf(await place.run(...wordsFor(seconds)))
  expect(report.recordDir).toMatch(/\/kept\/records\/rover-/)
  return report.recordDir ?? ''
}

/** How many messages each topic of an MCAP file has, read as viewers read it, and the schemas of all of them. */
async function messagesIn(path: string) {
  const file = await open(path, 'r')
  try {
    const reader = await McapIndexedReader.Initialize({ readable: new FileHandleReadable(file) })
    const counts: Record<string, number> = {}
    let isOrdered = true
    let lastTime = 0n
    for await (const { channelId, data, logTime } of reader.readMessages()) {
      const { topic } = reader.channelsById.get(channelId) ?? { topic: 'nowhere' }
      counts[topic] = (counts[topic] ?? 0) + 1
      isOrdered &&= logTime >= lastTime
      lastTime = logTime
      JSON.parse(new TextDecoder().decode(data))
    }
    const schemas = [...reader.schemasById.values()].map(({ name }) => name).toSorted()
    return { counts, schemas, isOrdered }
  } finally {
    await file.close()
  }
}

const another = (_: string, digit: string) => `"left":${(Number(digit) + 1) % 10}`

/** How many messages there have to be on each topic, as the entries themselves say; topics without any are left out. */
function topicsOf(entries: readonly Entry[]) {
  const doors = (...names: readonly string[]) =>
    entries.filter((entry) => 'door' in entry && names.includes(entry.door)).length
  const all = {
    '/pose': outputsNamed(entries, 'pose'),
    '/tf': outputsNamed(entries, 'pose'),
    '/lidar': entries.filter((entry) => JSON.stringify(entry).includes('"kind":"lidar"')).length,
    '/intents': outputsNamed(entries, 'proposal'),
    '/verdicts': outputsNamed(entries, 'verdict'),
    '/states': outputsNamed(entries, 'state'),
    '/notices': outputsNamed(entries, 'notice'),
    '/commands': doors('send', 'drive', 'halt', 'start', 'stop'),
  }
  return Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0))
}

describe.concurrent('the record of a run', { timeout: 120_000 }, () => {
  test('is replayed without a difference, by the name of the robot, of the run, or by its folder', async ({
    place,
  }) => {
    const folder = await recorded(place, 6)
    const entries = await entriesOf(folder)
    const run = recordsIn(join(place.path, 'kept', 'records'))[0]?.run ?? ''
    for (const word of ['rover', run, folder]) {
      const ended = await place.run('replay', word, '--state', 'kept', '--json')
      expect([ended.code, ended.stderr]).toEqual([0, ''])
      expect(cameOf(ended)).toEqual({
        events: entries.length - 1,
        differences: 0,
        first: null,
        complete: true,
        gap: null,
      })
    }
    const said = await place.run('replay', 'rover', '--state', 'kept')
    expect(said).toMatchObject({
      code: 0,
      stdout: `${run}: ${entries.length - 1} entries replayed, no difference\n`,
    })
    const cat = await place.run('replay', 'cat', '--state', 'kept')
    expect([cat.code, cat.stderr]).toEqual([
      2,
      `run: cat is not allowed; a folder of a record, a run or a robot that has one, such as ${run}\n`,
    ])
  })

  test('in which one number was changed is refused, and with its chain made anew differs', async ({
    place,
  }) => {
    const folder = await recorded(place, 4)
    let number = -1
    const changed = (links: readonly Link[]) => {
      number = links.findIndex(({ text }) => /"kind":"encoders","stampMs":2000,/.test(text))
      return links.map((link, index) =>
        index === number ? { ...link, text: link.text.replace(/"left":(\d)/, another) } : link,
      )
    }
    await tamper(folder, changed)
    const refused = await place.run('replay', folder)
    expect([refused.code, refused.stderr]).toEqual([
      2,
      `record: ${folder}: entry ${number} is not the one that was written: its hash is wrong\n`,
    ])
    const broken = await place.run('replay', folder, '--json')
    expect([broken.code, cameOf(broken)]).toEqual([
      2,
      {
        events: 0,
        differences: 0,
        first: null,
        complete: false,
        gap: expect.stringContaining(`entry ${number} is not the one`),
      },
    ])
    await tamper(folder, chainedAnew)
    const differs = await place.run('replay', folder, '--json')
    expect(differs.code).toBe(1)
    const { differences, first } = cameOf(differs)
    expect(differences).toBeGreaterThan(0)
    expect(first?.entry).toBeGreaterThan(number)
    expect(first?.after).toMatch(/^reading \{"kind":"\w+","stampMs":20\d0,.* during step:10\d$/)
  })

  test('that was killed is replayed and exported as far as it goes', async ({ place }) => {
    const robot = place.start('run --headless --for 60 --speed 1 --state kept'.split(' '))
    const isUnderWay = async () => {
      const status = await place.run('status', '--state', 'kept', '--json')
      return status.stdout.includes('"state":"active.autonomous"')
    }
    // oxlint-disable-next-line no-await-in-loop -- asked until it is so
    while (!(await isUnderWay())) await robot.says(/^/)
    robot.signal('SIGKILL')
    await robot.ended
    const ended = await place.run('replay', 'rover', '--state', 'kept', '--json')
    expect(ended.code).toBe(0)
    const came = cameOf(ended)
    expect(came).toMatchObject({ differences: 0, complete: true })
    expect(came.events).toBeGreaterThan(20)
    const exported = await place.run(...'export rover --state kept --mcap killed.mcap'.split(' '))
    expect(exported.code).toBe(0)
    const { counts } = await messagesIn(join(place.path, 'killed.mcap'))
    const [record] = recordsIn(join(place.path, 'kept', 'records'))
    const entries = await entriesOf(record?.folder ?? '')
    expect(entries.some(({ kind }) => kind === 'end')).toBe(false)
    expect(counts).toEqual(topicsOf(entries))
    expect(counts['/lidar']).toBeGreaterThan(0)
  })

  test('is exported with as many messages as it has, in the schemas of Foxglove', async ({
    place,
  }) => {
    const folder = await recorded(place, 5)
    const ended = await place.run('export', folder, '--mcap', 'run.mcap')
    expect([ended.code, ended.stderr]).toEqual([0, ''])
    const entries = await entriesOf(folder)
    const { counts, schemas, isOrdered } = await messagesIn(join(place.path, 'run.mcap'))
    expect(counts).toEqual(topicsOf(entries))
    expect(Object.keys(counts).toSorted()).toEqual([
      '/commands',
      '/intents',
      '/lidar',
      '/pose',
      '/states',
      '/tf',
      '/verdicts',
    ])
    expect(schemas).toEqual([
      'foxglove.FrameTransform',
      'foxglove.LaserScan',
      'foxglove.Log',
      'foxglove.PoseInFrame',
    ])
    expect(isOrdered).toBe(true)
    expect(counts['/lidar']).toBeGreaterThan(20)
    const nowhere = await place.run('export', folder, '--mcap', 'no/such/folder.mcap')
    expect([nowhere.code, nowhere.stderr]).toEqual([
      2,
      expect.stringMatching(/^mcap: no\/such\/folder\.mcap is not allowed; a file in a folder/),
    ])
  })

  test('with pictures in it is exported with them', async ({ place }) => {
    place.write(
      'robot.config.ts',
      `export default { name: 'rover', record: { images: true },
         body: { kind: 'simulated', wheels: { radiusMetres: 0.03, trackMetres: 0.15 }, lidar: {},
           cameras: [{ name: 'eye' }] }, limits: { linear: 0.2, angular: 1 } }`,
    )
    const folder = await recorded(place, 3)
    const replayed = await place.run('replay', folder, '--json')
    expect([replayed.code, cameOf(replayed).differences]).toEqual([0, 0])
    await place.run('export', folder, '--mcap', 'run.mcap')
    const { counts, schemas } = await messagesIn(join(place.path, 'run.mcap'))
    expect(counts['/camera/eye']).toBe(
      (await entriesOf(folder)).filter((entry) => 'door' in entry && entry.door === 'camera.eye')
        .length,
    )
    expect(counts['/camera/eye']).toBeGreaterThan(10)
    expect(schemas).toContain('foxglove.RawImage')
  })

  test('under another rule lists what would have been decided otherwise', async ({ place }) => {
    const folder = await recorded(place, 3)
    const ended = await place.run('replay', folder, '--what-if', 'limits.linear=0.3', '--json')
    expect(ended.code).toBe(0)
    const { differences, otherwise = [] } = cameOf(ended)
    expect(differences).toBe(0)
    expect(otherwise.length).toBeGreaterThan(3)
    expect(otherwise[0]).toEqual({
      recorded: 'permitted',
      otherwise: 'refused: linear 0.4 m/s is beyond the limit of 0.3 m/s',
    })
    const same = await place.run('replay', folder, '--what-if', 'limits.linear=0.4')
    expect([same.code, same.stdout]).toEqual([
      0,
      expect.stringMatching(/no difference\nnothing would have been decided otherwise\n$/),
    ])
    for (const [change, message] of [
      [
        'leaseMs=100',
        /^what-if: leaseMs=100 is not allowed; NAME=VALUE of what the kernel judges by/,
      ],
      ['limits.linear=-1', /^limits\.linear: -1 is not allowed/],
    ] as const) {
      const refused = await place.run('replay', folder, '--what-if', change)
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(message)])
    }
  })

  test('up to a second shows the robot as it was then', async ({ place }) => {
    const folder = await recorded(place, 3)
    const ended = await place.run('replay', folder, '--until', '1.5', '--json')
    expect([ended.code, cameOf(ended).status]).toEqual([0, { state: 'active.autonomous' }])
    const said = await place.run('replay', folder, '--until', '1.5')
    expect(said.stdout).toMatch(/no difference\nat 1\.5 s: autonomous · x \d\.\d\d y /)
  })

  test('is not kept where that is asked for, and everybody says so', async ({ place }) => {
    const robot = place.start('run --headless --speed 1 --no-record --report -'.split(' '))
    await place.reaches('rover', ({ memory }) => (memory?.episodes ?? 0) > 0)
    const said = await place.run('status', 'rover')
    expect(said.stdout).toMatch(/^recorder none: no record is kept of this run$/m)
    const json = await place.run('status', 'rover', '--json')
    expect(json.stdout).toContain('"recorder":null')
    robot.signal('SIGTERM')
    expect(reportOf(await robot.ended)).toMatchObject({ exit: 0, recordDir: null })
    const state = join(place.env['XDG_STATE_HOME'] ?? '', 'mechos', 'rover')
    expect(readdirSync(state)).toContain('memories')
    expect(readdirSync(state)).not.toContain('records')
    const replayed = await place.run('replay', 'rover')
    expect([replayed.code, replayed.stderr]).toEqual([
      2,
      'run: rover is not allowed; a folder of a record, a run or a robot that has one, and there is none yet\n',
    ])
  })
})
