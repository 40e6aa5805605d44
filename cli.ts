#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { type Configuration, parseConfiguration } from './core/vocabulary/configuration.ts'

import { type ErrorCode, MechosError, messageOf } from './core/vocabulary/errors.ts'
import { keyVariableOf } from './core/vocabulary/key.ts'
import { Secret } from './core/vocabulary/secret.ts'
import { converse } from './inspector/prompt.ts'
import { printable } from './inspector/terminal.ts'
import type { MemoryOptions } from './memory.ts'
import { answerRobot, haltAll, type RemoteOptions, showStatus, showWhy, tell } from './remote.ts'
import { demoRover } from './drivers/simulated/rover.ts'

interface RunFlags {
  readonly sim?: true
  readonly port?: string
  readonly brain?: string
  readonly model?: string
  readonly goal?: string
  readonly headless?: true
  readonly for?: number
  readonly speed?: number | 'max'
  readonly seed?: number
  readonly arm?: true
  readonly report?: string
  readonly state?: string
  readonly detach?: true
  readonly unattended?: true
  readonly budgetTokens?: number
  readonly keyEnv?: string
  readonly showPrompt?: true
  readonly log?: string
  readonly cockpitPort?: number
  readonly cockpitHost?: string
  readonly cockpitCert?: string
  readonly cockpitKey?: string
  readonly stately?: true
  readonly record: boolean
}

interface DoctorFlags {
  readonly port?: string
  readonly adopt?: true
  readonly json?: true
}

interface ReplayFlags {
  readonly until?: number
  readonly whatIf?: readonly string[]
  readonly state?: string
  readonly json?: true
}

interface MemoryFlags {
  readonly state?: string
  readonly name?: string
  readonly json?: true
}

interface RemoteFlags {
  readonly state?: string
  readonly json?: true
}

/** A relative path is to be ignored, says the XDG Base Directory Specification, and so is an empty one. */
const stateHome = [process.env['XDG_STATE_HOME'] ?? ''].find((path) => isAbsolute(path))
const stateRoot = join(stateHome ?? join(homedir(), '.local', 'state'), 'mechos')

/** What is wrong with a robot, and not with the words that were said to it. */
const faults: readonly ErrorCode[] = [
  'ERR_ROBOT_ABSENT',
  'ERR_ROBOT_SILENT',
  'ERR_BOARD_REFUSED',
  'ERR_MEMORY_UNKEPT',
]

