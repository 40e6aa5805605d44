import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { machines } from '../charts.ts'
import { outlineOf } from '../outline.ts'
import { layOut } from './drawing.ts'

// Run by `npm run charts`: writes drawings/, and removes the one of every machine that is gone.
const folder = new URL('drawings/', import.meta.url)

mkdirSync(folder, { recursive: true })
for (const file of readdirSync(folder)) {
  if (!machines.some(({ id }) => file === `${id}.svg`)) rmSync(new URL(file, folder))
}
for (const machine of machines) {
  writeFileSync(new URL(`${machine.id}.svg`, folder), await layOut(outlineOf(machine)))
}
process.stdout.write(`${machines.length} drawings in inspector/cockpit/drawings\n`)
