import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test as plainTest } from 'vitest'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { machines } from '../../../inspector/charts.ts'
import { type Outline, outlineOf } from '../../../inspector/outline.ts'
import { definitionOf } from '../../../inspector/stately/definition.ts'
import { chartForV4 } from '../../../inspector/xstate-inspect/chart.ts'
import { type Place, type Running, test, waitMsMax } from '../../support/mechos.ts'

const main = fileURLToPath(new URL('../../../inspector/xstate-inspect/main.ts', import.meta.url))
/** How a script loads what the workspace has: `@xstate/inspect`, and the XState 4 that it needs. */
const workspace = [
  "const { createRequire } = await import('node:module')",
  `const require = createRequire('${main}')`,
]

describe('a chart of the robot', () => {
  plainTest(
    'is one that XState 4 makes a machine of, with the same states, going the same ways',
    async () => {
      const charts = machines.map((machine) => chartForV4(definitionOf(machine)))
      const script = [
        ...workspace,
        "const { createMachine } = require('xstate')",
        `const made = ${JSON.stringify(charts)}.map((chart) => createMachine(chart))`,
        'const [root] = made',
        "const halted = root.transition({ active: 'autonomous' }, 'robot.halt').value",
        'console.log(JSON.stringify({ ids: made.map((machine) => machine.stateIds), halted }))',
      ]
      const { stdout } = await promisify(execFile)(process.execPath, nodeWords(script))
      const { ids, halted } = madeSchema.parse(JSON.parse(stdout))
      expect(ids.map((found) => found.length)).toEqual(
        machines.map((machine) => countOf(outlineOf(machine))),
      )
      expect(halted).toBe('halted')
    },
  )
})

describe('a robot that runs', () => {
  test('is shown to the receiver of @xstate/inspect, which makes a machine of it that works; nothing that it says comes back', async ({
    place,
  }) => {
    const robot = place.start(['run', '--stately', '--headless', '--cockpit-port', '0', ...long])
    await place.reaches('rover', ({ state }) => state === 'active.autonomous')
    await robot.says(/^stately: http:\/\/127\.0\.0\.1:\d+\/login\?token=[\w-]{43}$/m)
    const shown = inspect4(place, '--robot', 'rover')
    await shown.says(/^or: /m)
    expect(shown.text()).toMatch(
      /^viewer: https:\/\/stately\.ai\/viz\?inspect&server=ws:\/\/127\.0\.0\.1:\d+\/[\w-]{43}$/m,
    )
    const server = /server: '(.+)'/.exec(shown.text())?.[1] ?? ''
    const receiver = place.launch(process.execPath, nodeWords(receiverScript(server)))
    await receiver.says(/"type":"service.register","id":"robot"/)
    await receiver.says(/"service.register","id":"robot"[^]*(?:"service.state"[^]*){5}/)
    const [root] = heardBy(receiver).filter(
      ({ type, id }) => type === 'service.register' && id === 'robot',
    )
    expect(root).toMatchObject({ value: { active: 'autonomous' }, halting: 'halted' })
    // It has asked for a halt meanwhile, and for much else.
    expect(await place.statusOf('rover')).toMatchObject({ state: 'active.autonomous', causes: [] })

    expect((await place.run('halt', 'rover')).code).toBe(0)
    await receiver.says(/"type":"service.state","id":"robot","value":"halted"/)
    expect(heardBy(receiver).filter(({ value }) => value === 'halted').length).toBeGreaterThan(0)

    robot.signal('SIGTERM')
    expect(await robot.ended).toMatchObject({ code: 0 })
    const ended = await shown.ended
    expect([ended.code, ended.stderr]).toEqual([0, ''])
  })

  test('is shown to nobody without the token, by another name, or on a page of another site', async ({
    place,
  }) => {
    place.start(['run', '--stately', '--headless', ...long])
    await place.reaches('rover', ({ state }) => state === 'active.autonomous')
    const shown = inspect4(place)
    await shown.says(/^or: /m)
    const server = /server: '(.+)'/.exec(shown.text())?.[1] ?? ''
    const { host } = new URL(`ws://${server}`)
    expect(await statusOf(`ws://${host}/`)).toBe(401)
    expect(await statusOf(`ws://${host}/${'A'.repeat(43)}`)).toBe(401)
    expect(await statusOf(`ws://${server}`, { origin: 'https://evil.example' })).toBe(401)
    expect(await statusOf(`ws://${server}`, { host: 'evil.example' })).toBe(401)
    expect(await statusOf(`ws://${server}`, { origin: 'https://stately.ai' })).toBe('open')
    // Nor does it end because of what somebody says.
    for (const said of [
      '{',
      'null',
      Buffer.from('{"type":"xstate.inspecting"}'),
      'x'.repeat(5_000),
    ]) {
      const socket = new WebSocket(`ws://${server}`)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await once(socket, 'open')
      socket.send(said)
      if (said.length < 5_000) socket.close()
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await once(socket, 'close')
    }
    expect(await statusOf(`ws://${server}`)).toBe('open')
    shown.signal('SIGINT')
    expect((await shown.ended).code).toBe(0)
  })

  test('without --stately is not shown, and it is said how; nor is one that does not run', async ({
    place,
  }) => {
    expect((await inspect4(place, '--robot', 'rover').ended).stderr).toBe('no robot is running\n')
    place.start(['run', '--headless', ...long])
    await place.reaches('rover', ({ state }) => state === 'active.autonomous')
    const refused = await inspect4(place, '--robot', 'rover').ended
    expect([refused.code, refused.stderr]).toEqual([
      1,
      'robot: rover is not shown to anybody; mechos run --stately\n',
    ])
    expect((await inspect4(place, '--robot', 'digger').ended).stderr).toBe(
      'name: digger is not running; running are: rover\n',
    )
  })
})