/** Runs one command line, without the two words before it, and resolves to the exit code. */
async function main(words: readonly string[]): Promise<number> {
  let code = 0
  const program = commandLine((result) => {
    code = result
  })
  try {
    await program.parseAsync([...words], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    process.stderr.write(`${messageOf(error)}\n`)
    return error instanceof MechosError && faults.includes(error.code) ? 1 : 2
  }
}

/** Whoever reads may stop reading, as `head` does: a command goes on to its end, and what is left to say is not said. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (!('code' in error) || error.code !== 'EPIPE') throw error
    })
  }
}

/** What one command needs is loaded by that one: nobody who says `halt` waits for it. */
function commandLine(done: (code: number) => void): Command {
  const program = new Command('mechos')
    .description('Runs a robot whose every subsystem is a statechart that you can watch.')
    .version(version(), '--version', 'print the version')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, '')) })
    .helpCommand('help [command]', 'what a command can do')
    .action(async () => done(await prompt(program)))

  program
    .command('run')
    .description('run a robot: the one of robot.config.ts here, or the built-in simulated rover')
    .argument('[config]', 'a robot.config.ts')
    .option('--sim', 'simulate this robot, whatever its body')
    .option('--port <path>', 'the serial port of its board')
    .option('--brain <url>', 'explorer, or the address of an OpenAI-compatible endpoint')
    .option('--model <name>', "the endpoint's model")
    .option('--goal <text>', 'what it is to do')
    .option('--headless', 'no terminal; simulation as fast as it can when --for is given')
    .option(
      '--for <seconds>',
      "end after so many of the robot's seconds",
      numberFrom(0.1, 31_536_000),
    )
    .option('--speed <n>', 'simulated seconds a second, or max', speed)
    .option('--seed <n>', 'the source of all chance in simulation', wholeNumber(0, 2_147_483_647))
    .option('--arm', 'arm hardware after a warning of 3 s')
    .option('--report <file>', 'write one line of JSON at the end; - is standard output')
    .option('--state <dir>', 'where lock, socket and marks are kept')
    .option(
      '--unattended',
      'let a model drive hardware though nobody holds an enabling device; wants a geofence and a deadman',
    )
    .option('--detach', 'go on when the launching process is gone')
    .option(
      '--budget-tokens <n>',
      'the most tokens that models may use in a day',
      wholeNumber(1, 1_000_000_000),
    )
    .option(
      '--key-env <name>',
      'the environment variable that holds the key of the model (OPENAI_API_KEY)',
    )
    .option('--show-prompt', 'print what a model is told, each time it is asked')
    .option(
      '--cockpit-port <n>',
      'the port of the cockpit, 0 for any that is free (7077, or the next that is free)',
      wholeNumber(0, 65_535),
    )
    .option(
      '--cockpit-host <address>',
      'the IP address of the cockpit (127.0.0.1); any that others can reach wants a certificate',
    )
    .option('--cockpit-cert <file>', 'its certificate, in PEM')
    .option('--cockpit-key <file>', 'the key of that certificate, in PEM')
    .option('--stately', 'show it to the Stately Inspector, a website; prints the link')
    .option('--no-record', 'keep no flight record; there is nothing to replay then')
    .option('--log <level>', 'trace, debug, info, warn, error or silent', level)
    .action(async (path: string | undefined, flags: RunFlags) => done(await run(path, flags)))

  remote(program, 'status', 'what each running robot is doing').action(
    async (name: string | undefined, flags: RemoteFlags) =>
      done(await showStatus(remoteFor(name, flags))),
  )
  remote(program, 'why', 'why a robot does not move, and the way to motion').action(
    async (name: string | undefined, flags: RemoteFlags) =>
      done(await showWhy(remoteFor(name, flags))),
  )
  remote(program, 'halt', 'halt now; kills a robot that does not answer within 300 ms')
    .aliases(['stop', 'estop', 'kill'])
    .action(async (name: string | undefined, flags: RemoteFlags) =>
      done(await haltAll(remoteFor(name, flags))),
    )
  for (const verb of ['reset', 'resume', 'pause'] as const) {
    remote(program, verb, remoteVerbs[verb]).action(
      async (name: string | undefined, flags: RemoteFlags) =>
        done(await tell({ verb }, remoteFor(name, flags))),
    )
  }
  remote(program, 'arm', 'let a robot that was reset move again')
    .requiredOption(
      '--epoch <n>',
      'the epoch that the last reset printed',
      wholeNumber(1, 2_147_483_647),
    )
    .action(async (name: string | undefined, flags: RemoteFlags & { epoch: number }) =>
      done(await tell({ verb: 'arm', epoch: flags.epoch }, remoteFor(name, flags))),
    )
  program
    .command('goal')
    .description('tell a running robot what it is to do')
    .argument('<text...>')
    .option('--state <dir>', 'the robot of that state folder')
    .option('--name <name>', 'one robot by name')
    .option('--json', 'one line of JSON')
    .action(async (text: string[], flags: RemoteFlags & { name?: string }) =>
      done(await tell({ verb: 'goal', text: text.join(' ') }, remoteFor(flags.name, flags))),
    )
  program
    .command('answer')
    .description('answer what a running robot asks: a choice, its number, yes or no, or free words')
    .argument('<text...>')
    .requiredOption('--id <n>', 'the number of the question', wholeNumber(1, 2_147_483_647))
    .option('--state <dir>', 'the robot of that state folder')
    .option('--name <name>', 'one robot by name')
    .option('--json', 'one line of JSON')
    .action(async (text: string[], flags: RemoteFlags & { id: number; name?: string }) =>
      done(await answerRobot({ id: flags.id, text: text.join(' ') }, remoteFor(flags.name, flags))),
    )
  program
    .command('doctor')
    .description('look at board, firmware, deadman and store; moves nothing')
    .argument('[config]', 'a robot.config.ts')
    .option('--port <path>', 'the serial port of its board')
    .option('--adopt', "make a board with a deadman this robot's that was another's")
    .option('--json', 'one line of JSON')
    .action(async (path: string | undefined, flags: DoctorFlags) => {
      const { examine } = await import('./doctor.ts')
      const code = await examine({
        configuration: await configurationAt(path),
        port: flags.port,
        adopts: flags.adopt === true,
        stateRoot,
        json: flags.json === true,
        print,
      })
      done(code)
    })
  program
    .command('prove')
    .description('explore the safety charts, and show that every way leads to a halt')
    .argument('[config]', 'a robot.config.ts')
    .option('--json', 'one line of JSON')
    .action(async (path: string | undefined, flags: { json?: true }) => {
      const { proveRobot } = await import('./prove.ts')
      const code = proveRobot({
        configuration: await configurationAt(path),
        json: flags.json === true,
        print,
        complain: (line) => process.stderr.write(`${line}\n`),
      })
      done(code)
    })
  program
    .command('replay')
    .description('replay a recorded run, and say where it goes another way')
    .argument('<run>', 'a run, a robot (its last run), or the folder of a record')
    .option(
      '--until <seconds>',
      "stop after so many of the robot's seconds",
      numberFrom(0, 31_536_000),
    )
    .option(
      '--what-if <change...>',
      'list what would have been decided otherwise, as by limits.linear=0.3',
    )
    .option('--state <dir>', 'the robot of that state folder')
    .option('--json', 'one line of JSON')
    .action(async (recorded: string, flags: ReplayFlags) => {
      const { rerun } = await import('./rerun.ts')
      const code = await rerun({
        run: recorded,
        state: flags.state,
        stateRoot,
        untilSeconds: flags.until,
        whatIf: flags.whatIf ?? [],
        json: flags.json === true,
        print,
      })
      done(code)
    })
  program
    .command('export')
    .description('write a recorded run for Foxglove, Lichtblick or PlotJuggler')
    .argument('<run>', 'a run, a robot (its last run), or the folder of a record')
    .requiredOption('--mcap <file>', 'the file to write')
    .option('--state <dir>', 'the robot of that state folder')
    .action(async (recorded: string, flags: { mcap: string; state?: string }) => {
      const { exportRun } = await import('./export.ts')
      const code = await exportRun({
        run: recorded,
        state: flags.state,
        stateRoot,
        mcap: flags.mcap,
        print,
      })
      done(code)
    })
  commandMemory(program, done)
  // Said last, since commands take this over: a word that is no command is answered by `prompt`, which knows them all.
  return program.allowExcessArguments()
}

