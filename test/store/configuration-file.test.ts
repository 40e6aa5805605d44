import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfiguration } from '../../store/configuration-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mechos-config-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function load(name: string, text: string, mechos: object = {}): Promise<unknown> {
  const file = join(folder, name)
  writeFileSync(file, text)
  return loadConfiguration(file, mechos)
}

describe('a configuration file', () => {
  test('may be TypeScript or JavaScript, of either kind of module', async () => {
    expect(await load('a.config.ts', 'const name: string = "a"; export default { name }')).toEqual({
      name: 'a',
    })
    expect(await load('b.config.mjs', 'export default { name: "b" }')).toEqual({ name: 'b' })
    expect(await load('c.config.cjs', 'module.exports = { name: "c" }')).toEqual({ name: 'c' })
  })

  test('may wait for what it needs', async () => {
    expect(await load('a.config.ts', 'export default Promise.resolve({ name: "later" })')).toEqual({
      name: 'later',
    })
  })

  test("gets the running program for import 'mechos', whatever lies beside it", async () => {
    const mechos = { defineRobot: (robot: object) => ({ ...robot, defined: true }) }
    const text = 'import { defineRobot } from "mechos"; export default defineRobot({ name: "a" })'
    expect(await load('a.config.ts', text, mechos)).toEqual({ name: 'a', defined: true })
  })

  test('is read anew each time', async () => {
    expect(await load('a.config.ts', 'export default 1')).toBe(1)
    expect(await load('a.config.ts', 'export default 2')).toBe(2)
  })

  test('that is not there, throws, or exports nothing is told of in one line', async () => {
    await expect(loadConfiguration('no.config.ts', {})).rejects.toMatchObject({
      code: 'ERR_CONFIGURATION_MISSING',
      message: 'config: no.config.ts is not there',
    })
    const broken = {
      'throw new Error("one\\ntwo")': /threw: one$/,
      'export default Promise.reject(new Error("later"))': /threw: later$/,
      'export default (': /threw: [^\n]+$/,
      'import "nothing-such"': /threw: Cannot find module 'nothing-such'$/,
      'export const robot = 1': /has no default export; [^\n]+$/,
      '': /has no default export/,
    }
    for (const [text, message] of Object.entries(broken)) {
      await expect(load('a.config.ts', text)).rejects.toMatchObject({
        code: 'ERR_CONFIGURATION_BROKEN',
        message: expect.stringMatching(message),
      })
    }
  })
})
