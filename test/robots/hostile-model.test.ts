import type { ServerResponse } from 'node:http'
import { describe, expect, vi } from 'vitest'
import { pace } from '../../drivers/pace.ts'
import { createRobot, type Report, type RobotConfiguration, virtualClock } from '../../index.ts'
import {
  expectSafe,
  type Place,
  reportOf,
  type RunReport,
  test,
  waitMsMax,
} from '../support/mechos.ts'
import { completion, startHostile } from '../support/model-server.ts'

type Respond = (response: ServerResponse) => void

const json =
  (body: string): Respond =>
  (response) => {
    response.setHeader('content-type', 'application/json').end(body)
  }
const says = (content: string, more?: object) => json(completion(content, more))
const wants = (intent: string) => says(`{"reason":"because","intent":${intent}}`)
const status =
  (code: number): Respond =>
  (response) => {
    response
      .writeHead(code, { 'content-type': 'application/json' })
      .end('{"error":{"message":"no"}}')
  }

/** What a server may do to us, and the words in which the report then says why nothing moved. */
const hostile: Record<string, { respond: Respond; because: RegExp }> = {
  hangs: { respond: () => {}, because: /did not answer|no answer/ },
  'drops the connection': {
    respond: (response) => response.destroy(),
    because: /connection.* broke/,
  },
  'drops it in the middle of a reply': {
    respond: (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' })
      response.write('{"id":', () => response.destroy())
    },
    because: /connection.* broke|in JSON/,
  },
  'trickles and never ends': {
    respond: (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"id":')
    },
    because: /did not answer|no answer/,
  },
  'replies 500': { respond: status(500), because: /500/ },
  'replies 429': { respond: status(429), because: /429/ },
  'replies 401': { respond: status(401), because: /401/ },
  'replies with a web page': {
    respond: (response) => response.setHeader('content-type', 'text/html').end('<html>'),
    because: /./,
  },
  'replies without JSON': { respond: json('no JSON at all'), because: /did not answer in JSON/ },
  'replies with an empty object': { respond: json('{}'), because: /not whole: "?missing/ },
  'replies with no choice': { respond: json('{"choices":[]}'), because: /not whole: "?missing/ },
  'replies with null': { respond: json('null'), because: /./ },
  'is cut off by its cap': {
    respond: says('{"reason":"x","intent":{"type":"drive","linear":0.3', {
      finish_reason: 'length',
    }),
    because: /not whole: "?length/,
  },
  'is cut off behind a whole intent': {
    respond: says(
      '{"reason":"x","intent":{"type":"drive","linear":0.3,"angular":0,"durationMs":900}}',
      {
        finish_reason: 'length',
      },
    ),
    because: /not whole: "?length/,
  },
  'is filtered': {
    respond: says('', { finish_reason: 'content_filter' }),
    because: /content_filter/,
  },
  refuses: {
    respond: json(
      completion(null, {
        message: { role: 'assistant', content: null, refusal: 'I would rather not' },
      }),
    ),
    because: /not whole: "?refusal/,
  },
  'fences its JSON': {
    respond: says(
      '```json\n{"reason":"x","intent":{"type":"drive","linear":0.3,"angular":0,"durationMs":900}}\n```',
    ),
    because: /not one JSON object/,
  },
  'says no more than a speed': {
    respond: says('{"linear":1e39}'),
    because: /reply was not an intent: linear: no such field/,
  },
  'sends nothing but a speed for a completion': {
    respond: json('{"linear":1e39}'),
    because: /not whole: "?missing/,
  },
  'wants 1e39 m/s': {
    respond: wants('{"type":"drive","linear":1e39,"angular":0,"durationMs":500}'),
    because: /linear 1e\+39 m\/s is beyond the limit of 0\.3 m\/s/,
  },
  'wants 1e999 m/s': {
    respond: wants('{"type":"drive","linear":1e999,"angular":0,"durationMs":500}'),
    because: /linear: Infinity is not allowed|linear/,
  },
  'wants 99 m/s': {
    respond: wants('{"type":"drive","linear":99,"angular":0,"durationMs":500}'),
    because: /linear 99 m\/s is beyond the limit of 0\.3 m\/s/,
  },
  'wants to drive for ever': {
    respond: wants('{"type":"drive","linear":0.3,"angular":0,"durationMs":86400000}'),
    because: /durationMs: 86400000 is not allowed/,
  },
  'wants what there is not': {
    respond: wants('{"type":"fly","altitude":3}'),
    because: /type: "fly" is not allowed/,
  },
  'wants to reset and arm': {
    respond: wants('{"type":"robot.arm","epoch":2}'),
    because: /type: "robot\.arm" is not allowed/,
  },
  'wants a relay that it was not granted': {
    respond: wants('{"type":"setRelay","relay":"lamp","on":true}'),
    because: /relay:lamp has not been granted/,
  },
}

/** Those that go in at the command line; the others meet the same robot within this process, which takes less time. */
const throughTheCommand = new Set([
  'hangs',
  'drops the connection',
  'replies 500',
  'replies without JSON',
  'is cut off by its cap',
  'says no more than a speed',
  'wants 1e39 m/s',
  'wants 99 m/s',
  'wants what there is not',
])

/** Long enough for an answer on a busy machine; who never answers is waited for only so long. */
const deadlineMs = { ofAnswers: 5_000, ofSilence: 500 }
const silent = new Set(['hangs', 'trickles and never ends'])
const deadlineFor = (title: string) =>
  silent.has(title) ? deadlineMs.ofSilence : deadlineMs.ofAnswers

const robotOf = (url: string, limitMs: number): RobotConfiguration => ({
  name: 'rover',
  body: {
    kind: 'simulated',
    wheels: { radiusMetres: 0.03, trackMetres: 0.15 },
    lidar: {},
    relays: [{ name: 'lamp', halt: 'low' }],
  },
  limits: { linear: 0.3, angular: 1.5 },
  brains: [{ url, model: 'm', deadlineMs: limitMs }],
})
const fileOf = (url: string, limitMs: number) =>
  `export default ${JSON.stringify(robotOf(url, limitMs))}`

/** Runs the shipped command for as long as two calls may take that nobody answers. */
async function runAgainst(place: Place, url: string, limitMs: number): Promise<RunReport> {
  place.write('robot.config.ts', fileOf(url, limitMs))
  const ended = await place.run(
    ...'run --headless --for 2 --seed 7 --goal explore --report -'.split(' '),
  )
  expect(ended.code).toBe(0)
  expect(ended.stderr).not.toMatch(/\n?\s+at \S+ ?\(|Error:/)
  return reportOf(ended)
}

/** Runs a robot in this process until it says why it stands still. */
async function standAgainst(url: string, limitMs: number): Promise<Report> {
  const clock = virtualClock()
  const robot = createRobot(robotOf(url, limitMs), { clock, seed: 7 })
  const ending = new AbortController()
  await robot.start()
  // As the shipped command does: a machine that is held up holds the robot's clock up too.
  const pacing = pace(clock, { speed: 1, forMs: waitMsMax, signal: ending.signal })
  const why = () => expect(robot.snapshot().causes).toHaveLength(1)
  await vi.waitFor(why, { timeout: waitMsMax, interval: 20 })
  ending.abort()
  await pacing
  return robot.stop()
}

describe.concurrent(
  'nothing moves, and the report says why, when the server',
  { timeout: 120_000 },
  () => {
    for (const [title, { respond, because }] of Object.entries(hostile)) {
      test(title, async ({ place, onTestFinished }) => {
        const server = await startHostile(respond)
        onTestFinished(server.close)
        const report = throughTheCommand.has(title)
          ? await runAgainst(place, server.url, deadlineFor(title))
          : await standAgainst(server.url, deadlineFor(title))
        expect(report.causes).toEqual(['end of run', expect.stringMatching(because)])
        expect(report).toMatchObject({
          state: 'halted',
          exit: 0,
          distanceM: 0,
          intents: { permitted: 0 },
        })
        if (!silent.has(title)) expect(server.asked).toBeGreaterThan(0)
        expect(report.tokens.held).toBe(0)
        expectSafe(report)
      })
    }

    test('is not there', async ({ place }) => {
      const server = await startHostile(() => {})
      await server.close()
      const report = await runAgainst(place, server.url, deadlineMs.ofAnswers)
      expect(report).toMatchObject({ exit: 0, distanceM: 0, tokens: { spent: 0, assumed: 0 } })
      expect(report.causes).toEqual(['end of run', expect.stringMatching(/connection refused/)])
    })
  },
)

test('why a model fails stands in the status too', async ({ place, onTestFinished }) => {
  const server = await startHostile(status(500))
  onTestFinished(server.close)
  place.write('robot.config.ts', fileOf(server.url, deadlineMs.ofAnswers))
  const robot = place.start(['run', '--headless', '--for', '3600', '--report', '-'])
  const { causes, llm } = await place.reaches('rover', (seen) => seen.llm.lastError !== null)
  expect(llm).toMatchObject({ lastError: "the model's server answered 500" })
  expect(causes).toEqual(["the model's server answered 500"])
  robot.signal('SIGTERM')
  expect(reportOf(await robot.ended)).toMatchObject({ state: 'halted', exit: 0, distanceM: 0 })
})
