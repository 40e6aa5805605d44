import type { Page } from 'playwright-core'
import { firstValueFrom, shareReplay, skip, Subject } from 'rxjs'
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Brain } from '../../../actors/deliberation.ts'
import { scriptedBrain } from '../../../actors/scripted.ts'
import {
  type RobotConfiguration,
  parseConfiguration,
} from '../../../core/vocabulary/configuration.ts'
import type { Intent } from '../../../core/vocabulary/intent.ts'
import type { ImageReading } from '../../../core/vocabulary/reading.ts'
import type { Camera } from '../../../drivers/camera.ts'
import { simulatedBody } from '../../../drivers/simulated/body.ts'
import { simulatedCamera } from '../../../drivers/simulated/camera.ts'
import { demoRover } from '../../../drivers/simulated/rover.ts'
import type { WorldView } from '../../../inspector/cockpit/protocol.ts'
import { volatileMemoryStore } from '../../../store/memories.ts'
import { violationsOf } from '../../support/axe.ts'
import { buildPage, type Stage, stageOf, startBrowser } from '../../support/browser.ts'
import { reply, startModel } from '../../support/model-server.ts'

const { browser, reason } = await startBrowser()
const page = await buildPage()

afterAll(async () => {
  page.remove()
  await browser?.close()
})

