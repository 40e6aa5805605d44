import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { bindings } from './bindings.ts'
import { changedCopies } from './mutation.ts'
import { remarkLines, tallyJson, tallyLines } from './report.ts'
import { type Exception, type FileReport, runFile, tally } from './runner.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const ours = fileURLToPath(new URL('./cases', import.meta.url))
const shared = join(root, '../shared/vectors')
const files = bindings.map(({ file }) => file)
const copiesMax = 25

// The shared vectors live beside the repository, where there are any.
const folders = [
  { name: 'our own cases', folder: ours },
  { name: 'the shared vectors', folder: shared },
].filter(({ folder }) => existsSync(folder))

describe.each(folders)('$name', ({ folder }) => {
  const present = files.filter((file) => existsSync(join(folder, file)))

  test.each(present)('all hold: %s', (file) => {
    const report = run(file, textOf(folder, file))
    expect(remarkLines([report]).filter((line) => line.startsWith('failed'))).toEqual([])
    expect(tally([report]).passed).toBeGreaterThan(0)
  })

  test.each(present)('a changed expectation fails: %s', (file) => {
    const text = textOf(folder, file)
    const unbound = run(file, text).cases.filter(({ outcome }) => outcome === 'unbound')
    const copies = changedCopies(text, copiesMax)
    expect(copies.length).toBeGreaterThan(3)
    const missed = copies.filter((copy) => {
      const report = run(file, copy.text)
      const isUnbound = unbound.some(({ name }) => name === caseAt(report, copy.path))
      return !isUnbound && tally([report]).failed !== 1
    })
    expect(missed.map(({ path }) => path.join('.'))).toEqual([])
  })
})

test('our own cases cover every file that is bound', () => {
  expect(readdirSync(ours).toSorted()).toEqual(files.toSorted())
})

describe('what the runner does not understand fails', () => {
  const file = 'diff_drive.json'
  const good = { v: 1, w: 0, expect: { left: 1, right: 1 } }

  test('an unknown op or field, in a case', () => {
    for (const bad of [
      { ...good, wheel: 'big' },
      { ...good, expect: { left: 1 } },
      { ...good, expect: { left: 1, right: 1, middle: 1 } },
      'not even a case',
    ]) {
      const text = JSON.stringify({ mechos_inverse_kinematics: [good, bad] })
      expect(outcomes(run(file, text))).toEqual(['passed', 'failed'])
    }
    const jump = JSON.stringify({ viam_wheeled_base: { cases: [{ op: 'jump' }] } })
    expect(outcomes(run(file, jump))).toEqual(['failed'])
  })

  test('an unknown section or field, beside the cases', () => {
    const text = JSON.stringify({ mechos_inverse_kinematics: [good], jumps: [1, 2], gravity: 9.8 })
    expect(run(file, text).cases).toEqual([
      { name: 'mechos_inverse_kinematics[0]', outcome: 'passed', reasons: [] },
      { name: 'jumps[0]', outcome: 'failed', reasons: ['no binding for this section yet'] },
      { name: 'jumps[1]', outcome: 'failed', reasons: ['no binding for this section yet'] },
      { name: 'gravity', outcome: 'failed', reasons: ['unknown field'] },
    ])
  })

  test('a file that nothing is bound to, in one line', () => {
    const report = run('teapots.json', JSON.stringify({ cases: [1, 2], scene: { casts: [3] } }))
    expect(tally([report]).failed).toBe(3)
    expect(remarkLines([report])).toEqual([
      'failed teapots.json: no binding for this file yet: its 3 cases count as failed',
    ])
  })

  test('a file that is no JSON', () => {
    expect(tally([run(file, '{'), run(file, '[]')]).failed).toBe(2)
  })

  test('a timeline that expects nothing', () => {
    const silent = { name: 'x', params: { cmd_vel_timeout_s: 0.5 }, events: [{ t_ms: 0 }] }
    const text = JSON.stringify({ timeout_timelines: [silent] })
    expect(run(file, text).cases[0]?.reasons).toEqual(['the timeline expects nothing'])
  })
})

test('a copy under another name is known by its title', () => {
  const text = textOf(ours, 'diff_drive.json')
  expect(tally([run('copy.json', text)])).toEqual(tally([run('diff_drive.json', text)]))
})

