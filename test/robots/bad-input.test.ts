import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { type Place, reportOf, test } from '../support/mechos.ts'

/** Each thing that a person can get wrong, the words that he gave, and what the one line that he gets must hold. */
interface Mistake {
  readonly words?: readonly string[]
  /** What stands in `robot.config.ts`. */
  readonly file?: string
  readonly told: RegExp
}

const wheels = `wheels: { left: { pwm: 3, dir: 2 }, right: { pwm: 11, dir: 12 }, radiusMetres: 0.03, trackMetres: 0.15 }`
const board = (parts: string) => robot(`body: { kind: 'firmata', ${parts} }`)
const robot = (fields: string) =>
  `export default { name: 'bad', limits: { linear: 0.3, angular: 1.5 }, ${fields} }`
const leftWheel = (pins: string, parts = '') =>
  board(
    `wheels: { left: { ${pins} }, right: { pwm: 11, dir: 12 }, radiusMetres: 0.03, trackMetres: 0.15 }, ${parts}`,
  )

const inConfigurations: Record<string, Mistake> = {
  'an unknown pin': {
    file: leftWheel('pwm: 99, dir: 2'),
    told: /^body\.wheels\.left\.pwm: 99 is not allowed; a PWM pin of the uno: 3, 5, 6, 9, 10, 11$/,
  },
  'a pin that has no PWM': {
    file: leftWheel('pwm: 4, dir: 2'),
    told: /^body\.wheels\.left\.pwm: 4 is not allowed; a PWM pin of the uno: 3, 5, 6, 9, 10, 11$/,
  },
  'two parts on one pin': {
    file: board(`${wheels}, relays: [{ name: 'lamp', pin: 'D12', halt: 'low' }]`),
    told: /^body\.relays\[0\]\.pin: pin "D12" is not allowed; wheels\.right has it already$/,
  },
  'a servo beside PWM on its timer': {
    file: leftWheel('pwm: 9, dir: 2', `servos: [{ name: 'arm', pin: 8, halt: 'hold' }]`),
    told: /^body\.wheels\.left\.pwm: 9 is not allowed; a servo silences PWM on 9, 10 of the uno$/,
  },
  'a servo without a halt output': {
    file: board(`${wheels}, servos: [{ name: 'arm', pin: 8 }]`),
    told: /^body\.servos\[0\]\.halt: missing; one of hold, release$/,
  },
  'a relay without a halt output': {
    file: board(`${wheels}, relays: [{ name: 'lamp', pin: 7 }]`),
    told: /^body\.relays\[0\]\.halt: missing; one of low, high$/,
  },
  'a brake without a third pin': {
    file: leftWheel(`pwm: 3, dir: 2, halt: 'brake'`),
    told: /^body\.wheels\.left\.halt: "brake" is not allowed; coast, unless .* cdir$/,
  },
  'a limit of NaN': {
    file: `export default { name: 'bad', limits: { linear: NaN, angular: 1 }, body: { kind: 'simulated' } }`,
    told: /^limits\.linear: NaN is not allowed; a number from 0\.01 to 5 m\/s$/,
  },
  'a limit of Infinity': {
    file: `export default { name: 'bad', limits: { linear: 1, angular: Infinity }, body: { kind: 'simulated' } }`,
    told: /^limits\.angular: Infinity is not allowed; a number from 0\.01 to 12 rad\/s$/,
  },
  'a lease of 0': {
    file: robot(`body: { kind: 'simulated' }, leaseMs: 0`),
    told: /^leaseMs: 0 is not allowed; a number from 50 to 2000 ms$/,
  },
  'an unknown field': {
    file: robot(`body: { kind: 'simulated' }, speeed: 3`),
    told: /^speeed: no such field/,
  },
  'an unknown field of a part': {
    file: board(`${wheels}, relays: [{ name: 'lamp', pin: 7, halt: 'low', colour: 'red' }]`),
    told: /^body\.relays\[0\]\.colour: no such field/,
  },
  'an unknown kind of body': {
    file: robot(`body: { kind: 'gpio' }`),
    told: /^body\.kind: "gpio" is not allowed; .*simulated or firmata$/,
  },
  'an empty configuration': {
    file: 'export default {}',
    told: /^name: missing; a name of letters, digits, - and _$/,
  },
  'a configuration that is no object': {
    file: 'export default 3',
    told: /^configuration: 3 is not allowed; /,
  },
  'a configuration without a default export': {
    file: 'export const robot = 1',
    told: /^config: robot\.config\.ts .*default/,
  },
  'a configuration that throws': {
    file: `throw new Error('no such luck\\nat all')`,
    told: /^config: robot\.config\.ts threw: no such luck$/,
  },
  'a configuration that is not TypeScript': {
    file: 'export default (',
    told: /^config: robot\.config\.ts threw: /,
  },
  'a brain that is no address': {
    file: robot(`body: { kind: 'simulated' }, brains: [{ url: 'skynet', model: 'm' }]`),
    told: /^brains\[0\]\.url: "skynet" is not allowed; explorer, or an https address /,
  },
}