const long = ['--for', '600', '--speed', '1']

const madeSchema = z.object({ ids: z.array(z.array(z.string())), halted: z.unknown() })
const heardSchema = z.object({
  type: z.string(),
  id: z.string().optional(),
  value: z.unknown().optional(),
  halting: z.unknown().optional(),
})

function inspect4(place: Place, ...words: readonly string[]): Running {
  return place.launch(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...words])
}

/** The real receiver: it says what it was told, a line each, and does what it can to steer. */
function receiverScript(server: string): readonly string[] {
  return [
    ...workspace,
    "globalThis.WebSocket = require('ws').WebSocket",
    "const { createWebSocketReceiver } = require('@xstate/inspect')",
    `const receiver = createWebSocketReceiver({ server: '${server}' })`,
    'const names = new Map()',
    'const meddle = (origin) => {',
    "  for (const name of ['robot.halt', 'robot.pause', 'fault'])",
    "    receiver.send({ type: 'xstate.event', event: JSON.stringify({ name, data: { type: name }, origin }) })",
    "  receiver.send({ type: 'service.stop', sessionId: origin })",
    "  receiver.send({ type: 'disconnect' })",
    '}',
    'receiver.subscribe((event) => {',
    '  const { type, sessionId, machine, state } = event',
    "  if (type === 'service.register') names.set(sessionId, machine.id)",
    '  const id = names.get(sessionId)',
    "  const isRoot = type === 'service.register' && id === 'robot'",
    "  const halting = isRoot ? machine.transition(state.value, 'robot.halt').value : undefined",
    '  console.log(JSON.stringify({ type, id, value: state?.value, halting }))',
    '  if (isRoot) meddle(sessionId)',
    '})',
  ]
}

function heardBy(receiver: Running): readonly z.infer<typeof heardSchema>[] {
  return receiver
    .text()
    .split('\n')
    .slice(0, -1)
    .map((line) => heardSchema.parse(JSON.parse(line)))
}

function nodeWords(script: readonly string[]): readonly string[] {
  return ['--input-type=module', '-e', script.join('\n')]
}

/** What a viewer is answered with: an HTTP status, or that it is let in. */
async function statusOf(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number | 'open'> {
  const socket = new WebSocket(url, { headers, handshakeTimeout: waitMsMax })
  const answered = await new Promise<number | 'open'>((resolve, reject) => {
    socket.on('open', () => resolve('open'))
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0))
    socket.on('error', reject)
  })
  socket.terminate()
  return answered
}

function countOf(state: Outline): number {
  return state.states.reduce((count, inner) => count + countOf(inner), 1)
}