test('a demand in words that nobody has bound counts neither way', () => {
  const call = { op: 'limit', v: 1, v0: 0, v1: 0, dt: 1 }
  const wish = { name: 'wish', limits: {}, call, required: 'be kind' }
  const report = run('speed_limiter.json', JSON.stringify({ must_beat_peer: [wish] }))
  expect(report.cases).toEqual([
    {
      name: 'must_beat_peer/wish',
      outcome: 'unbound',
      reasons: ['nobody has bound "be kind"'],
    },
  ])
})

test('quirks of a peer, and rules that our design contradicts, count neither way', () => {
  const wrong = { v: 1, w: 0, expect: { left: 7, right: 7 } }
  const named = { ...wrong, name: 'refused here' }
  const optional = { ...wrong, optional: true }
  const text = JSON.stringify({ mechos_inverse_kinematics: [named, optional, wrong] })
  const exception: Exception = {
    file: 'diff_drive.json',
    case: 'mechos_inverse_kinematics/refused here',
    as: 'refused',
    design: 'a sentence that wins',
    why: 'because',
  }
  const report = runFile('diff_drive.json', text, bindings, [exception])
  expect(tally([report])).toEqual({ passed: 0, failed: 1, optional: 1, refused: 1, unbound: 0 })
})

describe('what other programs read', () => {
  const good = { v: 1, w: 0, expect: { left: 1, right: 1 } }
  const bad = { v: 1, w: 0, expect: { left: 1, right: 2 } }
  const reports = [
    run('diff_drive.json', JSON.stringify({ mechos_inverse_kinematics: [good, bad] })),
  ]

  test('a line for each file, and one for all', () => {
    expect(tallyLines(reports)).toEqual([
      'diff_drive.json passed=1 failed=1 optional=0 refused=0 unbound=0',
      'total passed=1 failed=1 optional=0 refused=0 unbound=0',
    ])
  })

  test('the same in JSON', () => {
    const counts = { passed: 1, failed: 1, optional: 0, refused: 0, unbound: 0 }
    expect(JSON.parse(tallyJson(reports))).toEqual({
      files: [{ file: 'diff_drive.json', ...counts }],
      total: counts,
    })
  })

  test('a failure says what was expected and what came', () => {
    expect(remarkLines(reports)).toEqual([
      'failed diff_drive.json mechos_inverse_kinematics[1]: right: expected 2, got 1',
    ])
  })

  test('the command ends with 0, with 1 when a case failed, with 2 for bad usage', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vectors-'))
    const [copy] = changedCopies(textOf(ours, 'diff_drive.json'), 1)
    writeFileSync(join(folder, 'diff_drive.json'), copy?.text ?? '')
    const fine = command(ours, '--json')
    const failing = command(folder)
    rmSync(folder, { recursive: true })
    expect([fine.status, failing.status]).toEqual([0, 1])
    expect(fine.stdout.trim().split('\n').at(-1)).toMatch(/^\{"files":\[.*"total":\{"passed":\d+/)
    expect(failing.stdout).toMatch(/^diff_drive\.json passed=\d+ failed=1 .*\ntotal passed=/)
    expect(failing.stderr).toMatch(/^failed diff_drive\.json .*expected .*, got /)
    expect([command().status, command('--loud', ours).status, command(folder).status]).toEqual([
      2, 2, 2,
    ])
  })
})

function command(...words: string[]) {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))
  const line = ['--import', 'tsx', main, ...words]
  return spawnSync(process.execPath, line, { cwd: root, encoding: 'utf8' })
}

function run(file: string, text: string): FileReport {
  return runFile(file, text, bindings, [])
}

function textOf(folder: string, file: string): string {
  return readFileSync(join(folder, file), 'utf8')
}

function outcomes(report: FileReport): string[] {
  return report.cases.map(({ outcome }) => outcome)
}

/** The name of the case that `path` leads into, by its place among its section's cases. */
function caseAt(report: FileReport, path: readonly string[]): string | undefined {
  const place = path.findIndex((key) => /^\d+$/.test(key))
  const section = path.slice(0, place).join('.')
  const cases = report.cases.filter(
    ({ name }) => name.startsWith(`${section}/`) || name.startsWith(`${section}[`),
  )
  return cases[Number(path[place])]?.name
}
