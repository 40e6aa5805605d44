import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { withChart } from '../inspector/readme-chart.ts'

const execute = promisify(execFile)
const runMsMax = 60_000

describe('the examples', { timeout: runMsMax }, () => {
  test('are all here', () => {
    const files = readdirSync('examples').filter((name) => name.endsWith('.ts'))
    expect(files.toSorted()).toEqual([
      '01-explore.ts',
      '02-your-own-body.ts',
      '03-scripted-brain.ts',
      'lidar-rover.config.ts',
      'uno-rover.config.ts',
    ])
  })

  test('01 explores: boots, drives for 20 s of its own time, and ends halted', async () => {
    const printed = await example('01-explore.ts')
    expect(printed.split('{')[0]?.trim().split('\n')).toEqual([
      'booting',
      'standby',
      'active.holding',
      'active.autonomous',
      'halted',
      'off',
    ])
    expect(printed).toMatch(/state: 'halted',\n\s*exit: 0/)
    expect(printed).toMatch(/collisions: 0/)
    expect(Number(/distanceM: ([\d.]+)/.exec(printed)?.[1])).toBeGreaterThan(1)
  })

  test('02 drives a body of its own more than a metre away, another way for each seed', async () => {
    const [seven, eight] = linesOf(await example('02-your-own-body.ts')).map((line) =>
      driven.parse(JSON.parse(line)),
    )
    expect(seven).toMatchObject({ seed: 7, state: 'halted' })
    expect(eight).toMatchObject({ seed: 8, state: 'halted' })
    expect(seven?.displacementM).toBeGreaterThan(1)
    expect(eight?.displacementM).toBeGreaterThan(1)
    expect({ x: seven?.x, y: seven?.y }).not.toEqual({ x: eight?.x, y: eight?.y })
  })

  test('02 is the same whenever it is run', async () => {
    const [once, again] = await Promise.all([
      example('02-your-own-body.ts'),
      example('02-your-own-body.ts'),
    ])
    expect(once).toBe(again)
  })

  test('03 carries out what the kernel permits, and says why it refuses the rest', async () => {
    const lines = linesOf(await example('03-scripted-brain.ts'))
    expect(lines.filter((line) => line.startsWith('refused'))).toEqual([
      'refused: linear 9 m/s is beyond the limit of 0.4 m/s',
      'refused: relay:lamp has not been granted to the agent',
    ])
    const end = scripted.parse(JSON.parse(lines.at(-1) ?? ''))
    // 0.2 m/s for 2 s, then 0.5 rad/s for 1 s.
    expect(end.x).toBeCloseTo(0.4, 1)
    expect(end.heading).toBeCloseTo(0.5, 1)
    expect(Object.values(end.actuators).every(({ safe }) => safe)).toBe(true)
  })

  test.each(['lidar-rover', 'uno-rover'])('%s drives in simulation', async (name) => {
    const report = reported.parse(JSON.parse(await simulated(`examples/${name}.config.ts`)))
    expect(report).toMatchObject({ seconds: 5, state: 'halted', exit: 0, collisions: 0 })
    expect(report.run).toMatch(new RegExp(`^${name}-`))
    expect(report.distanceM).toBeGreaterThan(0.2)
  })
})

describe('the README', () => {
  const readme = readFileSync('README.md', 'utf8')

  test('shows example 01 as it is', () => {
    expect(blocks(readme, 'ts')[0]).toBe(readFileSync('examples/01-explore.ts', 'utf8'))
  })

  test('shows the configuration of the Uno rover as it is, but for its comments', () => {
    const file = readFileSync('examples/uno-rover.config.ts', 'utf8')
    const bare = file.replaceAll(/^ *(\/\*\*|\*|\/\/).*\n/gm, '')
    expect(blocks(readme, 'ts')[1]).toBe(bare)
  })

  test('shows the root chart as it is drawn; npm run charts writes it', () => {
    expect(withChart(readme, readFileSync('docs/charts/robot.md', 'utf8'))).toBe(readme)
    expect(blocks(readme, 'mermaid')).toHaveLength(1)
  })

  test('names every command and flag, and none that is not there', async () => {
    const overview = await mechos('--help')
    const commands = [...overview.matchAll(/^ {2}([a-z]+)[ |[<]/gm)].map(([, name = '']) => name)
    expect(commands).toContain('run')
    const help = await Promise.all(
      [
        ...commands.filter((name) => name !== 'help').map((name) => [name]),
        ['memory', 'forget'],
      ].map(async (words) => mechos(...words, '--help')),
    )
    const section = readme.slice(
      readme.indexOf('## The command line'),
      readme.indexOf('### The report'),
    )
    const there = flagsIn([overview, ...help].join('\n'))
    there.delete('--help')
    expect(commands.filter((name) => !section.includes(`mechos ${name}`))).toEqual(['help'])
    expect(flagsIn(section)).toEqual(there)
  })
})

const driven = z.object({
  seed: z.int(),
  state: z.string(),
  x: z.number(),
  y: z.number(),
  displacementM: z.number(),
})
const scripted = z.object({
  x: z.number(),
  heading: z.number(),
  actuators: z.record(z.string(), z.object({ safe: z.boolean() })),
})
const reported = z.object({
  run: z.string(),
  seconds: z.number(),
  state: z.string(),
  exit: z.int(),
  distanceM: z.number(),
  collisions: z.int(),
})

/** What an example prints, run as a person runs it. */
async function example(name: string): Promise<string> {
  const { stdout } = await execute(process.execPath, ['--import', 'tsx', `examples/${name}`])
  return stdout
}

async function simulated(path: string): Promise<string> {
  const state = mkdtempSync(join(tmpdir(), 'mechos-examples-'))
  const flags = ['--sim', '--headless', '--for', '5', '--seed', '1', '--state', state]
  return mechos('run', path, ...flags, '--report', '-')
}

async function mechos(...words: readonly string[]): Promise<string> {
  const { stdout } = await execute(process.execPath, ['dist/cli.js', ...words])
  return stdout
}

function linesOf(text: string): readonly string[] {
  return text.trim().split('\n')
}

function flagsIn(text: string): Set<string> {
  return new Set(text.match(/--[a-z][a-z-]+/g))
}

/** The fenced blocks of one language, without their fences. */
function blocks(markdown: string, language: string): readonly string[] {
  const fenced = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms')
  return [...markdown.matchAll(fenced)].map((match) => match[1] ?? '')
}
