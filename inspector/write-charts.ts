import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { chartPages } from './charts.ts'

// Run by `npm run charts`: writes docs/charts/, and removes the page of every machine that is gone.
const folder = new URL('../docs/charts/', import.meta.url)
const pages = chartPages()

mkdirSync(folder, { recursive: true })
for (const file of readdirSync(folder)) {
  if (file.endsWith('.md') && !pages.some((page) => page.file === file))
    rmSync(new URL(file, folder))
}
for (const { file, text } of pages) writeFileSync(new URL(file, folder), text)
process.stdout.write(`${pages.length} pages in docs/charts\n`)
