import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type Plot from 'uplot'
import { inked, type Inks } from './inks.ts'
import { type Sample, samples, world } from './known.ts'
import { Nothing, Panel } from './panel.tsx'

/** What plots: loaded for itself, so that a browser in which it fails has everything else, and HALT first. */
const plotting = signal<typeof Plot | undefined>(undefined)
const failure = signal<string | undefined>(undefined)

/** Loads it. Never rejects: what went wrong is shown where the plots would be. */
export async function loadPlots(): Promise<void> {
  try {
    const [{ default: library }] = await Promise.all([
      import('uplot'),
      import('uplot/dist/uPlot.min.css'),
    ])
    plotting.value = library
  } catch (error) {
    failure.value = String(error)
  }
}

/** A line of a plot. A value that was not measured is a gap. */
interface Line {
  readonly name: string
  value(sample: Sample): number | null
}

/** Velocities, outputs and battery over the last minute. */
export function Plots() {
  const seen = world.value
  const names = seen?.outputs.map(({ name }) => name) ?? []
  return (
    <Panel area="plots" title="Last minute" aside={seen && velocityLine(seen.commanded.linear)}>
      {failure.value !== undefined && <p class="warm">Nothing can be plotted: {failure.value}</p>}
      {seen ? (
        <>
          <Traces title="velocity, m/s" lines={velocities} height={110} />
          {names.length > 0 ? (
            <Traces
              key={names.join()}
              title="outputs"
              lines={names.map((name) => ({
                name,
                value: ({ world: { outputs } }) =>
                  outputs.find((output) => output.name === name)?.output ?? null,
              }))}
              height={96}
            />
          ) : (
            <Nothing>No output was heard of.</Nothing>
          )}
          {seen.battery === null ? (
            <Nothing>No battery is measured.</Nothing>
          ) : (
            <Traces title="battery, %" lines={battery} height={80} range={[0, 100]} />
          )}
        </>
      ) : (
        <Nothing>Nothing was measured yet.</Nothing>
      )}
    </Panel>
  )
}

const velocities: readonly Line[] = [
  { name: 'commanded', value: ({ world: { commanded } }) => commanded.linear },
  { name: 'measured', value: ({ world: { velocity } }) => velocity?.linear ?? null },
  { name: 'turning, rad/s', value: ({ world: { velocity } }) => velocity?.angular ?? null },
]

const battery: readonly Line[] = [
  { name: 'charge', value: ({ world: { battery: charge } }) => charge && charge * 100 },
]

function velocityLine(linear: number): string {
  return `${linear.toFixed(2)} m/s commanded`
}

function Traces({
  title,
  lines,
  height,
  range,
}: {
  readonly title: string
  readonly lines: readonly Line[]
  readonly height: number
  /** From where to where; as it comes where that is not said. */
  readonly range?: [number, number]
}) {
  const frame = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot | null>(null)
  useEffect(() => {
    const { current: element } = frame
    const { value: library } = plotting
    if (!element || library === undefined) return undefined
    const make = () => {
      plot.current?.destroy()
      const size = options(lines, element.clientWidth, height, range)
      plot.current = new library(size, dataOf(lines), element)
    }
    make()
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    const sized = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height }),
    )
    scheme.addEventListener('change', make)
    sized.observe(element)
    return () => {
      scheme.removeEventListener('change', make)
      sized.disconnect()
      plot.current?.destroy()
      plot.current = null
    }
  }, [plotting.value])
  const all = samples.value
  useEffect(() => plot.current?.setData(dataOf(lines)), [all])
  const now = all.at(-1)
  return (
    <figure class="traces">
      <figcaption>
        {title}
        {lines.map((line, index) => (
          <span key={line.name} class={`key key-${index % 4}`}>
            {line.name} {now ? tellValue(line.value(now)) : ''}
          </span>
        ))}
      </figcaption>
      <div ref={frame} aria-hidden="true" />
    </figure>
  )
}

function dataOf(lines: readonly Line[]): Plot.AlignedData {
  const all = samples.value
  return [
    all.map(({ seconds }) => seconds),
    ...lines.map((line) => all.map((sample) => line.value(sample))),
  ]
}

function options(
  lines: readonly Line[],
  width: number,
  height: number,
  range: [number, number] | undefined,
): Plot.Options {
  const inks = inked()
  const axis = { stroke: inks.faint, grid: { stroke: inks.line, width: 1 }, ticks: { show: false } }
  return {
    width,
    height,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: { range: range ?? ((_, min, max) => roomFor(min, max)) } },
    axes: [
      {
        ...axis,
        size: 20,
        font: '10px system-ui',
        values: (_, marks) => marks.map((at) => `${at} s`),
      },
      { ...axis, size: 38, font: '10px system-ui' },
    ],
    series: [{}, ...lines.map((_, index) => ({ stroke: strokeOf(index, inks), width: 1.5 }))],
  }
}

function strokeOf(index: number, inks: Inks): string {
  return [inks.accent, inks.text, inks.warm, inks.faint][index % 4] ?? inks.text
}

/** So that noise about nothing does not fill the plot. */
function roomFor(min: number | null, max: number | null): [number, number] {
  return [Math.min(min ?? 0, -0.05), Math.max(max ?? 0, 0.05)]
}

function tellValue(value: number | null): string {
  return value === null ? '–' : value.toFixed(2)
}
