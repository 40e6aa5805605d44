import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { Brain } from '../../../actors/deliberation.ts'
import type { Observation } from '../../../core/vocabulary/observation.ts'
import { violationsOf } from '../../support/axe.ts'
import { buildPage, type Stage, stageOf, startBrowser } from '../../support/browser.ts'

const { browser, reason } = await startBrowser()
const page = await buildPage()
const stages: Stage[] = []

afterEach(async () => {
  for (const stage of stages.splice(0)) {
    expect(stage.complaints).toEqual([])
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await stage.leave()
  }
})

afterAll(async () => {
  page.remove()
  await browser?.close()
})

test('the page, with all that it loads, is less than 150 kB as it is sent', () => {
  const files = readdirSync(page.folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(js|css|html|svg)$/.test(name),
  )
  const sizes = files.map((name) => gzipSync(readFileSync(join(page.folder, name))).length)
  expect(files.length).toBeGreaterThan(3)
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(150_000)
})

test('the page names nothing that is not its own', () => {
  const html = readFileSync(join(page.folder, 'index.html'), 'utf8')
  expect([...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, to]) => to)).toEqual([
    '/icon.svg',
    expect.stringMatching(/^\/assets\/[\w-]+\.js$/),
    expect.stringMatching(/^\/assets\/[\w-]+\.css$/),
  ])
  expect(html).not.toMatch(/<style|style=|<script(?![^>]*src)/)
})

