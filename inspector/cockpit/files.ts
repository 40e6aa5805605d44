import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'

/** A file of the page. */
export interface PageFile {
  readonly type: string
  readonly body: Buffer
}

/** What is served, by the path that is asked for: what is not in here does not exist, however a path is spelt. */
export type PageFiles = ReadonlyMap<string, PageFile>

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  woff2: 'font/woff2',
  webmanifest: 'application/manifest+json',
}

/**
 * Reads the page as it was built, once, with `/` for its index.html. Where it was not built there is a page that says so.
 * Files of other kinds are left out.
 */
export function pageFilesIn(folder: string): PageFiles {
  const files = new Map(namesIn(folder).flatMap((name) => fileAt(folder, name)))
  files.set('/', files.get('/index.html') ?? missingPage)
  return files
}

const missingPage: PageFile = {
  type: 'text/html; charset=utf-8',
  body: Buffer.from(
    [
      '<!doctype html>',
      '<html lang="en"><meta charset="utf-8"><title>MechOS</title>',
      '<h1>The page of the cockpit was not built</h1>',
      '<p>In a clone, <code>npm run build</code> builds it; then start the robot again.',
      '<p>The robot runs, and <code>mechos halt</code> halts it.',
      '</html>',
      '',
    ].join('\n'),
  ),
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch {
    // It was not built: the page that is served then says so.
    return []
  }
}

function fileAt(folder: string, name: string): readonly (readonly [string, PageFile])[] {
  const type = types[name.slice(name.lastIndexOf('.') + 1)]
  if (type === undefined) return []
  return [[`/${name.split(sep).join('/')}`, { type, body: readFileSync(join(folder, name)) }]]
}
