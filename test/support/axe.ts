import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { z } from 'zod'

const violationsSchema = z.array(
  z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) }),
)

/** What axe finds, a line each. */
export async function violationsOf(seen: Page): Promise<readonly string[]> {
  await seen.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8'))
  const found = violationsSchema.parse(
    await seen.evaluate('axe.run().then(({ violations }) => violations)'),
  )
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}
