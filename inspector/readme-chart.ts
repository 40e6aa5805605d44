import { readFileSync, writeFileSync } from 'node:fs'

/** The README with the root chart as `docs/charts/robot.md` draws it: states and transitions only, without their actions. */
export function withChart(readme: string, page: string): string {
  const drawn = /^```mermaid\n(.*?)^```$/ms.exec(page)?.[1] ?? ''
  const shown = drawn
    .split('\n')
    .filter(isStructure)
    .map((line) => line.replace(/ \/ .*$/, ''))
  return readme.replace(
    /^```mermaid\n.*?^```$/ms,
    `\`\`\`mermaid\n${[...new Set(shown)].join('\n')}\`\`\``,
  )
}

/** Neither tags nor entry actions nor transitions that stay where they are. */
function isStructure(line: string): boolean {
  return line.includes('-->') || !/^\s*\S+ : /.test(line)
}

if (import.meta.filename === process.argv[1]) {
  const readme = readFileSync('README.md', 'utf8')
  writeFileSync('README.md', withChart(readme, readFileSync('docs/charts/robot.md', 'utf8')))
}
