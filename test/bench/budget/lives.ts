import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Bill } from './bill.ts'
import type { ModelServer } from './server.ts'

/** A robot that is killed and started again. */
export interface Mortal {
  readonly limitTokens: number
  readonly clients: number
  /** From when its clients begin to ask until it is killed. */
  readonly lifeMs: number
}

/** What came of it. */
export interface Lives {
  readonly kills: number
  /** By its ledger, in tokens, once that was exhausted. */
  readonly charged: number
  readonly bill: Bill
  /** Requests that another life made of a budget that was exhausted already. */
  readonly requestsAfterwards: number
}

/** So many lives and still tokens left: something is wrong. */
const livesMax = 60

/**
 * Kills with SIGKILL and starts again until the budget is exhausted, and then once more to see that it still is. The
 * server has no faults: what is charged for those would hide what a robot forgets of the calls that it was killed in.
 */
export async function spendUnderKills(server: ModelServer, mortal: Mortal): Promise<Lives> {
  const folder = mkdtempSync(join(tmpdir(), 'mechos-bench-'))
  try {
    await server.begin(0, 'faultless')
    for (let life = 0; life < livesMax; life++) {
      // oxlint-disable-next-line no-await-in-loop -- one life after the other
      const charged = await live(server.url, folder, life, mortal)
      if (charged === undefined) continue
      // oxlint-disable-next-line no-await-in-loop -- the last one
      const bill = await server.settledBill()
      // oxlint-disable-next-line no-await-in-loop -- the last one
      await live(server.url, folder, life + 1, mortal)
      // oxlint-disable-next-line no-await-in-loop -- the last one
      const { requests } = await server.settledBill()
      return { kills: life, charged, bill, requestsAfterwards: requests - bill.requests }
    }
    throw new Error(`${livesMax} lives did not spend ${mortal.limitTokens} tokens`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What was charged, or undefined for a life that was ended. */
async function live(
  url: string,
  folder: string,
  life: number,
  { lifeMs, ...rest }: Mortal,
): Promise<number | undefined> {
  const path = fileURLToPath(new URL('./life.ts', import.meta.url))
  const words = JSON.stringify({ url, folder, life, ...rest })
  const child = spawn(process.execPath, ['--import', 'tsx', path, words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const gone = once(child, 'close')
  const over = new AbortController()
  let charged: number | undefined
  let hasBegun = false
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'begun') {
      hasBegun = true
      void delay(lifeMs, undefined, { signal: over.signal }).then(
        () => child.kill('SIGKILL'),
        () => {},
      )
    }
    const [, tokens] = /^exhausted (\d+)$/.exec(line) ?? []
    if (tokens !== undefined) charged = Number(tokens)
  })
  await gone
  over.abort()
  if (charged === undefined && (!hasBegun || child.signalCode !== 'SIGKILL')) {
    throw new Error(`life ${life} ended by itself, with ${child.exitCode}`)
  }
  return charged
}
