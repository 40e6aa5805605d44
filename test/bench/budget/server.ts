import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { type Bill, billSchema } from './bill.ts'

/** A model that runs in a process of its own, and what it bills. */
export interface ModelServer {
  /** Where it is asked. */
  readonly url: string
  /** Opens a new bill. From the same seed come the same accidents, in the order of the requests; or none at all. */
  begin(seed: number, conduct: 'faulty' | 'faultless'): Promise<void>
  /** What it has billed, once nobody waits for it any more. */
  settledBill(): Promise<Bill>
  close(): Promise<void>
}

/** Starts `model.ts`. */
export async function startModelServer(): Promise<ModelServer> {
  const path = fileURLToPath(new URL('./model.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  const port = await Promise.race([
    once(lines, 'line').then(([line]) => z.coerce.number().int().positive().parse(line)),
    once(child, 'exit').then(() => Promise.reject(new Error('the model did not start'))),
  ])
  const base = `http://127.0.0.1:${port}`
  const bill = async () => billSchema.parse(await (await fetch(`${base}/bill`)).json())
  return {
    url: `${base}/v1`,
    async begin(seed, conduct) {
      const body = JSON.stringify({ seed, isFaulty: conduct === 'faulty' })
      await fetch(`${base}/begin`, { method: 'POST', body })
    },
    async settledBill() {
      for (let reading = 0; reading < readingsMax; reading++) {
        // oxlint-disable-next-line no-await-in-loop -- who has just hung up may have a request on its way
        await delay(settleMs)
        // oxlint-disable-next-line no-await-in-loop -- one reading after the other
        const read = await bill()
        if (read.underWay === 0) return read
      }
      throw new Error('the model still answers somebody')
    },
    async close() {
      const gone = once(child, 'exit')
      child.stdin.end()
      await gone
    },
  }
}

const settleMs = 100
const readingsMax = 300
