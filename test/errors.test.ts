import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const source = 'core/vocabulary/errors.ts'

const codes = matches(read(source), /^ {2}\| '(ERR_[A-Z_]+)'$/gm)
const page = read('docs/errors.md')

describe('the error codes', () => {
  test('are found', () => {
    expect(codes.length).toBeGreaterThan(10)
  })

  test('have a heading each in docs/errors.md, in the same order, and it has no other', () => {
    expect(matches(page, /^## (.+)$/gm)).toEqual(codes)
  })

  test.each(codes)('%s says what it means and what to do about it', (code) => {
    const [, section = ''] = page.split(`## ${code}\n`)
    const paragraphs = (section.split('\n## ')[0] ?? '').trim().split('\n\n')
    expect(paragraphs.length).toBeGreaterThanOrEqual(2)
  })

  test('are all used by shipped code', () => {
    const used = new Set(shipped().flatMap((path) => matches(codeOf(path), /'(ERR_[A-Z_]+)'/g)))
    expect(codes.filter((code) => !used.has(code))).toEqual([])
  })
})

function shipped(): readonly string[] {
  const tops = readdirSync('.').filter((name) => /^\w+\.ts$/.test(name))
  const folders = ['robot', 'core', 'machines', 'drivers', 'store', 'actors', 'inspector']
  const inner = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  )
  return [...tops, ...inner].filter((path) => path.endsWith('.ts') && path !== source)
}

function codeOf(path: string): string {
  return read(path).replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, '')
}

function matches(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].flatMap(([, found]) => found ?? [])
}

function read(path: string): string {
  return readFileSync(path, 'utf8')
}
