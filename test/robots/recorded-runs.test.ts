import { once } from 'node:events'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, vi } from 'vitest'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { textOf } from '../../core/record/text.ts'
import { askRobot } from '../../inspector/control-client.ts'
import { addressed, machineMs, robotWord, type Wish } from '../../inspector/control-words.ts'
import { identityOf } from '../../store/process-identity.ts'
import { recordsIn } from '../../store/records.ts'
import {
  cliPath,
  type Place,
  reportOf,
  type RunReport,
  type Running,
  type Status,
  waitMsMax,
} from '../support/mechos.ts'
import { driveSensibly, reply, startHostile, startModel } from '../support/model-server.ts'
import { cameOf, entriesOf, expectNoDifference } from '../support/records.ts'
import { test, wordsFor } from '../support/robot-on-uno.ts'

/** A way for a run to go, and what shows in its record that it went that way. */
interface Way {
  /** Lives the run of the robot `rover` to its end. */
  readonly live: (place: Place) => Promise<unknown>
  readonly shows: readonly RegExp[]
}

const turn = { type: 'drive', linear: 0, angular: 1, durationMs: 200 }

/** The explorer, with `words`, as fast as it can. */
const fast = (words: readonly string[], shows: readonly RegExp[] = []): Way => ({
  live: async (place) => {
    const all = ['run', ...words, '--headless', '--state', stateIn(place), '--report', '-']
    expect(reportOf(await place.run(...all))).toMatchObject({ exit: 0, collisions: 0 })
  },
  shows: [/"kind":"lidar"/, /"what":"proposal"/, /"what":"verdict"/, /"what":"write"/, ...shows],
})

/** In real time, with `words`, until `act` is done. */
const slow = (
  words: readonly string[],
  shows: readonly RegExp[],
  act: (place: Place, robot: Running) => Promise<unknown>,
): Way => ({
  live: async (place) => {
    const robot = place.start(['run', ...words, '--headless', '--speed', '1'])
    await act(place, robot)
    robot.signal('SIGTERM')
    await robot.ended
  },
  shows,
})

/** In real time, with a model that answers with what `think` makes of each briefing. */
const thinking = (
  think: Parameters<typeof startModel>[0],
  words: readonly string[],
  shows: readonly RegExp[],
  act: (place: Place, robot: Running) => Promise<unknown>,
): Way => ({
  live: async (place) => {
    const model = await startModel(think)
    try {
      const brain = ['--brain', model.url, '--model', 'm', '--goal', 'explore']
      await slow([...brain, ...words], [], act).live(place)
    } finally {
      await model.close()
    }
  },
  shows: [/"call":"complete:1"/, ...shows],
})