/** What a robot remembers: of the one that runs, by name or the only one, or in its state folder. */
function commandMemory(program: Command, done: (code: number) => void): void {
  const memory = program.command('memory').description('what a robot remembers')
  const told = (verb: string, description: string) =>
    memory
      .command(verb)
      .description(description)
      .option('--state <dir>', 'the robot of that state folder')
      .option('--name <name>', 'one robot by name')
      .option('--json', 'one line of JSON')
  told('query', 'the memories that fit these words best')
    .argument('<text...>')
    .action(async (text: string[], flags: MemoryFlags) => {
      const { queryMemory } = await import('./memory.ts')
      done(await queryMemory(text.join(' '), await memoryFor(flags)))
    })
  told('list', 'all memories, and the places and words that people wrote down').action(
    async (flags: MemoryFlags) => {
      const { listMemory } = await import('./memory.ts')
      done(await listMemory(await memoryFor(flags)))
    },
  )
  told('forget', 'forget memories by their numbers')
    .argument('[id...]')
    .option('--all', 'forget everything that is remembered')
    .action(async (ids: string[], flags: MemoryFlags & { all?: true }) => {
      const { forgetMemory } = await import('./memory.ts')
      const wanted = memoriesToForget(ids, flags.all === true)
      done(await forgetMemory(wanted, await memoryFor(flags)))
    })
}

