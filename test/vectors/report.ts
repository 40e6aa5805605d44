import { type FileReport, type Outcome, tally } from './runner.ts'

/** The lines that other programs rely on: one for each file and one for all. */
export function tallyLines(reports: readonly FileReport[]): string[] {
  return [
    ...reports.map((report) => tallyLine(report.file, tally([report]))),
    tallyLine('total', tally(reports)),
  ]
}

/** The same numbers as `tallyLines`, as one line of JSON. */
export function tallyJson(reports: readonly FileReport[]): string {
  const files = reports.map((report) => ({ file: report.file, ...tally([report]) }))
  return JSON.stringify({ files, total: tally(reports) })
}

/** A line for each case that did not pass, and one for each file that could not be run. */
export function remarkLines(reports: readonly FileReport[]): string[] {
  return reports.flatMap(({ file, cases, complaint }) =>
    complaint === undefined
      ? cases
          .filter(({ outcome }) => outcome !== 'passed')
          .map(({ name, outcome, reasons }) => `${outcome} ${file} ${name}: ${reasons.join('; ')}`)
      : [`failed ${file}: ${complaint}`],
  )
}

function tallyLine(name: string, counts: Record<Outcome, number>): string {
  const { passed, failed, optional, refused, unbound } = counts
  return `${name} passed=${passed} failed=${failed} optional=${optional} refused=${refused} unbound=${unbound}`
}