const ways: Record<string, Way> = {
  ...Object.fromEntries(
    [1, 7, 42, 99].map((seed) => [
      `the explorer, seed ${seed}`,
      fast(['--for', '6', '--seed', String(seed)]),
    ]),
  ),
  'the rover with a lidar': fast([example('lidar-rover'), ...'--sim --for 5 --seed 3'.split(' ')]),
  'the rover on an Uno, in simulation': {
    ...fast([example('uno-rover'), ...'--sim --for 5 --seed 5'.split(' ')]),
    shows: [/"kind":"range"/, /"what":"verdict"/, /"what":"write"/],
  },
  'a camera, with its pictures': {
    live: (place) => {
      configure(place, "record: { images: true }, body: { ...body, cameras: [{ name: 'eye' }] }")
      return fast('--for 3 --seed 2'.split(' ')).live(place)
    },
    shows: [/"door":"camera\.eye".*"kind":"image".*"\$":"bytes"/, /"what":"write"/],
  },
  'a person who approves, and one who does not': {
    live: (place) => {
      configure(place, "approve: ['drive']")
      return slow([], [], async (_, robot) => {
        const first = await askedId(place, 0)
        await tell(place, robot, { verb: 'answer', id: first, text: 'yes' })
        await place.reaches('rover', drives)
        const second = await askedId(place, first)
        await tell(place, robot, { verb: 'answer', id: second, text: 'no' })
      }).live(place)
    },
    shows: [/"type":"robot\.answer".*"text":"yes"/, /"text":"no"/, /"what":"write"/],
  },
  'a model': thinking(driveSensibly, [], [/"what":"write"/], (place) =>
    place.reaches('rover', drives),
  ),
  'a model that asks, and is answered': thinking(
    ({ answers }) =>
      answers.length === 0
        ? reply('who knows', {
            type: 'askHuman',
            question: 'left or right?',
            choices: ['left', 'right'],
          })
        : reply('as I was told', turn),
    [],
    [/"what":"notice".*left or right/, /"text":"left"/, /"what":"write"/],
    async (place, robot) => {
      const id = await askedId(place, 0)
      await tell(place, robot, { verb: 'answer', id, text: 'left' })
      await place.reaches('rover', drives)
    },
  ),
  'a model whose budget runs out': thinking(
    () => reply('to look around', turn),
    ['--budget-tokens', '4000'],
    [/ERR_BUDGET_EXHAUSTED/],
    (place) => place.reaches('rover', ({ budget }) => budget.state === 'exhausted'),
  ),
  'a model that wants what it may not': thinking(
    ({ last }) => {
      const wanted = [
        { type: 'drive', linear: 9, angular: 0, durationMs: 200 },
        { type: 'explode' },
        { nonsense: true },
      ]
      return reply('because', wanted[last.length % 3] ?? turn)
    },
    [],
    [/"permitted":false/],
    (place) =>
      place.reaches('rover', ({ agent }) => (agent.lastVerdict ?? 'permitted') !== 'permitted'),
  ),
  'a server that fails, and the explorer after it': {
    live: async (place) => {
      let asked = 0
      const server = await startHostile((response) => {
        asked += 1
        if (asked % 2 === 0) response.destroy()
        else response.writeHead(500).end('no')
      })
      try {
        configure(place, `brains: [{ url: '${server.url}', model: 'm' }, { url: 'explorer' }]`)
        await slow([], [], () => place.reaches('rover', drives)).live(place)
        expect(asked).toBeGreaterThan(0)
      } finally {
        await server.close()
      }
    },
    shows: [/"call":"complete:1".*"failure"/, /"what":"write"/],
  },
  'a model that remembers, and recalls what it was told the run before': {
    live: async (place) => {
      configure(place, "memory: { embeddings: { url: 'http://127.0.0.1:1/v1', model: 'e' } }")
      const remembering = thinking(
        ({ may, memories }) =>
          may.includes('remember') && memories.length === 0
            ? reply('told so', { type: 'remember', text: 'whoever explores finds the dock' })
            : reply('as I remember', turn),
        [],
        [],
        (_, robot) =>
          place.reaches('rover', (status) => status.pid === robot.pid && drives(status)),
      )
      await remembering.live(place)
      await remembering.live(place)
    },
    shows: [/"call":"recollect:1".*whoever explores finds the dock/, /embeddings: nobody answers/],
  },
  'a person who pauses it, and gives it another goal': slow(
    [],
    [/"type":"robot\.pause"/, /"type":"robot\.resume"/, /"type":"robot\.goal"/],
    async (place, robot) => {
      await place.reaches('rover', drives)
      await tell(place, robot, { verb: 'pause' })
      await tell(place, robot, { verb: 'resume' })
      await tell(place, robot, { verb: 'pause' })
      await tell(place, robot, { verb: 'goal', text: 'the door' })
      await place.reaches('rover', ({ state }) => state === 'active.autonomous')
    },
  ),
  'a person who halts it, and lets it go on': slow(
    [],
    [/"door":"halt"/, /"type":"robot\.reset"/, /"type":"robot\.arm"/, /"what":"state".*"halted"/],
    async (place, robot) => {
      await place.reaches('rover', drives)
      await tell(place, robot, { verb: 'halt', cause: 'enough' })
      await tell(place, robot, { verb: 'reset' })
      const { epoch } = await place.reaches('rover', ({ state }) => state === 'standby')
      await tell(place, robot, { verb: 'arm', epoch })
      await tell(place, robot, { verb: 'resume' })
      await place.reaches('rover', drives)
    },
  ),
  'a person who drives it by hand from the cockpit': slow(
    ['--cockpit-port', '0'],
    [/"type":"robot\.takeOver"/, /"door":"drive"/, /"source":"operator".*"permitted":true/],
    async (place, robot) => {
      await robot.says(/^cockpit: http/m)
      await driveByHand(place, /http:\S+/.exec(robot.text())?.[0] ?? '')
    },
  ),
  'a process that is killed': {
    live: async (place) => {
      const robot = place.start('run --headless --speed 1'.split(' '))
      // Longer than its record takes to reach the disk.
      await place.reaches('rover', ({ memory }) => (memory?.episodes ?? 0) > 1)
      robot.signal('SIGKILL')
      await robot.ended
    },
    shows: [/"what":"write"/],
  },
}

