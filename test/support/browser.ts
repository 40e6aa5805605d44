import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { createCockpit } from '../../cockpit.ts'
import type { RobotConfiguration } from '../../core/vocabulary/configuration.ts'
import { type Clock, virtualClock, wallClock } from '../../drivers/clock.ts'
import { pace } from '../../drivers/pace.ts'
import { demoRover } from '../../drivers/simulated/rover.ts'
import type { Role } from '../../inspector/cockpit/protocol.ts'
import { createRobot } from '../../robot.ts'
import type { Robot, RobotOptions } from '../../robot/contract.ts'

/** The browser that comes with the packages, or why it cannot be started here. */
export type Started =
  | { readonly browser: Browser; readonly reason?: undefined }
  | { readonly browser?: undefined; readonly reason: string }

/** Starts Chromium from npm. It unpacks libraries of its own only where it believes to be in the cloud that it was made for. */
export async function startBrowser(): Promise<Started> {
  process.env['AWS_EXECUTION_ENV'] ??= 'AWS_Lambda_nodejs20.x'
  try {
    const { default: packed } = await import('@sparticuz/chromium')
    const executablePath = await packed.executablePath()
    const args = ['--no-sandbox', '--disable-gpu', '--hide-scrollbars']
    return { browser: await chromium.launch({ executablePath, args }) }
  } catch (error) {
    return { reason: `no browser starts here: ${String(error).split('\n')[0]}` }
  }
}

/** Builds the page as it is now into a folder of its own. */
export async function buildPage(): Promise<{ readonly folder: string; remove(): void }> {
  const above = mkdtempSync(join(tmpdir(), 'mechos-page-'))
  const folder = join(above, 'cockpit')
  const configFile = fileURLToPath(
    new URL('../../inspector/cockpit/page/vite.config.ts', import.meta.url),
  )
  await build({ configFile, build: { outDir: folder } })
  return { folder, remove: () => rmSync(above, { recursive: true }) }
}

/** A robot that runs at the pace of the wall, its cockpit, and pages that look at it. */
export interface Stage {
  readonly robot: Robot
  /** What the pages and the cockpit complained of. */
  readonly complaints: readonly string[]
  /** A new page that has followed a login link. */
  visit(role?: Role, options?: BrowserContextOptions): Promise<Page>
  /** Takes the cockpit away. */
  close(): Promise<void>
  /** Serves another one at the same port, which knows nobody. */
  reopen(): Promise<void>
  leave(): Promise<void>
}

/** Puts a robot on the stage: the demonstration rover in its room, unless it is given something else. */
export async function stageOf(
  { browser, folder }: { readonly browser: Browser; readonly folder: string },
  given: RobotOptions | ((clock: Clock) => RobotOptions) = {},
  configuration: RobotConfiguration = demoRover,
): Promise<Stage> {
  const clock = virtualClock()
  const options = typeof given === 'function' ? given(clock) : given
  const complaints: string[] = []
  const complain = (_: object, message: string) => complaints.push(message)
  const robot = createRobot(configuration, { clock, seed: 7, ...options })
  const cockpitAt = (port: number) =>
    createCockpit({
      robot,
      clock: wallClock(),
      port,
      folder,
      log: { info: () => {}, warn: complain, error: complain },
    })
  let cockpit = cockpitAt(0)
  const ended = new AbortController()
  const running = pace(clock, { speed: 1, forMs: Infinity, signal: ended.signal })
  await Promise.all([robot.start(), cockpit.open()])
  const pages: Page[] = []
  let port = 0
  return {
    robot,
    complaints,
    async visit(role = 'drive', context = {}) {
      const page = await browser.newPage({ locale: 'en-GB', ...context })
      pages.push(page)
      page.on('pageerror', (error) => complaints.push(String(error)))
      page.on('console', (message) => {
        // A line that breaks is what some tests are about; a browser always says so.
        const isLine = /ERR_CONNECTION|WebSocket connection|401/.test(message.text())
        if (message.type() === 'error' && !isLine) complaints.push(message.text())
      })
      await page.goto(cockpit.link(role) ?? '')
      return page
    },
    close() {
      port = Number(new URL(cockpit.link('watch') ?? '').port)
      return cockpit.close()
    },
    async reopen() {
      cockpit = cockpitAt(port)
      await cockpit.open()
    },
    async leave() {
      await Promise.all(pages.map((page) => page.close()))
      await cockpit.close()
      await robot.stop()
      ended.abort()
      await running
    },
  }
}
