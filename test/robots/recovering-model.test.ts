import type { ServerResponse } from 'node:http'
import { describe, expect, test, vi } from 'vitest'
import { pace } from '../../drivers/pace.ts'
import { createRobot, type RobotConfiguration, virtualClock } from '../../index.ts'
import { waitMsMax } from '../support/mechos.ts'
import { completion, startHostile } from '../support/model-server.ts'

type Respond = (response: ServerResponse) => void

const robotOf = (url: string, deadlineMs: number): RobotConfiguration => ({
  name: 'rover',
  body: { kind: 'simulated', wheels: { radiusMetres: 0.03, trackMetres: 0.15 }, lidar: {} },
  limits: { linear: 0.3, angular: 1.5 },
  brains: [{ url, model: 'm', deadlineMs }],
  budget: { tokensPerDay: 1_000_000 },
})

const turn =
  '{"reason":"to look","intent":{"type":"drive","linear":0,"angular":1,"durationMs":300}}'

const recovered: Respond = (response) => {
  response.setHeader('content-type', 'application/json').end(completion(turn))
}

const event = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`

/** Writes as long as somebody takes it. */
function pour(response: ServerResponse, chunk: string | Buffer, chunksMax: number): void {
  let written = 0
  const more = () => {
    while (written < chunksMax && !response.destroyed) {
      written += 1
      if (!response.write(chunk)) return void response.once('drain', more)
    }
    response.end()
  }
  more()
}

const gibibyte = 1_024 * 1_024 * 1_024
const chunkBytes = 64 * 1_024

/** What an endpoint may do for a while, and why the robot then says that it stands still. */
const spells: Record<string, { respond: Respond; because: RegExp; deadlineMs?: number }> = {
  'never ends its stream': {
    respond(response) {
      response.setHeader('content-type', 'text/event-stream')
      pour(response, event('so '), Number.POSITIVE_INFINITY)
    },
    because: /too long|larger|oversized/,
  },
  'trickles its stream beyond the deadline': {
    respond(response) {
      response.setHeader('content-type', 'text/event-stream').write(event('so '))
    },
    because: /no answer within/,
    deadlineMs: 500,
  },
  'sends 1 GiB': {
    respond(response) {
      response.setHeader('content-type', 'application/json')
      pour(response, Buffer.alloc(chunkBytes, 32), gibibyte / chunkBytes)
    },
    because: /too long|larger|oversized/,
  },
  'closes in the middle of its JSON': {
    respond(response) {
      response.setHeader('content-type', 'application/json')
      response.write('{"choices":[{"index":0,', () => response.destroy())
    },
    because: /connection.* broke|in JSON|broke off/,
  },
  'answers 429 and asks for a second': {
    respond(response) {
      response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '1' }).end('{}')
    },
    because: /answered 429/,
  },
  'redirects to another host': {
    respond(response) {
      response.writeHead(307, { location: 'http://localhost:1/v1/chat/completions' }).end()
    },
    because: /redirect|307/,
  },
  'answers when nobody waits any more': {
    respond(response) {
      response.once('close', () => response.end(completion(turn)))
    },
    because: /no answer within/,
    deadlineMs: 500,
  },
}

describe.concurrent('the robot holds still, says why, and goes on when an endpoint recovers that', () => {
  for (const [title, { respond, because, deadlineMs = 5_000 }] of Object.entries(spells)) {
    test(title, { timeout: 120_000 }, async ({ onTestFinished }) => {
      let isWell = false
      const server = await startHostile((response) => (isWell ? recovered : respond)(response))
      const clock = virtualClock()
      const robot = createRobot(robotOf(server.url, deadlineMs), { clock, seed: 7 })
      const ending = new AbortController()
      onTestFinished(async () => {
        ending.abort()
        await robot.stop()
        await server.close()
      })
      await robot.start()
      const pacing = pace(clock, { speed: 1, forMs: 10 * waitMsMax, signal: ending.signal })
      const before = process.memoryUsage().rss
      await vi.waitFor(() => expect(robot.snapshot().llm.lastError ?? '').toMatch(because), {
        timeout: waitMsMax,
        interval: 20,
      })
      const still = robot.snapshot()
      expect([still.state, still.pose]).toEqual(['active.autonomous', { x: 0, y: 0, heading: 0 }])
      expect(process.memoryUsage().rss - before).toBeLessThan(memoryBytesMax)
      isWell = true
      await vi.waitFor(() => expect(robot.snapshot().pose?.heading).not.toBe(0), {
        timeout: 3 * waitMsMax,
        interval: 20,
      })
      expect(robot.snapshot().llm.lastError).toBe(null)
      ending.abort()
      await pacing
    })
  }
})

/** What a process may grow by that takes no more of a reply than its cap: garbage of the test itself, above all. */
const memoryBytesMax = 200 * 1_024 * 1_024
