import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { wallClock } from '../../../drivers/clock.ts'
import { flightRecordIn, recordLimits } from '../../../store/flight-record.ts'
import { violationsOf } from '../../support/axe.ts'
import { buildPage, type Stage, stageOf, startBrowser } from '../../support/browser.ts'

const { browser, reason } = await startBrowser()
const page = await buildPage()
const stages: Stage[] = []
const folders: string[] = []

afterEach(async () => {
  for (const stage of stages.splice(0)) {
    expect(stage.complaints).toEqual([])
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await stage.leave()
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

afterAll(async () => {
  page.remove()
  await browser?.close()
})

describe.skipIf(!browser)(
  `the timeline${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    test('goes ten seconds back: chart, map and loop as they were then, and on to the present again', async () => {
      const { robot, visit } = await aRecordedStage()
      const seen = await visit()
      await seen.locator('[data-id="robot.active.autonomous"].active').waitFor()
      const then = await until(() => {
        const world = robot.world()
        return world.atMs >= 2_000 && world
      })
      await until(() => robot.world().atMs >= 8_000)
      await seen.keyboard.press('Escape')
      await seen.locator('[data-id="robot.halted"].active').waitFor()
      const halted = robot.world()
      await until(() => robot.world().atMs >= then.atMs + 10_000)

      await seen.getByRole('button', { name: '−10 s' }).click()
      await seen.getByText('THE PAST').waitFor()
      await seen.getByText(/^(9|10)\.\d s ago\. Now it is halted\./).waitFor()
      await seen.locator('[data-id="robot.active.autonomous"].active').waitFor()
      expect(await seen.locator('[data-id="robot.halted"].active').count()).toBe(0)
      // The place that it was told to be at then: within what it can have driven in the second around that.
      const at = await seen
        .getByRole('img', { name: /^Map: the robot is at/ })
        .getAttribute('aria-label')
      const [, x, y] = /at x (-?[\d.]+), y (-?[\d.]+)/.exec(at ?? '') ?? []
      expect(
        Math.hypot(Number(x) - (then.pose?.x ?? 0), Number(y) - (then.pose?.y ?? 0)),
      ).toBeLessThan(1)
      expect(
        Math.hypot(Number(x) - (halted.pose?.x ?? 0), Number(y) - (halted.pose?.y ?? 0)),
      ).toBeGreaterThan(1)
      await seen.getByRole('cell', { name: 'permitted' }).first().waitFor()
      // Nothing that is past can be told anything.
      expect(await seen.getByRole('button', { name: /Reset|Arm|Take over|Give/ }).count()).toBe(0)

      await seen.getByRole('button', { name: 'Live', exact: true }).click()
      await seen.locator('[data-id="robot.halted"].active').waitFor()
      await seen.getByRole('button', { name: 'Reset' }).waitFor()
      expect(await seen.getByText('THE PAST').count()).toBe(0)
    })

    test('is gone along by the keys, a second or ten at a time', async () => {
      const { robot, visit } = await aRecordedStage()
      const seen = await visit('watch')
      await until(() => robot.world().atMs >= 4_000)
      const handle = seen.getByRole('slider', { name: 'Moment that is shown' })
      await handle.focus()
      await seen.keyboard.press('ArrowLeft')
      await seen.getByText(/^1\.\d s ago/).waitFor()
      await seen.keyboard.press('ArrowLeft')
      await seen.getByText(/^[23]\.\d s ago/).waitFor()
      await seen.keyboard.press('PageDown')
      await until(async () => Number(await handle.inputValue()) === 0)
      await seen.keyboard.press('PageUp')
      await seen.getByText('THE PAST').waitFor({ state: 'detached' })
      expect(robot.snapshot().state).toBe('active.autonomous')
    })

    test('HALT in the past is of now, by key and by button, and whoever drove has let go', async () => {
      const { robot, visit } = await aRecordedStage()
      const seen = await visit()
      await until(() => robot.world().atMs >= 2_000)
      await seen.getByRole('button', { name: 'Take over' }).click()
      await seen.keyboard.down('KeyW')
      await until(() => robot.world().commanded.linear > 0.15)
      await seen.getByRole('slider', { name: 'Moment that is shown' }).fill('1000')
      await seen.getByText('THE PAST').waitFor()
      await until(() => robot.snapshot().state === 'active.holding')
      await seen.locator('[data-id="robot.active.autonomous"].active').waitFor()
      await seen.keyboard.press('Space')
      await until(() => robot.snapshot().state === 'halted')
      await seen.getByText(/Now it is halted\. HALT is of now/).waitFor()
      await seen.getByText('now halted', { exact: true }).waitFor()
    })

    test('says so where no record is kept', async () => {
      if (!browser) throw new TypeError('there is no browser')
      const stage = await stageOf({ browser, folder: page.folder })
      stages.push(stage)
      const seen = await stage.visit()
      await seen
        .getByText('This robot keeps no flight record: there is no past to look at.')
        .waitFor()
      expect(await seen.getByRole('slider', { name: 'Moment that is shown' }).count()).toBe(0)
    })

    test.each([
      { scene: 'light, on a desk', options: {} },
      { scene: 'dark', options: { colorScheme: 'dark' as const } },
      { scene: 'on a phone', options: { viewport: { width: 390, height: 844 } } },
    ])('can be used by everybody: $scene', async ({ options }) => {
      const { robot, visit } = await aRecordedStage()
      const seen = await visit('drive', options)
      await until(() => robot.world().atMs >= 2_000)
      await seen.getByRole('button', { name: '−10 s' }).click()
      await seen.getByRole('heading', { name: 'Then' }).waitFor()
      await seen.getByText('Go live to drive').waitFor()
      expect(await violationsOf(seen)).toEqual([])
      const { scrollWidth, clientWidth } = z
        .object({ scrollWidth: z.number(), clientWidth: z.number() })
        .parse(
          await seen.evaluate(
            '(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }))(document.documentElement)',
          ),
        )
      expect(scrollWidth).toBe(clientWidth)
    })
  },
)

/** A rover on the stage that keeps its flight record on the disk. */
async function aRecordedStage(): Promise<Stage> {
  if (!browser) throw new TypeError('there is no browser')
  const folder = mkdtempSync(join(tmpdir(), 'mechos-timeline-'))
  folders.push(folder)
  const record = flightRecordIn(join(folder, 'one'), recordLimits, wallClock().now)
  const stage = await stageOf({ browser, folder: page.folder }, { record })
  stages.push(stage)
  return stage
}

/** Resolves to what it is that passes. */
function until<T>(passes: () => T | Promise<T>): Promise<Exclude<T, false>> {
  return vi.waitFor(
    async () => {
      const found = await passes()
      if (!isThere(found)) throw new Error('it did not come to that')
      return found
    },
    { interval: 20, timeout: 20_000 },
  )
}

function isThere<T>(found: T): found is Exclude<T, false> {
  return found !== false
}
