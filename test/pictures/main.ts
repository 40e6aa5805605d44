import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import type { Brain } from '../../actors/deliberation.ts'
import { wallClock } from '../../drivers/clock.ts'
import { flightRecordIn, recordLimits } from '../../store/flight-record.ts'
import { buildPage, stageOf, startBrowser } from '../support/browser.ts'

// Run by `npm run pictures`: writes docs/pictures/, of a rover that explores its room, is then halted, looked back at, and lost; and of one that asks.
const { browser, reason } = await startBrowser()
if (!browser) throw new Error(reason)
const page = await buildPage()
const kept = mkdtempSync(join(tmpdir(), 'mechos-pictures-'))
const record = flightRecordIn(join(kept, 'run'), recordLimits, wallClock().now)
const { close, leave, visit } = await stageOf({ browser, folder: page.folder }, { record })
const folder = fileURLToPath(new URL('../../docs/pictures/', import.meta.url))
mkdirSync(folder, { recursive: true })

const desk = { viewport: { width: 1360, height: 900 } }
const hand = { viewport: { width: 390, height: 844 }, hasTouch: true }
const light = await visit('drive', desk)
const dark = await visit('watch', { ...desk, colorScheme: 'dark' })
const phone = await visit('drive', hand)
// A few turns of the loop, so that there is something to see.
await light.locator('tbody tr').nth(24).waitFor({ state: 'attached' })

await take(light, 'cockpit')
await dark.getByRole('button', { name: /^agent/ }).click()
await take(dark, 'cockpit-dark')
await phone.getByRole('button', { name: 'Take over' }).click()
await phone.locator('.stick').waitFor()
await take(phone, 'cockpit-phone')
await light.keyboard.press('Escape')
await light.locator('[data-id="robot.halted"].active').waitFor()
await light.getByText('Halted because').waitFor()
await take(light, 'cockpit-halted')
await light.getByRole('button', { name: '−10 s' }).click()
await light.locator('[data-id="robot.active.autonomous"].active').waitFor()
await take(light, 'cockpit-past')
await light.getByRole('button', { name: 'Live', exact: true }).click()
await close()
await light.getByText('out of touch', { exact: true }).waitFor()
await take(light, 'cockpit-lost')
await leave()

const asking: Brain = {
  name: 'asking',
  decide: async () => ({
    reason: 'there is a door on either side',
    intent: { type: 'askHuman', question: 'Left or right?', choices: ['left', 'right'] },
  }),
}
const other = await stageOf({ browser, folder: page.folder }, { brain: asking })
const asked = await other.visit('drive', desk)
await asked.getByText('Left or right?').first().waitFor()
await take(asked, 'cockpit-question')
await other.leave()
await browser.close()
page.remove()
rmSync(kept, { recursive: true })

async function take(seen: Page, name: string): Promise<void> {
  const path = `${folder}${name}.png`
  await seen.screenshot({ path })
  process.stdout.write(`docs/pictures/${name}.png, ${Math.ceil(statSync(path).size / 1_000)} kB\n`)
}
