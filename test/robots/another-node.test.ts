import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { recordsIn } from '../../store/records.ts'
import { cliPath, type Place, test } from '../support/mechos.ts'
import { driveSensibly, startModel } from '../support/model-server.ts'
import { entriesOf, expectNoDifference } from '../support/records.ts'

/** A Node 24: the one that the environment names, or `node24` on the path. */
const other = process.env['MECHOS_NODE24'] ?? 'node24'
const versionOf = (node: string) => spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout
const isThere = (versionOf(other) ?? '').startsWith('v24.')
const title = isThere
  ? `a record, on Node ${process.versions.node} and ${versionOf(other).trim()}`
  : 'a record, on another Node: skipped, since neither MECHOS_NODE24 nor node24 is a Node 24'

/** Runs the shipped program by one Node, to its end. */
const runBy = (node: string, place: Place, words: readonly string[]) =>
  place.launch(node, [cliPath, ...words]).ended

async function folderIn(place: Place): Promise<string> {
  return recordsIn(join(place.path, 'kept', 'records')).at(-1)?.folder ?? ''
}

describe.runIf(isThere).each([
  { recorder: process.execPath, player: other, of: 'this one', by: 'the other' },
  { recorder: other, player: process.execPath, of: 'the other', by: 'this one' },
])(title, { timeout: 120_000 }, ({ recorder, player, of, by }) => {
  test(`of ${of} is replayed by ${by} without a difference`, async ({ place }) => {
    for (const seed of [1, 7, 42]) {
      const words = `run --headless --for 20 --seed ${seed} --state kept`.split(' ')
      // oxlint-disable-next-line no-await-in-loop -- one run after the other
      expect((await runBy(recorder, place, words)).code).toBe(0)
      // oxlint-disable-next-line no-await-in-loop -- as above
      await expectSame(place, player)
    }
  })

  test(`of ${of} with a model is replayed by ${by} without a difference`, async ({
    place,
    onTestFinished,
  }) => {
    const model = await startModel(driveSensibly)
    onTestFinished(model.close)
    const brain = `--brain ${model.url} --model m --goal explore`
    const words = `run --headless --for 4 ${brain} --state kept`.split(' ')
    expect((await runBy(recorder, place, words)).code).toBe(0)
    expect(model.requests.length).toBeGreaterThan(1)
    await expectSame(place, player)
  })
})

async function expectSame(place: Place, player: string): Promise<void> {
  const folder = await folderIn(place)
  const ended = await runBy(player, place, ['replay', folder, '--json'])
  expectNoDifference(ended, await entriesOf(folder))
}