async function memoryFor(flags: MemoryFlags): Promise<MemoryOptions> {
  const isNamed = flags.name !== undefined || flags.state !== undefined
  return {
    stateRoot,
    name: flags.name,
    state: flags.state,
    usualName: isNamed ? '' : (await configurationAt(undefined)).name,
    json: flags.json === true,
    print,
  }
}

function memoriesToForget(ids: readonly string[], isAll: boolean): readonly number[] | 'all' {
  if (isAll && ids.length === 0) return 'all'
  const numbers = ids.map(Number)
  const areIds = numbers.every((id) => Number.isSafeInteger(id) && id > 0)
  if (!isAll && numbers.length > 0 && numbers.length <= 1_000 && areIds) return numbers
  throw new MechosError(
    'ERR_USAGE',
    `id: ${ids.join(' ') || 'missing'}; the numbers of up to 1000 memories, or --all`,
  )
}

const remoteVerbs = {
  reset: 'take a halted robot back to standby; prints the epoch to arm',
  resume: 'let an armed robot drive by itself',
  pause: 'have it stand still, armed',
} as const

function remote(program: Command, verb: string, description: string): Command {
  return program
    .command(verb)
    .description(description)
    .argument('[name]', 'one robot by name; all of them without')
    .option('--state <dir>', 'the robot of that state folder')
    .option('--json', 'one line of JSON')
}

function remoteFor(name: string | undefined, flags: RemoteFlags): RemoteOptions {
  return {
    stateRoot,
    name,
    state: flags.state,
    json: flags.json === true,
    print,
  }
}

/** Whatever a robot or its model says: none of it reaches the terminal as a code. */
function print(text: string): void {
  process.stdout.write(`${text.split('\n').map(printable).join('\n')}\n`)
}

async function run(path: string | undefined, flags: RunFlags): Promise<number> {
  const configuration = withFlags(await configurationAt(path), flags)
  const { runRobot } = await import('./run.ts')
  return runRobot({
    configuration,
    sim: flags.sim === true,
    port: flags.port,
    arm: flags.arm === true,
    headless: flags.headless === true,
    detach: flags.detach === true,
    unattended: flags.unattended === true,
    forSeconds: flags.for,
    speed: flags.speed,
    seed: flags.seed,
    report: flags.report,
    state: flags.state,
    stateRoot,
    keys: keysFor(configuration),
    showPrompt: flags.showPrompt === true,
    log: flags.log,
    cockpitPort: flags.cockpitPort,
    cockpitPlace: { host: flags.cockpitHost, cert: flags.cockpitCert, key: flags.cockpitKey },
    stately: flags.stately === true,
    record: flags.record,
  })
}

async function configurationAt(path: string | undefined): Promise<Configuration> {
  const { configurationName, loadConfiguration } = await import('./store/configuration-file.ts')
  if (path === undefined && !existsSync(configurationName)) return parseConfiguration(demoRover)
  const mechos = await import('./index.ts')
  return parseConfiguration(await loadConfiguration(path ?? configurationName, mechos))
}

