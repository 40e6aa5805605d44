import { writeFileSync } from 'node:fs'
import { parseConfiguration } from '../core/vocabulary/configuration.ts'
import { demoRover } from '../drivers/simulated/rover.ts'
import { proofOf } from '../prove.ts'
import { safetyPage } from './safety-page.ts'

// Run by `npm run charts`: writes docs/safety.md. What it shows holds or not; the page says so either way.
const proof = proofOf(parseConfiguration(demoRover))
writeFileSync(new URL('../docs/safety.md', import.meta.url), safetyPage(proof))
process.stdout.write(`docs/safety.md: ${proof.holds ? 'all of it holds' : 'IT DOES NOT HOLD'}\n`)
