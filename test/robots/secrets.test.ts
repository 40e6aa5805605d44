import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { cliPath, reportOf, test } from '../support/mechos.ts'
import { completion, startHostile } from '../support/model-server.ts'

const key = 'sk-test-3f9c2b7a51e84d60'
const wait = '{"reason":"to rest","intent":{"type":"wait","durationMs":200}}'

test('a key goes to its endpoint, and into no log, prompt, report, error, status or file', async ({
  place,
  onTestFinished,
}) => {
  const authorizations: (string | undefined)[] = []
  const server = await startHostile((response, request) => {
    authorizations.push(request.headers.authorization)
    // Servers do name the key that they refuse.
    const complaint = `{"error":{"message":"Incorrect API key provided: ${key}"}}`
    response.setHeader('content-type', 'application/json')
    if (authorizations.length === 1) response.writeHead(401).end(complaint)
    else if (authorizations.length === 3) response.writeHead(500).end(complaint)
    else if (authorizations.length === 4) response.end(`${key} is no JSON`)
    else response.end(completion(wait))
  })
  onTestFinished(server.close)
  const words = 'run --headless --for 5 --seed 7 --state kept --log trace --show-prompt --report -'
  const robot = place.launch('/usr/bin/env', [
    `HOUSE_KEY=${key}`,
    process.execPath,
    cliPath,
    ...words.split(' '),
    '--brain',
    server.url,
    ...'--model m --key-env HOUSE_KEY'.split(' '),
  ])
  await robot.says(/401/)
  const status = await place.run('status', '--json', '--state', 'kept')
  const ended = await robot.ended
  expect(ended.code).toBe(0)
  expect(reportOf(ended).intents.permitted).toBeGreaterThan(0)
  expect(authorizations.length).toBeGreaterThan(3)
  expect(new Set(authorizations)).toEqual(new Set([`Bearer ${key}`]))

  const kept = filesIn(place.path).map((path) => readFileSync(path, 'latin1'))
  expect(kept.length).toBeGreaterThan(2)
  const told = [ended.stdout, ended.stderr, status.stdout, status.stderr, ...kept]
  expect(told.join('\n')).toMatch(/You steer/)
  expect(told.filter((text) => text.includes(key))).toEqual([])
})

test('a key in the place of its name is not said aloud', async ({ place }) => {
  const ended = await place.run(
    ...`run --headless --for 1 --brain http://127.0.0.1:1/v1 --model m --key-env ${key}`.split(' '),
  )
  expect(ended.code).toBe(2)
  expect(ended.stderr).toMatch(/^brains\[0\]\.keyEnv: is not the name of an environment variable/)
  expect(ended.stdout + ended.stderr).not.toContain(key)
})

test('a model elsewhere is asked neither over plain http nor at a price that nobody knows', async ({
  place,
}) => {
  const refused = await place.run(
    ...'run --headless --for 1 --brain http://10.0.0.1/v1 --model m'.split(' '),
  )
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringMatching(/^brains\[0\]\.url: .* is not allowed; explorer, or an https address/),
  ])
  const unpriced = await place.run(
    ...'run --headless --for 1 --brain https://models.invalid/v1 --model nobody-7b'.split(' '),
  )
  expect([unpriced.code, unpriced.stderr]).toEqual([
    2,
    expect.stringMatching(
      /^brains\[0\]\.price: missing; nobody knows what nobody-7b costs at models\.invalid/,
    ),
  ])
})

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
}
