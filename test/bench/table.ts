import type { BenchReport, Figure } from './figure.ts'

const heads = [
  'figure',
  'value',
  'unit',
  'p50',
  'p99',
  'max',
  'bound',
  'floor',
  'n',
  'verdict',
] as const

/** A bench for people: a line for each figure, and what there is to say of it below. */
export function tableOf({ bench, node, figures }: BenchReport): string {
  const rows = [heads, ...figures.map(cellsOf)]
  const widths = heads.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 || column === heads.length - 1
          ? cell.padEnd(widths[column] ?? 0)
          : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
  const remarks = figures
    .filter(({ reason }) => reason !== null)
    .map(({ name, verdict, reason }) => `${verdict} ${name}: ${reason}`)
  return [`${bench} on Node ${node}`, ...lines, ...remarks].map((line) => `${line}\n`).join('')
}

function cellsOf(figure: Figure): readonly string[] {
  const { name, value, unit, p50, p99, max, bound, op, floor, n, verdict } = figure
  return [
    name,
    value === null ? '-' : String(value),
    unit,
    text(p50),
    text(p99),
    text(max),
    `${op} ${bound}`,
    text(floor),
    `${n}`,
    verdict,
  ]
}

function text(value: number | null): string {
  return value === null ? '-' : value.toFixed(1)
}