/** The configuration with what the command line says instead, checked again as a whole. */
function withFlags(configuration: Configuration, flags: RunFlags): Configuration {
  if (flags.sim && flags.port !== undefined) {
    throw new MechosError('ERR_USAGE', 'port: not allowed together with --sim')
  }
  return parseConfiguration({
    ...configuration,
    brains: brainsWith(configuration.brains, flags),
    budget: {
      ...configuration.budget,
      ...(flags.budgetTokens !== undefined && { tokensPerDay: flags.budgetTokens }),
    },
    ...(flags.goal !== undefined && { goal: flags.goal }),
  })
}

/** A brain that is named is the only one, with what the configuration knows of it; model and key are the first one's. */
function brainsWith(brains: Configuration['brains'], flags: RunFlags): readonly object[] {
  const { brain: url, model, keyEnv } = flags
  const known = brains.find((brain) => brain.url === url)
  const named: readonly { readonly url: string; readonly model?: string | undefined }[] =
    url === undefined ? brains : [known ?? { url }]
  const [first, ...others] = named
  if (url !== undefined && url !== 'explorer' && (model ?? first?.model) === undefined) {
    throw new MechosError('ERR_USAGE', `model: missing; --model NAME of a model that ${url} serves`)
  }
  return [
    { ...first, ...(model !== undefined && { model }), ...(keyEnv !== undefined && { keyEnv }) },
    ...others,
  ]
}

/** The keys of the models, by their variables. None of them ever appears in a message. */
function keysFor({ brains, memory }: Configuration): Readonly<Record<string, Secret>> {
  const asked = [...brains, ...(memory.embeddings ? [memory.embeddings] : [])]
  const keys = asked.flatMap((brain) => {
    const variable = keyVariableOf(brain)
    const key = variable === undefined ? undefined : keyFrom(variable, brain.keyEnv !== undefined)
    return variable === undefined || key === undefined ? [] : [[variable, key] as const]
  })
  return Object.fromEntries(keys)
}

/** A variable that was named must hold a key. */
function keyFrom(variable: string, isNamed: boolean): Secret | undefined {
  const key = process.env[variable]
  if (key === undefined && !isNamed) return undefined
  if (key !== undefined && /^[\x21-\x7e]+$/.test(key)) return new Secret(key)
  throw new MechosError(
    'ERR_USAGE',
    `key-env: ${variable} ${key === undefined ? 'is not set' : 'does not hold a key'}; a variable that holds printable ASCII without blanks`,
  )
}

async function prompt(program: Command): Promise<number> {
  const [word] = program.args
  if (word !== undefined) {
    const verbs = program.commands.map((command) => command.name()).join(', ')
    throw new MechosError('ERR_USAGE', `command: ${word} is not allowed; one of ${verbs}`)
  }
  if (!process.stdin.isTTY) {
    program.outputHelp()
    return 2
  }
  const verbs = program.commands.map((command) => command.name())
  await converse([...verbs, 'help', 'quit'], async (words) => {
    await main(words)
  })
  return 0
}

/** The version of the package that this program is part of. */
function version(): string {
  const manifest = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(manifestPath(), 'utf8')))
  return manifest.version
}

/** Beside this file, or, once it is built, above it. */
function manifestPath(): URL {
  const beside = new URL('./package.json', import.meta.url)
  return existsSync(beside) ? beside : new URL('../package.json', import.meta.url)
}

function numberFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && value >= min && value <= max) return value
    throw new InvalidArgumentError(`a number from ${min} to ${max}`)
  }
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`a whole number from ${min} to ${max}`)
  }
}

function speed(text: string): number | 'max' {
  return text === 'max' ? 'max' : numberFrom(0.01, 1000)(text)
}

function level(text: string): string {
  if (['trace', 'debug', 'info', 'warn', 'error', 'silent'].includes(text)) return text
  throw new InvalidArgumentError('one of trace, debug, info, warn, error, silent')
}

const words = process.argv.slice(2)
// A robot, and whoever steers one from a prompt, has to notice that its terminal is gone.
if (words.length > 0 && words[0] !== 'run') outliveReaders()
process.exitCode = await main(words)