describe.concurrent(
  'a recorded run is replayed without a difference:',
  { timeout: 240_000 },
  () => {
    for (const [title, { live, shows }] of Object.entries(ways)) {
      test(title, ({ place }) =>
        inTurn(async () => {
          await live(place)
          const entries = await expectSame(place)
          const texts = entries.map((entry) => textOf(entry))
          const missing = shows.filter((pattern) => !texts.some((text) => pattern.test(text)))
          expect(missing).toEqual([])
        }),
      )
    }
  },
)

describe(
  'a recorded run of a real firmware is replayed without a difference:',
  { timeout: 120_000 },
  () => {
    test('one that a person pauses', async ({ place, board }) => {
      const robot = place.start(wordsFor(board, '--arm', '--for', '60'))
      await board.drives()
      await place.run('status')
      await place.run('pause')
      await place.run('resume')
      robot.signal('SIGTERM')
      const { counts } = await replayedOf(place, reportOf(await robot.ended))
      // By the wall's clock, from a process of its own: the guardian's news, readings, and a person's words.
      expect(counts.get('guardian')).toBeGreaterThan(1)
      expect(counts.get('reading')).toBeGreaterThan(20)
      expect(counts.get('send')).toBe(4)
      expect(counts.get('write')).toBeGreaterThan(10)
      expect(counts.get('gap')).toBe(undefined)
    })

    test('one whose cable is pulled', async ({ place, board }) => {
      const robot = place.start(wordsFor(board, '--arm', '--for', '60'))
      await board.drives()
      await board.uno.unplug()
      await place.reaches('uno-rover', ({ state }) => state === 'halted')
      robot.signal('SIGTERM')
      const report = reportOf(await robot.ended)
      expect(report.exit).toBe(1)
      const { counts } = await replayedOf(place, report)
      expect(counts.get('write')).toBeGreaterThan(0)
      expect(counts.get('lost')).toBe(1)
    })
  },
)

test('twenty runs of different kinds are replayed', () => {
  // And the two of a real firmware.
  expect(Object.keys(ways)).toHaveLength(18)
})

describe('a recorded run that is replayed by another program', { timeout: 120_000 }, () => {
  test('with one line of its kernel changed differs, and the verdict is named', async ({
    place,
  }) => {
    await fast('--for 6 --seed 7'.split(' ')).live(place)
    const [record] = recordsIn(join(stateIn(place), 'records'))
    // Of the kernel, who then refuses what is just at the limit.
    const cli = changedProgram(place, 'core/rules/gatekeeper.js', {
      from: 'Math.abs(value) <= limit',
      to: 'Math.abs(value) < limit',
    })
    const words = [cli, 'replay', record?.folder ?? '', '--json']
    const ended = await place.launch(process.execPath, words).ended
    const { complete, differences, first } = cameOf(ended)
    expect([ended.code, complete]).toEqual([1, true])
    expect(differences).toBeGreaterThan(0)
    expect(first).toMatchObject({
      recorded: expect.stringMatching(/^verdict .*"permitted":true/),
      replayed: expect.stringMatching(/^verdict .*"permitted":false,"rule":"limits\.linear"/),
    })
    // The program as it was finds none.
    expectNoDifference(
      await place.run('replay', record?.folder ?? '', '--json'),
      await entriesOf(record?.folder ?? ''),
    )
  })
})

/** A copy of the shipped program in which one line reads otherwise. Answers with its command line. */
function changedProgram(
  place: Place,
  file: string,
  { from, to }: { readonly from: string; readonly to: string },
): string {
  const built = dirname(cliPath)
  const root = join(place.path, 'changed')
  cpSync(built, join(root, 'dist'), { recursive: true })
  cpSync(join(built, '..', 'package.json'), join(root, 'package.json'))
  symlinkSync(join(built, '..', 'node_modules'), join(root, 'node_modules'))
  const path = join(root, 'dist', file)
  const text = readFileSync(path, 'utf8')
  expect(text.split(from)).toHaveLength(2)
  writeFileSync(path, text.replace(from, to))
  return join(root, 'dist', 'cli.js')
}