describe.skipIf(!browser)(
  `the view of a robot${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    test('marks the transition whose guard refused, for a second, and says which guard that was', async () => {
      const brain = aBrain()
      const { visit } = await aStage({ brain })
      const seen = await visit('watch')
      await seen.getByRole('button', { name: /^agent/ }).click()
      await seen.locator('[data-id="agent.deciding"].active').waitFor()
      brain.propose({ type: 'wait', durationMs: 5_000 })
      await seen
        .locator('.transition.refused', { hasText: 'gatekeep done [isForPeople]' })
        .waitFor()
      await seen.getByText(/^refused: isForPeople \(agent: gatekeep done\)\d+\.\d s$/).waitFor()
      await seen.locator('.transition.refused').waitFor({ state: 'detached', timeout: 4_000 })
      await seen.locator('[data-id="agent.acting"].active').waitFor()
      expect(await seen.getByText(/^refused: isForPeople/).count()).toBe(1)
    })

    test('shows a turn in full: the prompt as it was sent, what came back, and what was recalled for it', async () => {
      const model = await startModel(() => reply('to rest', { type: 'wait', durationMs: 1_500 }))
      onTestFinished(model.close)
      const { robot, visit } = await aStage(
        { memory: volatileMemoryStore() },
        { ...demoRover, goal: 'find the lamp', brains: [{ url: model.url, model: 'm' }] },
      )
      await robot.memory?.remember('the lamp is green')
      const seen = await visit('watch')
      const recalled = seen.getByRole('list', { name: /^Recalled for turn \d+$/ })
      await recalled.getByText('the lamp is green').waitFor()
      await recalled.getByText(/^memory 1 · just now · score 0\.\d\d$/).waitFor()
      const turn = seen.getByRole('region', { name: /^Turn \d+ at \d+\.\d s$/ })
      await turn.getByText('wait 1500 ms: to rest').waitFor()
      await turn.locator('summary').first().click()
      const [system, user] = await turn.locator('details[open] pre').allTextContents()
      const sent = model.requests.map(({ messages }) => messages)
      expect(sent.map(([first]) => `system: ${first?.content}`)).toContain(system)
      expect(sent.map(([, second]) => `user: ${second?.content}`)).toContain(user)
      expect(user).toContain('the lamp is green')
      const answer = '{"reason":"to rest","intent":{"type":"wait","durationMs":1500}}'
      await turn.locator('summary', { hasText: answer }).waitFor()
      // Whoever reads is left with what he reads, however many turns go by.
      const title = await turn.getByRole('heading').textContent()
      const count = await seen.locator('tbody tr').count()
      await until(async () => (await seen.locator('tbody tr').count()) > count + 1)
      expect(await turn.getByRole('heading').textContent()).toBe(title)
      expect(await violationsOf(seen)).toEqual([])
    })

    test('says where there is nothing to show: no memory, no model, no camera, no fence', async () => {
      const { visit } = await aStage({}, { ...demoRover, body: { ...demoRover.body, cameras: [] } })
      const seen = await visit('watch')
      await seen.getByText('This robot has no memory.').waitFor()
      await seen.getByText('This robot has no camera.').waitFor()
      await seen.getByText('No geofence is set.').waitFor()
      await seen.getByText('no model’s, as far as it is kept').waitFor()
    })

    test('draws where it drives, how sure it is of its place, and the fence', async () => {
      const geofence = [
        { x: -1, y: -1 },
        { x: 3, y: -1 },
        { x: 3, y: 1 },
        { x: -1, y: 1 },
      ]
      const { robot, visit } = await aStage(
        { brain: scriptedBrain([{ type: 'drive', linear: 0.1, angular: 0.1, durationMs: 5_000 }]) },
        { ...demoRover, geofence },
      )
      const seen = await visit('watch')
      await seen.getByText(/^agent drives 0\.10 m\/s, 0\.10 rad\/s for [1-4]\.\d s more$/).waitFor()
      await seen.getByText('geofence of 4 corners').waitFor()
      await seen.getByText(/^sure to ± 0\.0\d × 0\.0\d m, ± \d+° \(2 σ\)$/).waitFor()
      const { covariance, planned, pose } = robot.world()
      expect(covariance?.xx).toBeGreaterThan(0)
      expect(planned?.way.length).toBeGreaterThan(2)
      expect(planned?.way[0]).toEqual({ x: pose?.x, y: pose?.y })
      await until(async () => (await inkOn(seen, 'accent')) > 30)
      expect(await inkOn(seen, 'halt')).toBe(0)
      expect(await violationsOf(seen)).toEqual([])
    })

    test('draws what the lidar sees where it is, whichever way the robot looks', async () => {
      const brain = aBrain()
      brain.propose({ type: 'drive', linear: 0, angular: 1, durationMs: 900 })
      const { robot, visit } = await aStage({ brain })
      const seen = await visit('watch')
      await until(() => {
        const { pose, velocity } = robot.world()
        return (pose?.heading ?? 0) > 0.5 && velocity?.angular === 0
      })
      await until(async () => (await shareDrawn(seen, robot.world())) > 0.9)
    })

    test('draws in red the drive that was refused, with the reason, until another is permitted', async () => {
      const brain = aBrain()
      const { visit } = await aStage({ brain })
      const seen = await visit('watch')
      await seen.getByText('No drive is under way.').waitFor()
      brain.propose({ type: 'drive', linear: 9, angular: 0.5, durationMs: 800 })
      await seen
        .getByText(/^agent was refused 9\.00 m\/s, 0\.50 rad\/s: linear 9 m\/s is beyond/)
        .waitFor()
      await until(async () => (await inkOn(seen, 'halt')) > 30)
      brain.propose({ type: 'drive', linear: 0.1, angular: 0, durationMs: 5_000 })
      await seen.getByText(/^agent drives 0\.10 m\/s/).waitFor()
      await seen.getByText(/^agent was refused/).waitFor({ state: 'detached' })
      await until(async () => (await inkOn(seen, 'halt')) === 0)
    })

    test('shows what cameras see, twice a second at most, to whoever has logged in; of what is too large the size', async () => {
      const { show, camera } = aCamera('wide')
      const { visit } = await aStage((clock) => {
        const body = simulatedBody(parseConfiguration(demoRover), { clock, seed: 7 })
        return { body, cameras: [simulatedCamera({ name: 'camera', body, clock }), camera] }
      })
      const seen = await visit('watch')
      const pictures: string[] = []
      seen.on('request', (request) => {
        if (request.url().includes('/camera/')) pictures.push(request.url())
      })
      await seen.getByText('wide has taken no picture yet.').waitFor()
      const picture = seen.getByRole('img', { name: 'What camera sees' })
      await picture.waitFor()
      await until(
        async () =>
          (await picture.evaluate('document.querySelector(".sight img").naturalWidth')) === 64,
      )
      await seen.getByText(/^camera · 64 × 48 · \d\.\d KiB$/).waitFor()
      const first = await picture.getAttribute('src')
      await until(async () => (await picture.getAttribute('src')) !== first)
      show({ pixelFormat: 'jpeg', width: 1920, height: 1080, data: new Uint8Array(300 * 1024) })
      await seen.getByText('No picture: 300 KiB are too many: at most 64 KiB are sent').waitFor()
      await seen.getByText('wide · 1920 × 1080 · 300.0 KiB').waitFor()
      const since = pictures.length
      const started = await seen.evaluate<number>('performance.now()')
      await until(() => pictures.length >= since + 4)
      expect((await seen.evaluate<number>('performance.now()')) - started).toBeGreaterThan(1_400)
      expect(await violationsOf(seen)).toEqual([])

      const origin = new URL(seen.url()).origin
      expect((await fetch(`${origin}/camera/camera`)).status).toBe(401)
      const there = await seen.evaluate(
        `fetch('/camera/camera').then((r) => [r.status, r.headers.get('content-type'), r.headers.get('cache-control')])`,
      )
      expect(there).toEqual([200, 'image/png', 'no-store'])
      expect(await seen.evaluate(`fetch('/camera/wide').then((r) => r.status)`)).toBe(404)
    })
  },
)

async function aStage(
  given: Parameters<typeof stageOf>[1] = {},
  configuration: RobotConfiguration = demoRover,
): Promise<Stage> {
  if (!browser) throw new TypeError('there is no browser')
  const stage = await stageOf({ browser, folder: page.folder }, given, configuration)
  onTestFinished(async () => {
    expect(stage.complaints.filter((line) => !line.includes('404'))).toEqual([])
    await stage.leave()
  })
  return stage
}

/** A brain that proposes what it is told to, when it is told to. */
function aBrain(): Brain & { propose(intent: Intent): void } {
  const proposed = new Subject<Intent>()
  const waiting = proposed.pipe(shareReplay())
  waiting.subscribe()
  let asked = 0
  return {
    name: 'by hand',
    propose: (intent) => proposed.next(intent),
    async decide() {
      return { reason: 'as told', intent: await firstValueFrom(waiting.pipe(skip(asked++))) }
    },
  }
}

/** A camera that shows what it is told to. */
function aCamera(name: string) {
  const listeners = new Set<(frame: ImageReading) => void>()
  const camera: Camera = {
    name,
    open: () => Promise.resolve(),
    onFrame(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    onLost: () => () => undefined,
    close: () => Promise.resolve(),
  }
  const show = (frame: Omit<ImageReading, 'kind' | 'name' | 'stampMs'>) => {
    for (const listener of listeners) listener({ ...frame, kind: 'image', name, stampMs: 0 })
  }
  return { camera, show }
}

/** How many pixels of the map have the very colour of the style sheet. */
function inkOn(seen: Page, name: string): Promise<number> {
  return seen.evaluate<number>(`(() => {
    const canvas = document.querySelector('.map canvas')
    const probe = document.createElement('canvas').getContext('2d')
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--${name}').trim()
    probe.fillRect(0, 0, 1, 1)
    const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    let count = 0
    for (let at = 0; at < data.length; at += 4) {
      if (data[at] === red && data[at + 1] === green && data[at + 2] === blue && data[at + 3] === 255) count += 1
    }
    return count
  })()`)
}

/** Of the points of a scan that are on the map, the share that is drawn there in the colour of text. */
function shareDrawn(seen: Page, { pose, scan }: WorldView): Promise<number> {
  return seen.evaluate<number>(`(() => {
    const pose = ${JSON.stringify(pose)}
    const canvas = document.querySelector('.map canvas')
    const pen = canvas.getContext('2d')
    const scale = canvas.width / 7
    const drawn = ${JSON.stringify(scan)}.flatMap(({ x, y }) => {
      const right = canvas.width / 2 + (x - pose.x) * scale
      const down = canvas.height / 2 - (y - pose.y) * scale
      if (!(right > 2 && down > 2 && right < canvas.width - 2 && down < canvas.height - 2)) return []
      const [red, , , alpha] = pen.getImageData(Math.floor(right), Math.floor(down), 1, 1).data
      return [alpha > 200 && red < 100]
    })
    return drawn.filter(Boolean).length / drawn.length
  })()`)
}

function until(passes: () => boolean | Promise<boolean>): Promise<void> {
  return vi.waitFor(
    async () => {
      if (!(await passes())) throw new Error('it did not come to that')
    },
    { interval: 20, timeout: 15_000 },
  )
}