describe.skipIf(!browser)(`a browser${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  test('shows the explorer drive: state, active states of the chart, turns of the loop, pose', async () => {
    const { robot, visit } = await aStage()
    const seen = await visit('watch')
    await seen.getByText('autonomous', { exact: true }).first().waitFor()
    await seen.locator('[data-id="robot.active.autonomous"].active').waitFor()
    await seen
      .getByRole('cell', { name: /drive .* m\/s/ })
      .first()
      .waitFor()
    const before = robot.world().pose
    await seen.locator('tbody tr').nth(2).waitFor()
    await vi.waitFor(() => expect(robot.world().pose).not.toEqual(before))
    await seen.getByText(/^x -?\d+\.\d\d · y -?\d+\.\d\d m, odom$/).waitFor()
    await seen.locator('.uplot').nth(2).waitFor()
    await seen.getByRole('button', { name: /^kernel/ }).click()
    await seen.locator('[data-id="kernel.open"].active').waitFor()
  })

  test('lights up `halted`, and what led there, after HALT by a page that may only watch', async () => {
    const { robot, visit } = await aStage()
    const seen = await visit('watch')
    await seen.locator('[data-id="robot.active.autonomous"].active').waitFor()
    await seen.getByRole('button', { name: /HALT/ }).click()
    await seen.locator('[data-id="robot.halted"].active').waitFor()
    await seen.locator('.transition.taken', { hasText: 'robot.halt' }).waitFor()
    await seen.getByText('asked to halt in the cockpit', { exact: true }).waitFor()
    expect(robot.snapshot().state).toBe('halted')
    expect(await seen.getByRole('button', { name: /Reset|Arm|Take over/ }).count()).toBe(0)
  })

  test('halts by Escape and by space, and neither presses the reset that has the focus', async () => {
    const { robot, visit } = await aStage()
    const seen = await visit()
    await seen.getByRole('button', { name: 'Pause' }).waitFor()
    await seen.getByRole('textbox', { name: 'Goal' }).fill('to the')
    await seen.keyboard.press('Space')
    expect(await seen.getByRole('textbox', { name: 'Goal' }).inputValue()).toBe('to the ')
    expect(robot.snapshot().state).toBe('active.autonomous')
    await seen.keyboard.press('Escape')
    const reset = seen.getByRole('button', { name: 'Reset' })
    await reset.focus()
    const { epoch } = robot.snapshot()
    await seen.keyboard.press('Space')
    await until(() => robot.snapshot().epoch > epoch)
    await seen.keyboard.press('Escape')
    await until(() => robot.snapshot().epoch > epoch + 1)
    expect(robot.snapshot().state).toBe('halted')
  })

  test('resets, arms and resumes in steps of which each is asked for', async () => {
    const { robot, visit } = await aStage()
    const seen = await visit()
    await seen.getByRole('button', { name: /HALT/ }).click()
    await seen.getByText('Halted because').waitFor()
    await seen.getByRole('button', { name: 'Reset' }).click()
    await seen.getByRole('button', { name: 'Arm…' }).click()
    expect(robot.snapshot().state).toBe('standby')
    await until(
      async () => (await seen.evaluate('document.activeElement?.textContent')) === 'Not yet',
    )
    await seen.getByRole('button', { name: `Arm, epoch ${robot.snapshot().epoch}` }).click()
    await seen.locator('[data-id="robot.active.holding"].active').waitFor()
    await seen.getByRole('button', { name: 'Resume' }).click()
    await until(() => robot.snapshot().state === 'active.autonomous')
  })

  test('drives by the keyboard, and stands still when the key is let go, and when nobody looks', async () => {
    const { robot, visit } = await aStage()
    const seen = await driving(await visit())
    await seen.keyboard.down('KeyW')
    await until(() => robot.world().commanded.linear > 0.15)
    await seen.keyboard.up('KeyW')
    await until(() => robot.world().commanded.linear === 0)
    await seen.keyboard.down('ArrowLeft')
    await until(() => robot.world().commanded.angular > 0.3)
    await seen.evaluate(`dispatchEvent(new Event('blur'))`)
    await until(() => robot.world().commanded.angular === 0)
    expect(robot.snapshot().state).toBe('active.manual')
    await seen.evaluate(`Object.defineProperty(document, 'visibilityState', { value: 'hidden' })`)
    await seen.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`)
    await until(() => robot.snapshot().state === 'active.holding')
  })

  test('drives by a gamepad, twenty times a second, and says nothing but zero before that was let go', async () => {
    const { robot, visit } = await aStage()
    const seen = await visit()
    const words: string[] = []
    await seen.routeWebSocket(/\/live$/, (line) => {
      const robotSide = line.connectToServer()
      line.onMessage((word) => {
        words.push(String(word))
        robotSide.send(word)
      })
    })
    await seen.reload()
    await seen.evaluate(
      'navigator.getGamepads = () => [{ connected: true, axes: [0, -1], buttons: [] }]',
    )
    await driving(seen)
    await until(() => words.length > 10)
    const [first, ...rest] = words.map((word) => wordSchema.parse(JSON.parse(word)))
    expect(first).toEqual({ type: 'takeOver' })
    expect(rest).toEqual(
      rest.map((_, index) => ({ type: 'drive', linear: 0, angular: 0, sequence: index + 1 })),
    )
    await seen.evaluate(
      'navigator.getGamepads = () => [{ connected: true, axes: [0, 0], buttons: [] }]',
    )
    const quiet = words.length
    await until(() => words.length > quiet + 2)
    await seen.evaluate(
      'navigator.getGamepads = () => [{ connected: true, axes: [0, -1], buttons: [] }]',
    )
    await until(() => robot.world().commanded.linear > 0.15)
    await seen.evaluate('navigator.getGamepads = () => []')
    await until(() => robot.world().commanded.linear === 0)
  })

  test('drives by the stick, until the pointer is let go or taken away', async () => {
    const { robot, visit } = await aStage()
    const seen = await driving(await visit())
    const box = await seen.locator('.stick').boundingBox()
    const middle = { x: (box?.x ?? 0) + 66, y: (box?.y ?? 0) + 66 }
    await seen.mouse.move(middle.x, middle.y)
    await seen.mouse.down()
    await seen.mouse.move(middle.x, middle.y - 60, { steps: 3 })
    await until(() => robot.world().commanded.linear > 0.15)
    await seen.mouse.up()
    await until(() => robot.world().commanded.linear === 0)
    await seen.mouse.move(middle.x, middle.y)
    await seen.mouse.down()
    await seen.mouse.move(middle.x, middle.y - 60, { steps: 3 })
    await until(() => robot.world().commanded.linear > 0.15)
    await seen
      .locator('.stick')
      .dispatchEvent('pointercancel', { pointerId: 1, pointerType: 'mouse' })
    await until(() => robot.world().commanded.linear === 0)
  })

  test('that is closed in mid-drive leaves a robot behind that stands still', async () => {
    const { robot, visit } = await aStage()
    const seen = await driving(await visit())
    await seen.keyboard.down('ArrowUp')
    await until(() => robot.world().commanded.linear > 0.15)
    await seen.close()
    await until(() => robot.world().commanded.linear === 0)
    await until(() => robot.snapshot().state === 'active.holding')
  })

  test('shows a question with its answers and how long there is, and the answer reaches the brain', async () => {
    const told: Observation[] = []
    const { visit } = await aStage({ brain: asking(told) })
    const seen = await visit()
    await seen.getByText('“Which door?”').waitFor()
    expect(await seen.getByText(/^(60|5\d) s$/).count()).toBe(1)
    await seen.getByRole('button', { name: 'the left one' }).click()
    await until(() => told.at(-1)?.answers.length === 1)
    expect(told.at(-1)?.answers).toEqual([{ question: 'Which door?', answer: 'the left one' }])
    await seen.getByText('“Which door?”').waitFor({ state: 'detached' })
  })

  test('gives a goal in words', async () => {
    const { robot, visit } = await aStage()
    const seen = await visit()
    await seen.getByRole('textbox', { name: 'Goal' }).fill('find the door')
    await seen.getByRole('button', { name: 'Give' }).click()
    await until(() => robot.snapshot().goal === 'find the door')
    await seen.getByText('find the door').first().waitFor()
  })

  test('shows who drives, and that nobody does any more once he has let go', async () => {
    const { robot, visit } = await aStage()
    const first = await driving(await visit())
    const second = await visit()
    await second.getByText('another page drives', { exact: true }).waitFor()
    expect(await second.getByRole('button', { name: 'Take over' }).count()).toBe(0)
    await first.getByRole('button', { name: 'Release' }).click()
    await second.getByText('nobody drives by hand').waitFor()
    await driving(second)
    expect(robot.snapshot().state).toBe('active.manual')
  })

  test('says why something was not done', async () => {
    const { visit } = await aStage()
    const seen = await visit()
    const refused = { type: 'refused', word: 'arm', message: 'arm: the epoch is 4, not 3' }
    await seen.routeWebSocket(/\/live$/, (line) => {
      line.connectToServer()
      line.send(JSON.stringify(refused))
    })
    await seen.reload()
    await seen.locator('.told .refused', { hasText: refused.message }).waitFor()
  })

  test('loses one panel where one fails, and neither the others nor HALT', async () => {
    const { robot, visit } = await aStage()
    const seen = await visit()
    await seen.routeWebSocket(/\/live$/, (line) => {
      const robotSide = line.connectToServer()
      robotSide.onMessage((word) => {
        const isStatus = String(word).startsWith('{"type":"status"')
        line.send(isStatus ? String(word).replace('"failsafe"', '"gone"') : word)
      })
    })
    await seen.reload()
    await seen.getByText(/^This panel has failed: TypeError/).waitFor()
    await seen.locator('[data-id="robot.active.autonomous"].active').waitFor()
    await seen.keyboard.press('Escape')
    await until(() => robot.snapshot().state === 'halted')
  })

  test('says plainly that the robot is out of touch, and comes back by itself when the line does', async () => {
    const { robot, visit } = await aStage()
    const seen = await visit('watch')
    await seen.getByText('in touch', { exact: true }).waitFor()
    const lines: (() => Promise<void>)[] = []
    let isOpen = true
    await seen.routeWebSocket(/\/live$/, async (line) => {
      if (!isOpen) return line.close()
      line.connectToServer()
      lines.push(() => line.close())
    })
    await seen.reload()
    await seen.getByText('in touch', { exact: true }).waitFor()
    isOpen = false
    for (const cut of lines) void cut()
    await seen.getByText('out of touch, trying again').waitFor()
    await seen.getByText('cannot be heard').waitFor()
    await seen.locator('.cockpit.lost').waitFor()
    // Another way than the line may still be there, and HALT takes it.
    await seen.keyboard.press('Escape')
    await until(() => robot.snapshot().state === 'halted')
    isOpen = true
    await seen.getByText('in touch', { exact: true }).waitFor()
    await seen.locator('[data-id="robot.halted"].active').waitFor()
  })

  test('says when nobody heard the HALT, and that a robot that was started again needs its new link', async () => {
    const { close, reopen, robot, visit } = await aStage()
    const seen = await visit()
    await seen.getByText('in touch', { exact: true }).waitFor()
    await close()
    await seen.getByText('out of touch, trying again').waitFor()
    await seen.keyboard.press('Escape')
    await seen.getByText('The robot did not hear the HALT. Cut its motor power.').waitFor()
    expect(robot.snapshot().state).toBe('active.autonomous')
    await reopen()
    await seen.getByText(/open the link that the robot has printed/).waitFor()
    const again = await visit()
    await again.getByText('in touch', { exact: true }).waitFor()
  })

  test.each([
    { scene: 'light, on a desk', options: {} },
    { scene: 'dark', options: { colorScheme: 'dark' as const } },
    { scene: 'on a phone', options: { viewport: { width: 390, height: 844 } } },
  ])('can be used by everybody: $scene', async ({ options }) => {
    const { visit } = await aStage()
    const seen = await visit('drive', options)
    await seen.locator('[data-id="robot.active.autonomous"].active').waitFor()
    expect(await violationsOf(seen)).toEqual([])
    await seen.getByRole('button', { name: 'Take over' }).click()
    await seen.locator('.stick').waitFor()
    expect(await violationsOf(seen)).toEqual([])
    await seen.keyboard.press('Escape')
    await seen.locator('[data-id="robot.halted"].active').waitFor()
    expect(await violationsOf(seen)).toEqual([])
  })
})

async function aStage(options: Parameters<typeof stageOf>[1] = {}): Promise<Stage> {
  if (!browser) throw new TypeError('there is no browser')
  const stage = await stageOf({ browser, folder: page.folder }, options)
  stages.push(stage)
  return stage
}

/** Takes over, and waits until it drives. */
async function driving(seen: Page): Promise<Page> {
  await seen.getByRole('button', { name: 'Take over' }).click()
  await seen.getByText('you drive', { exact: true }).waitFor()
  return seen
}

/** Asks a person first, and waits from then on. */
function asking(told: Observation[]): Brain {
  return {
    name: 'asking',
    async decide(seen) {
      told.push(seen)
      const question = 'Which door?'
      return seen.answers.length === 0
        ? {
            reason: 'there are two',
            intent: { type: 'askHuman', question, choices: ['the left one', 'the right one'] },
          }
        : { reason: 'to rest', intent: { type: 'wait', durationMs: 200 } }
    },
  }
}

function until(passes: () => boolean | Promise<boolean>): Promise<void> {
  return vi.waitFor(
    async () => {
      if (!(await passes())) throw new Error('it did not come to that')
    },
    { interval: 20, timeout: 15_000 },
  )
}

const wordSchema = z.object({ type: z.string() }).loose()