const onTheCommandLine: Record<string, Mistake> = {
  'a missing file': { words: ['none.config.ts'], told: /^config: none\.config\.ts is not there$/ },
  'an unknown flag': { words: ['--fast'], told: /'--fast'/ },
  'no time at all': { words: ['--for', '0'], told: /--for.*'0'.*a number from 0\.1 to 31536000$/ },
  'a time that is no number': { words: ['--for', 'x'], told: /--for.*'x'.*a number from 0\.1 / },
  'a seed that is no number': {
    words: ['--seed', 'x'],
    told: /--seed.*'x'.*a whole number from 0 /,
  },
  'a speed of 0': { words: ['--speed', '0'], told: /--speed.*'0'.*a number from 0\.01 to 1000$/ },
  'a budget of 0': {
    words: ['--budget-tokens', '0'],
    told: /--budget-tokens.*'0'.*a whole number from 1 /,
  },
  'a brain without a model': {
    words: ['--brain', 'http://127.0.0.1:1/v1'],
    told: /^model: missing; --model NAME of a model that http:\/\/127\.0\.0\.1:1\/v1 serves$/,
  },
  'a goal that is empty': { words: ['--goal', ''], told: /^goal: "" is not allowed; .*1/ },
  'a port of a simulated robot': {
    words: ['--port', '/dev/null'],
    told: /^port: \/dev\/null is not allowed; this robot's body is simulated$/,
  },
  'a port and a simulation': {
    words: ['--sim', '--port', '/dev/null'],
    told: /^port: not allowed together with --sim$/,
  },
  'a port that does not exist': {
    file: board(wheels),
    words: ['--port', '/dev/ttyNone'],
    told: /\/dev\/ttyNone: no such file/,
  },
  'hardware without a port': {
    file: board(wheels),
    told: /^port: missing; --port PATH of the board, or --sim$/,
  },
}

async function expectRefused(place: Place, { words = [], file, told }: Mistake): Promise<void> {
  if (file !== undefined) place.write('robot.config.ts', file)
  const ended = await place.run('run', ...words, '--headless', '--report', 'moved.json')
  expect(ended).toMatchObject({ code: 2, stdout: '' })
  expect(ended.stderr).toMatch(/^[^\n]+\n$/)
  expect(ended.stderr.trimEnd()).toMatch(told)
  // A robot that had begun would have reported how far it drove.
  expect(existsSync(join(place.path, 'moved.json'))).toBe(false)
}

describe.concurrent('one clear line, exit 2 and no motion for', { timeout: 120_000 }, () => {
  for (const [title, mistake] of Object.entries({ ...inConfigurations, ...onTheCommandLine })) {
    test(title, ({ place }) => expectRefused(place, mistake))
  }

  test('a report that cannot be written', async ({ place }) => {
    const words = ['run', '--headless', '--for', '1', '--report', 'no/such/end.json']
    expect(await place.run(...words)).toMatchObject({
      code: 2,
      stdout: '',
      stderr:
        'report: no/such/end.json is not allowed; a file in a folder that can be written to, or -\n',
    })
  })

  test('a word that is no command', async ({ place }) => {
    const ended = await place.run('frobnicate')
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toMatch(/^[^\n]*frobnicate[^\n]*\n$/)
  })

  test('an epoch that was not named', async ({ place }) => {
    const ended = await place.run('arm')
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toMatch(/^[^\n]*--epoch[^\n]*\n$/)
  })
})

test(
  'a second run on the same robot is refused, and the first goes on',
  { timeout: 120_000 },
  async ({ place }) => {
    const first = place.start([
      'run',
      '--headless',
      '--for',
      '3600',
      '--speed',
      '1',
      '--report',
      '-',
    ])
    await place.reaches('rover', ({ state }) => state === 'active.autonomous')
    const second = await place.run('run', '--headless', '--for', '1', '--report', '-')
    expect([second.code, second.stdout]).toEqual([2, ''])
    expect(second.stderr).toBe(
      `rover is running already as process ${first.pid}; halt it, or give this one another --state\n`,
    )
    expect((await place.statusOf('rover'))?.state).toBe('active.autonomous')

    const elsewhere = await place.run(
      'run',
      '--headless',
      '--for',
      '1',
      '--state',
      'other',
      '--report',
      '-',
    )
    expect(reportOf(elsewhere).exit).toBe(0)
    first.signal('SIGTERM')
    expect(reportOf(await first.ended).exit).toBe(0)
  },
)

test(
  'a bare mechos that is not on a terminal prints its help and exits 2',
  { timeout: 120_000 },
  async ({ place }) => {
    const ended = await place.run()
    expect([ended.code, ended.stderr]).toEqual([2, ''])
    expect(ended.stdout).toContain('Usage: mechos')
    for (const verb of ['run', 'status', 'halt|stop', 'reset', 'arm', 'resume', 'goal']) {
      expect(ended.stdout).toContain(`\n  ${verb} `)
    }
  },
)
