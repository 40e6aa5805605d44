import type { Page } from 'playwright-core'
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { demoRover } from '../../../drivers/simulated/rover.ts'
import { simulatedBody } from '../../../drivers/simulated/body.ts'
import { parseConfiguration } from '../../../core/vocabulary/configuration.ts'
import { buildPage, stageOf, startBrowser } from '../../support/browser.ts'
import { reply, startModel } from '../../support/model-server.ts'

const { browser, reason } = await startBrowser()
const page = await buildPage()

afterAll(async () => {
  page.remove()
  await browser?.close()
})

/** A rover that a model drives, in a body that is not said to be simulated. */
async function aModelOnHardware() {
  if (!browser) throw new TypeError('there is no browser')
  const model = await startModel(() =>
    reply('onward', { type: 'drive', linear: 0.1, angular: 0.4, durationMs: 3_000 }),
  )
  const brains = [{ url: model.url, model: 'm' }]
  const configuration = { ...demoRover, brains, acceptNoDeadman: true }
  const stage = await stageOf(
    { browser, folder: page.folder },
    (clock) => {
      const body = simulatedBody(parseConfiguration(configuration), { clock, seed: 7 })
      return { body: { ...body, kind: 'custom' } }
    },
    configuration,
  )
  onTestFinished(async () => {
    expect(stage.complaints).toEqual([])
    await stage.leave()
    await model.close()
  })
  const { robot } = stage
  robot.send({ type: 'robot.arm', epoch: robot.snapshot().epoch })
  expect(robot.send({ type: 'robot.resume' })).toMatchObject({ ok: true, state: 'active.holding' })
  const comesTo = (state: string) =>
    vi.waitFor(() => expect(robot.snapshot().state).toBe(state), { timeout: 10_000, interval: 10 })
  const moves = () =>
    vi.waitFor(() => expect(Math.abs(robot.world().velocity?.linear ?? 0)).toBeGreaterThan(0.02), {
      timeout: 10_000,
      interval: 10,
    })
  return { ...stage, comesTo, moves }
}

/** A gamepad whose triggers are so far down. Resolves once the page has looked at it. */
async function pull(seen: Page, value: number): Promise<void> {
  await seen.evaluate(`
    window.looks = 0
    const buttons = Array.from({ length: 8 }, () => ({ value: ${value} }))
    navigator.getGamepads = () => {
      window.looks += 1
      return [{ index: 0, connected: true, axes: [0, 0], buttons }]
    }
  `)
  await vi.waitFor(async () => expect(await seen.evaluate('window.looks')).toBeGreaterThan(2), {
    timeout: 10_000,
  })
}

const button = (seen: Page) => seen.getByRole('button', { name: /^(Hold|Held)/ })

describe.skipIf(!browser)(`the button to hold${reason === undefined ? '' : ` (${reason})`}`, () => {
  test('lets a model move while a pointer or H is on it, and ends with it', async () => {
    const { comesTo, moves, robot, visit } = await aModelOnHardware()
    const seen = await visit()
    await seen.getByText('nobody holds it: still').waitFor()
    await button(seen).hover()
    await seen.mouse.down()
    await moves()
    await seen.getByText('held: it may move').waitFor()
    await seen.mouse.up()
    await seen.getByRole('button', { name: /^enabling/ }).click()
    await seen.locator('[data-id="enabling.released"].active').waitFor()
    await button(seen).hover()
    await seen.mouse.down()
    await seen.locator('[data-id="enabling.held"].active').waitFor()
    await seen.mouse.up()
    await comesTo('active.holding')
    expect(robot.snapshot().causes).toEqual(['nobody holds the enabling device'])

    await seen.keyboard.down('h')
    await moves()
    await seen.evaluate("dispatchEvent(new Event('blur'))")
    await comesTo('active.holding')
    await seen.keyboard.up('h')
    await seen.keyboard.down('h')
    await comesTo('active.autonomous')
    await seen.close()
    await comesTo('active.holding')
  })

  test('does not set it in motion again by itself after a pause, nor after a halt', async () => {
    const { comesTo, moves, robot, visit } = await aModelOnHardware()
    const seen = await visit()
    await seen.getByText('nobody holds it: still').waitFor()
    await seen.keyboard.down('h')
    await moves()
    robot.send({ type: 'robot.pause' })
    await seen.keyboard.up('h')
    await vi.waitFor(() => expect(robot.snapshot().enabling?.state).toBe('released'))
    await seen.keyboard.down('h')
    await vi.waitFor(() => expect(robot.snapshot().enabling?.state).toBe('held'))
    expect(robot.snapshot().state).toBe('active.holding')
    robot.send({ type: 'robot.resume' })
    await comesTo('active.autonomous')
    await seen.keyboard.press('Escape')
    await comesTo('halted')
    robot.send({ type: 'robot.reset' })
    robot.send({ type: 'robot.arm', epoch: robot.snapshot().epoch })
    robot.send({ type: 'robot.resume' })
    // What was held down through the halt is nobody's hand.
    expect(robot.snapshot()).toMatchObject({
      state: 'active.holding',
      enabling: { state: 'released' },
    })
  })

  test('is a trigger of a gamepad, too, that was seen at rest', async () => {
    const { comesTo, robot, visit } = await aModelOnHardware()
    const seen = await visit()
    await seen.getByText('nobody holds it: still').waitFor()
    await pull(seen, 1)
    expect(robot.snapshot().enabling?.state).toBe('released')
    await pull(seen, 0)
    expect(robot.snapshot().state).toBe('active.holding')
    await pull(seen, 0.8)
    await comesTo('active.autonomous')
    await pull(seen, 0.2)
    await comesTo('active.holding')
  })

  test('is nothing that a page which watches may press, and is not there where no model drives', async () => {
    if (!browser) throw new TypeError('there is no browser')
    const { robot, visit } = await aModelOnHardware()
    const watching = await visit('watch')
    await watching.getByText('nobody holds it: still').waitFor()
    expect(await button(watching).isDisabled()).toBe(true)
    await watching.keyboard.down('h')
    expect(robot.snapshot().enabling?.state).toBe('released')

    const explorer = await stageOf({ browser, folder: page.folder })
    onTestFinished(explorer.leave)
    const seen = await explorer.visit()
    await seen.getByText('autonomous', { exact: true }).first().waitFor()
    expect(await button(seen).count()).toBe(0)
  })
})
