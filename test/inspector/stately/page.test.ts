import type { Page } from 'playwright-core'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { build } from 'vite'
import { wallClock } from '../../../drivers/clock.ts'
import { serveStately } from '../../../inspector/stately/server.ts'
import { startBrowser } from '../../support/browser.ts'
import { benchWith } from '../../support/hand-made-body.ts'

const { browser, reason } = await startBrowser()
const receiver = await receiverPage()
const ending: (() => Promise<unknown>)[] = []

afterEach(async () => {
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (const end of ending.splice(0).toReversed()) await end()
})

afterAll(() => browser?.close())

describe.skipIf(!browser)(`a browser${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  test('hands on what the robot says to the inspector, whose own receiver understands it', async () => {
    const { bench, page, status } = await aViewer((seen) =>
      seen.route('https://stately.ai/**', (route) =>
        route.fulfill({ contentType: 'text/html', body: receiver }),
      ),
    )
    await status('The robot is shown as it is. Nothing here can move it.')
    // The root beats, and is noticed.
    await bench.clock.advance(100)
    const frame = page.frameLocator('iframe')
    await frame.getByText('@xstate.actor robot').waitFor()
    bench.robot.send({ type: 'robot.arm', epoch: 1 })
    await bench.clock.advance(100)
    await frame.getByText('@xstate.snapshot {"active":"holding"}').waitFor()
    // What is in the frame may say what it likes.
    await frame.getByRole('button', { name: 'meddle' }).click()
    await frame.getByText('meddled').waitFor()
    await bench.clock.advance(100)
    expect([bench.robot.snapshot().state, bench.body.writes]).toEqual(['active.holding', []])
  })

  test('listens to the robot only once the inspector is there, and says what is missing', async () => {
    const { page, status, attached } = await aViewer(async (seen) => {
      await seen.clock.install()
      await seen.route('https://stately.ai/**', (route) => route.abort())
    })
    await status('Waiting for the Stately Inspector.')
    await page.clock.runFor(8_000)
    await status(/^The Stately Inspector cannot be reached: .* needs a network\./)
    expect(attached()).toBe(0)
  })

  test('listens to nobody but the inspector, and shows nothing but it', async () => {
    const { page, attached } = await aViewer((seen) =>
      seen.route('https://stately.ai/**', (route) => route.abort()),
    )
    const refused = await page.evaluate(`
      window.postMessage({ type: '@statelyai.connected' }, '*')
      const frame = document.createElement('iframe')
      frame.src = 'https://evil.example/'
      new Promise((resolve) => {
        document.addEventListener('securitypolicyviolation', (event) =>
          resolve(event.violatedDirective),
        )
        document.body.append(frame)
      })
    `)
    expect([refused, attached()]).toEqual(['frame-src', 0])
  })

  test('says so when the robot is gone', async () => {
    const { close, status } = await aViewer((seen) =>
      seen.route('https://stately.ai/**', (route) =>
        route.fulfill({ contentType: 'text/html', body: receiver }),
      ),
    )
    await status('The robot is shown as it is. Nothing here can move it.')
    await close()
    await status(/^The robot is out of touch\./)
  })
})

/** A page that has followed the link, with whatever network `prepare` gives it. */
async function aViewer(prepare: (page: Page) => Promise<unknown>) {
  if (!browser) throw new Error('there is no browser')
  const bench = benchWith()
  let attached = 0
  const server = await serveStately(0, {
    clock: wallClock(),
    unixMs: () => 0,
    failed: (cause) => {
      throw new Error(cause)
    },
    inspect(observer) {
      attached += 1
      return bench.robot.inspect(observer)
    },
  })
  const page = await browser.newPage()
  ending.push(
    () => bench.robot.stop(),
    () => server.close(),
    () => page.close(),
  )
  await bench.start()
  await prepare(page)
  await page.goto(server.link())
  return {
    bench,
    page,
    attached: () => attached,
    close: () => server.close(),
    status: (text: string | RegExp) => page.getByRole('status').filter({ hasText: text }).waitFor(),
  }
}

/** A page of the kind that is at stately.ai/inspect: it lists what `createBrowserReceiver` of `@statelyai/inspect` tells it. */
async function receiverPage(): Promise<string> {
  const script = `
    import { createBrowserReceiver } from '@statelyai/inspect'
    const line = (text) => {
      const item = document.createElement('li')
      item.textContent = text
      document.body.append(item)
    }
    createBrowserReceiver().subscribe((event) => {
      const { type, name, snapshot } = event
      line(type + ' ' + (name ?? JSON.stringify(snapshot?.value)))
    })
    const button = document.createElement('button')
    button.textContent = 'meddle'
    button.onclick = () => {
      for (const type of ['robot.resume', 'takeOver', '@xstate.event', 'drive'])
        window.parent.postMessage({ type, linear: 1, angular: 0, sequence: 1 }, '*')
      line('meddled')
    }
    document.body.append(button)
  `
  const entry = 'virtual:receiver'
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'receiver',
        resolveId: (id) => (id === entry ? entry : undefined),
        load: (id) => (id === entry ? script : undefined),
      },
    ],
    build: { write: false, rollupOptions: { input: entry } },
  })
  const [first] = Array.isArray(built) ? built : [built]
  const chunk = first && 'output' in first ? first.output[0] : undefined
  const code = chunk?.type === 'chunk' ? chunk.code.replaceAll('</script', '<\\/script') : ''
  return `<!doctype html><body><script type="module">${code}</script></body>`
}
