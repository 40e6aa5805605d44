import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { createCockpit } from '../../cockpit.ts'
import { wallClock } from '../../drivers/clock.ts'
import { demoRover } from '../../drivers/simulated/rover.ts'
import { createRobot } from '../../robot.ts'
import { silence } from '../../robot/log.ts'
import { countedFigure, type Figure } from './figure.ts'
import { missedIn } from './missed.ts'

/** What is promised of a cockpit that is flooded, while its robot drives. */
const promised = {
  missed: { name: 'reflex ticks missed under attack', unit: 'ticks', bound: 0, op: '<=' },
  grown: { name: 'memory grown under attack', unit: 'MB', bound: 50, op: '<=' },
} as const

const seconds = 10
const wordsPerSecond = 10_000
const connections = 500
const told = z.object({ words: z.number(), hangUps: z.number() })

/** A rover in real time; a page that says 10 000 words a second, as often as it is let in, and 500 connections that say nothing. */
export async function attackFigures({
  note,
}: {
  note(line: string): void
}): Promise<readonly Figure[]> {
  const clock = wallClock()
  const robot = createRobot(demoRover, { clock, seed: 7 })
  const cockpit = createCockpit({ robot, clock, port: 0, folder: 'dist/cockpit', log: silence })
  await cockpit.open()
  await robot.start()
  const beatsMs: number[] = []
  const unwatch = robot.inspect((seen) => {
    if (seen.type === '@xstate.event' && seen.event.type === 'robot.beat') beatsMs.push(clock.now())
  })
  try {
    await sleep(2_000)
    note('flooding the cockpit')
    const { headers } = await fetch(cockpit.link('watch') ?? '', { redirect: 'manual' })
    const cookie = (headers.get('set-cookie') ?? '').split(';')[0] ?? ''
    const url = `${cockpit.present.address?.replace('http', 'ws')}/live`
    const before = process.memoryUsage().heapUsed
    const worker = new Worker(new URL('attackers.mjs', import.meta.url), {
      workerData: { url, cookie, seconds, wordsPerSecond, connections },
    })
    // Its own loading is no attack.
    await once(worker, 'online')
    beatsMs.length = 0
    const [message]: unknown[] = await once(worker, 'message')
    const { words, hangUps } = told.parse(message)
    await worker.terminate()
    const reason = `${words} words, ${hangUps} times hung up, ${connections} connections; ${beatsMs.length} ticks, state ${robot.snapshot().state}`
    return [
      countedFigure(promised.missed, { value: missedIn(beatsMs), n: beatsMs.length, reason }),
      countedFigure(promised.grown, {
        value: Math.max(0, process.memoryUsage().heapUsed - before) / 1e6,
        n: 1,
        reason,
      }),
    ]
  } finally {
    unwatch()
    await cockpit.close()
    await robot.stop()
  }
}
