import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MechosError } from '../../core/vocabulary/errors.ts'
import { factsOf, identityOf, isAlive } from '../../store/process-identity.ts'
import { register, runningRobots } from '../../store/registry.ts'
import { openRunDirectory, ownerOf } from '../../store/run-directory.ts'

let folder: string
let path: string
const rover = { name: 'rover', simulated: true }

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mechos-store-'))
  path = join(folder, 'rover')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** The identity of a process that has ended. */
function theDead(): { pid: number; startTicks: number } {
  const { pid } = spawnSync(process.execPath, ['-e', ''])
  return { pid, startTicks: 1 }
}

function leaveLock(owner: object): void {
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'lock'), JSON.stringify({ ...rover, socket: 'none', ...owner }))
}

describe("a robot's directory", () => {
  test('belongs to one process, which it names, and to nobody afterwards', () => {
    const directory = openRunDirectory(path, rover)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(statSync(join(path, 'lock')).mode & 0o777).toBe(0o600)
    expect(ownerOf(path)).toEqual({
      ...identityOf(process.pid),
      ...rover,
      socket: join(path, 'control.sock'),
    })
    expect(() => openRunDirectory(path, rover)).toThrow(
      `rover is running already as process ${process.pid}; halt it, or give this one another --state`,
    )
    directory.release()
    expect([ownerOf(path), readdirSync(path)]).toEqual([undefined, []])
    openRunDirectory(path, rover).release()
  })

  test('is taken from the dead, and from those whose number another process now has', () => {
    for (const owner of [theDead(), { pid: process.pid, startTicks: 1 }]) {
      leaveLock(owner)
      expect(ownerOf(path)).toBe(undefined)
      const directory = openRunDirectory(path, rover)
      expect(ownerOf(path)?.pid).toBe(process.pid)
      directory.release()
      expect(readdirSync(path)).toEqual([])
    }
  })

  test('is taken from whoever left a lock that was cut short', () => {
    for (const text of ['', '{"pid":', 'null', '{}']) {
      mkdirSync(path, { recursive: true })
      writeFileSync(join(path, 'lock'), text)
      openRunDirectory(path, rover).release()
    }
  })

  test('is not taken from the living', () => {
    leaveLock(identityOf(process.ppid))
    expect(() => openRunDirectory(path, rover)).toThrow(MechosError)
    expect(ownerOf(path)?.pid).toBe(process.ppid)
  })

  test('that cannot be one is refused', () => {
    writeFileSync(path, 'a file')
    expect(() => openRunDirectory(join(path, 'below'), rover)).toThrow(
      /^state: .* cannot be used: /,
    )
  })

  test('with a path too long for a socket has its socket elsewhere', () => {
    const long = join(folder, 'x'.repeat(120))
    const directory = openRunDirectory(long, rover)
    expect(Buffer.byteLength(directory.socket)).toBeLessThanOrEqual(100)
    expect(ownerOf(long)?.socket).toBe(directory.socket)
    directory.release()
  })
})

test('of many processes that start at once, over the lock of a dead one, one gets it', async () => {
  leaveLock(theDead())
  const module = fileURLToPath(new URL('../../store/run-directory.ts', import.meta.url))
  // Each waits for the word, so that all of them try at the same moment, and holds what it got until it is let go.
  const script = `
    const { openRunDirectory } = await import(process.argv[1])
    process.stdout.write('ready ')
    process.stdin.once('data', () => {
      try { openRunDirectory(process.argv[2], { name: 'rover', simulated: true }); process.stdout.write('got ') }
      catch (error) { process.stdout.write(error.code + ' ') }
    })`
  const starters = Array.from({ length: 6 }, () => {
    const words = ['--import', 'tsx', '--input-type=module', '-e', script, module, path]
    const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.setEncoding('utf8')
    const saysAgain = () => once(child.stdout, 'data').then(([text]) => void (said += String(text)))
    return { child, saysAgain, said: () => said }
  })
  await Promise.all(starters.map(({ saysAgain }) => saysAgain()))
  const answers = starters.map(({ saysAgain }) => saysAgain())
  for (const { child } of starters) child.stdin.write('go\n')
  await Promise.all(answers)
  const said = starters.map((starter) => starter.said().trim().split(' ')[1])
  for (const { child } of starters) child.stdin.end()
  await Promise.all(
    starters.map(async ({ child }) => child.exitCode ?? (await once(child, 'close'))),
  )
  expect(said.toSorted((a = '', b = '') => a.localeCompare(b))).toEqual([
    'ERR_ROBOT_RUNNING',
    'ERR_ROBOT_RUNNING',
    'ERR_ROBOT_RUNNING',
    'ERR_ROBOT_RUNNING',
    'ERR_ROBOT_RUNNING',
    'got',
  ])
  expect(readdirSync(path).filter((name) => name.includes('stale'))).toEqual([])
})

describe('the running mark', () => {
  const unclean = () => {
    const directory = openRunDirectory(path, rover)
    directory.release()
    return directory.unclean
  }

  test('is on the disk from the first motion to a clean end', () => {
    const directory = openRunDirectory(path, rover)
    expect(directory.unclean).toBe(undefined)
    directory.markRunning()
    expect(existsSync(join(path, 'running'))).toBe(true)
    directory.release()
    expect(unclean()).toBe('the last run ended without halting')

    const next = openRunDirectory(path, rover)
    next.markRunning()
    next.end(undefined)
    next.release()
    expect(unclean()).toBe(undefined)
  })

  test('says which fault ended the last run', () => {
    const directory = openRunDirectory(path, rover)
    directory.markRunning()
    directory.end('the board was lost')
    directory.release()
    expect(unclean()).toBe('the last run was halted by a fault: the board was lost')
  })
})

describe('who is running', () => {
  test('is known by name, until he ends', () => {
    expect(runningRobots(folder)).toEqual([])
    const directory = openRunDirectory(path, rover)
    const unregister = register(folder, path)
    expect(runningRobots(folder)).toEqual([{ ...ownerOf(path), directory: path }])
    unregister()
    directory.release()
    expect(runningRobots(folder)).toEqual([])
  })

  test('leaves out the dead, and sweeps their notes away', () => {
    const dead = theDead()
    leaveLock(dead)
    const notes = join(folder, '.running')
    mkdirSync(notes)
    writeFileSync(join(notes, String(dead.pid)), path)
    writeFileSync(join(notes, 'README'), 'not a note')
    expect(runningRobots(folder)).toEqual([])
    expect(readdirSync(notes)).toEqual(['README'])
  })
})

describe('a process', () => {
  test('is told apart from a later one with its number', () => {
    const own = identityOf(process.pid)
    expect([isAlive(own), isAlive({ ...own, startTicks: (own.startTicks ?? 0) + 1 })]).toEqual([
      true,
      false,
    ])
    expect(isAlive(theDead())).toBe(false)
    expect(isAlive({ pid: process.pid, startTicks: null })).toBe(true)
    expect(isAlive({ pid: theDead().pid, startTicks: null })).toBe(false)
  })

  test('has a parent', () => {
    expect(factsOf(process.pid)?.parent).toBe(process.ppid)
    expect(factsOf(theDead().pid)).toBe(undefined)
  })
})
