import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { watchSettings } from '../../actors/settings-watch.ts'
import { virtualClock } from '../../drivers/clock.ts'
import { settingsFileIn } from '../../store/settings.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mechos-settings-'))
  path = join(folder, 'settings.json')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const dock = { name: 'dock', x: 2, y: 1, frame: 'odom' as const }
const text = (remember: string) =>
  JSON.stringify({ places: { dock: { x: 2, y: 1, frame: 'odom' } }, remember: [remember] })
const settingsWith = (note: string) => ({ places: [dock], notes: [note] })

describe('the file of settings', () => {
  test('is made where there is none, for people to fill in, and never written over', async () => {
    const file = settingsFileIn(folder)
    expect((await file.look()).settings).toEqual({ places: [], notes: [] })
    await file.begin()
    expect(readFileSync(path, 'utf8')).toBe('{\n  "places": {},\n  "remember": []\n}\n')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    writeFileSync(path, text('first'))
    await file.begin()
    expect((await file.look()).settings).toEqual(settingsWith('first'))
  })

  test('is read again when somebody has edited it', async () => {
    const file = settingsFileIn(folder)
    writeFileSync(path, text('first'))
    const first = await file.look()
    expect(await file.look()).toBe(first)
    writeFileSync(path, text('the second'))
    expect(await file.look()).toMatchObject({
      settings: settingsWith('the second'),
      problem: undefined,
    })
    rmSync(path)
    expect((await file.look()).settings).toEqual({ places: [], notes: [] })
  })

  test('with a mistake leaves the last good ones, and says where it is', async () => {
    const file = settingsFileIn(folder)
    writeFileSync(path, text('first'))
    await file.look()
    writeFileSync(
      path,
      '{\n  "places": {\n    "dock": { "x": "2", "y": 1, "frame": "odom" }\n  }\n}\n',
    )
    expect(await file.look()).toMatchObject({
      settings: settingsWith('first'),
      problem: `settings: ${path}, line 3: places.dock.x: "2" is not allowed; a number of metres, at most 10000 either way; the last good ones are used`,
    })
    writeFileSync(path, text('mended'))
    expect(await file.look()).toMatchObject({
      settings: settingsWith('mended'),
      problem: undefined,
    })
  })

  test('that is damaged is replaced by its copy, in the next run too', async () => {
    writeFileSync(path, text('first'))
    await settingsFileIn(folder).look()
    truncateSync(path, 20)
    const later = settingsFileIn(folder)
    expect(await later.look()).toMatchObject({
      settings: settingsWith('first'),
      problem: expect.stringMatching(/^settings: .*, line 1: .*; the last good ones are used$/),
    })
    // What is damaged is left as it is: whoever wrote it may want to look at it.
    expect(statSync(path).size).toBe(20)
    writeFileSync(`${path}.bak`, '{')
    expect(await settingsFileIn(folder).look()).toMatchObject({
      settings: { places: [], notes: [] },
      problem: expect.stringMatching(/; none are used$/),
    })
  })

  test('that is too large, or none at all, changes nothing', async () => {
    const file = settingsFileIn(folder)
    writeFileSync(path, text('first'))
    await file.look()
    writeFileSync(path, text('x'.repeat(70_000)))
    expect(await file.look()).toMatchObject({
      settings: settingsWith('first'),
      problem: expect.stringMatching(/it has 7\d+ bytes, and 65536 are allowed$/),
    })
    rmSync(path)
    mkdirSync(path)
    expect(await file.look()).toMatchObject({
      settings: settingsWith('first'),
      problem: expect.stringMatching(/EISDIR/),
    })
  })
})

/** Lets the disk answer. */
const look = async (clock: { advance(ms: number): Promise<void> }) => {
  await clock.advance(500)
  for (let turn = 0; turn < 20; turn++) {
    // oxlint-disable-next-line no-await-in-loop -- turn after turn
    await clock.advance(0)
    // oxlint-disable-next-line no-await-in-loop -- the disk takes turns of the event loop
    await settingsFileIn(folder).look()
  }
}

describe('whoever looks after the settings', () => {
  test('has them at once, and notices each edit within half a second', async () => {
    writeFileSync(path, text('first'))
    const clock = virtualClock()
    const said: string[] = []
    const watch = watchSettings(settingsFileIn(folder), clock, (line) => said.push(line))
    expect(watch.settings).toEqual({ places: [], notes: [] })
    await watch.start()
    expect(watch.settings).toEqual(settingsWith('first'))
    writeFileSync(path, text('the second'))
    await look(clock)
    expect([watch.settings, said]).toEqual([settingsWith('the second'), []])
    watch.close()
    writeFileSync(path, text('the very third'))
    await look(clock)
    expect(watch.settings).toEqual(settingsWith('the second'))
  })

  test('tells of a mistake once, and not of one that is being made', async () => {
    writeFileSync(path, text('first'))
    const clock = virtualClock()
    const said: string[] = []
    const watch = watchSettings(settingsFileIn(folder), clock, (line) => said.push(line))
    await watch.start()
    writeFileSync(path, '{"places":')
    await look(clock)
    expect(said).toEqual([])
    writeFileSync(path, '{"places": {')
    await look(clock)
    expect(said).toEqual([])
    await look(clock)
    await look(clock)
    expect(said).toEqual([expect.stringMatching(/line 1: .*; the last good ones are used$/)])
    expect(watch.settings).toEqual(settingsWith('first'))
    watch.close()
  })
})