/** Replays a run, and counts what is in its record. */
async function replayedOf(place: Place, { recordDir }: RunReport) {
  const folder = recordDir ?? ''
  const entries = await entriesOf(folder)
  const counts = new Map<string, number>()
  for (const entry of entries) {
    const what = entry.kind === 'out' ? entry.what : 'door' in entry ? entry.door : entry.kind
    counts.set(what, (counts.get(what) ?? 0) + 1)
  }
  expectNoDifference(await place.run('replay', folder, '--json'), entries)
  return { counts }
}

/** Replays the last run of a place. */
async function expectSame(place: Place) {
  const folder = recordsIn(join(stateIn(place), 'records')).at(-1)?.folder ?? ''
  const entries = await entriesOf(folder)
  expectNoDifference(await place.run('replay', folder, '--json'), entries)
  return entries
}

function stateIn({ env }: Place): string {
  return join(env['XDG_STATE_HOME'] ?? '', 'mechos', 'rover')
}

function example(name: string): string {
  return fileURLToPath(new URL(`../../examples/${name}.config.ts`, import.meta.url))
}

/** Writes the configuration of a rover in which something besides is said. */
function configure(place: Place, more: string): void {
  place.write(
    'robot.config.ts',
    `const body = { kind: 'simulated', wheels: { radiusMetres: 0.03, trackMetres: 0.15 }, lidar: {} }
     export default { name: 'rover', body, limits: { linear: 0.4, angular: 1.5 }, ${more} }`,
  )
}

function drives({ pose, state }: Status): boolean {
  return state === 'active.autonomous' && pose !== null && (pose.x !== 0 || pose.heading !== 0)
}

/** Two at a time: there may be no more cores. */
const lanes = new Map<number, Promise<unknown>>()
let turns = 0

function inTurn(act: () => Promise<void>): Promise<void> {
  const lane = turns++ % 2
  const acting = (lanes.get(lane) ?? Promise.resolve()).then(act)
  lanes.set(
    lane,
    acting.catch(() => {}),
  )
  return acting
}

async function tell(place: Place, robot: Running, wish: Wish): Promise<void> {
  const self = robotWord({ name: 'rover', ...identityOf(robot.pid) })
  const word = addressed(wish, self, machineMs())
  expect(await askRobot(place.socketOf('rover'), word, waitMsMax)).toMatchObject({ ok: true })
}

const asking = z.object({ question: z.object({ id: z.int() }).nullable() })

/** The number of the question that a robot asks, once that is above `last`. */
async function askedId(place: Place, last: number): Promise<number> {
  return vi.waitFor(
    async () => {
      const answered = await askRobot(place.socketOf('rover'), { verb: 'status' }, waitMsMax)
      const id = answered.ok ? (asking.parse(answered.result).question?.id ?? 0) : 0
      expect(id).toBeGreaterThan(last)
      return id
    },
    { timeout: waitMsMax, interval: 20 },
  )
}

/** Takes over by a link into the cockpit, and drives until the robot has moved. */
async function driveByHand(place: Place, link: string): Promise<void> {
  const { headers } = await fetch(link, { redirect: 'manual' })
  const cookie = (headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const page = new WebSocket(`${new URL(link).origin.replace('http', 'ws')}/live`, {
    headers: { cookie },
  })
  await once(page, 'open')
  let sequence = 0
  const timer = setInterval(() => {
    // Whoever was silent for too long has to be seen at rest again.
    const angular = sequence % 30 < 5 ? 0 : 0.8
    page.send(JSON.stringify({ type: 'drive', linear: 0, angular, sequence: sequence++ }))
  }, 50)
  try {
    page.send('{"type":"pause"}')
    const before = await place.reaches('rover', ({ state }) => state === 'active.holding')
    page.send('{"type":"takeOver"}')
    const turned = (pose: Status['pose']) => (pose?.heading ?? 0) - (before.pose?.heading ?? 0)
    // Further than the wheels run on.
    await place.reaches('rover', ({ pose }) => Math.abs(turned(pose)) > 0.3)
  } finally {
    clearInterval(timer)
    page.terminate()
  }
}
