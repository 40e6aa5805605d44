import elk from 'elkjs/lib/elk.bundled.js'
import type { ElkEdgeSection, ElkNode, ElkPoint } from 'elkjs/lib/elk-api.js'
import { describeReaction } from '../chart.ts'
import type { Outline, Reaction } from '../outline.ts'
import { type Arrow, arrowsOf, beginningOf, graphOf } from './graph.ts'
import { labelOf, lineHeight, rowsOf, sizeOf, titleHeight } from './rows.ts'

/**
 * A chart as an SVG: the same outline always gives the same text. Each state and each transition is a group with its id
 * as `data-id`, and a title; how they look is left to a style sheet, by their classes. It takes some hundred
 * milliseconds: never on a robot that runs.
 */
export async function layOut(outline: Outline): Promise<string> {
  // The package is CommonJS, and its types say so.
  const places = placesIn(await new elk.default().layout(graphOf(outline)))
  const { width, height } = places.shape('chart')
  const label = `Statechart of ${outline.id}`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}">`,
    ...drawState(outline, places),
    ...arrowsOf(outline).flatMap((arrow) => drawArrow(arrow, places)),
    '</svg>',
    '',
  ].join('\n')
}

interface Shape {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

interface Line {
  readonly points: readonly ElkPoint[]
  readonly label: Shape | undefined
}

/** Where the layout has put everything. */
interface Places {
  shape(id: string): Shape
  line(id: string): Line
}

function placesIn(root: ElkNode): Places {
  const shapes = new Map<string, Shape>()
  const lines = new Map<string, Line>()
  const visit = (node: ElkNode) => {
    shapes.set(node.id, shapeOf(node))
    for (const { id, sections, labels } of node.edges ?? []) {
      const [label] = labels ?? []
      lines.set(id, { points: (sections ?? []).flatMap(pointsOf), label: label && shapeOf(label) })
    }
    node.children?.forEach(visit)
  }
  visit(root)
  return {
    shape: (id) => known(shapes.get(id), id),
    line: (id) => known(lines.get(id), id),
  }
}

function shapeOf({ x = 0, y = 0, width = 0, height = 0 }: Partial<Shape>): Shape {
  return { x: round(x), y: round(y), width: round(width), height: round(height) }
}

function pointsOf({ startPoint, bendPoints = [], endPoint }: ElkEdgeSection): readonly ElkPoint[] {
  return [startPoint, ...bendPoints, endPoint].map(({ x, y }) => ({ x: round(x), y: round(y) }))
}

function drawState(state: Outline, places: Places): readonly string[] {
  const { x, y, width, height } = places.shape(state.id)
  const kind = state.states.length > 0 ? 'holder' : 'leaf'
  const rows = rowsOf(state)
  return [
    `<g class="state ${kind} ${state.kind}" data-id="${escape(state.id)}">`,
    `<title>${escape(state.id)}</title>`,
    `<rect class="ground" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>`,
    ...(state.kind === 'final'
      ? [
          `<rect class="inner" x="${x + 3}" y="${y + 3}" width="${width - 6}" height="${height - 6}" rx="4"/>`,
        ]
      : []),
    `<text class="name" x="${x + 10}" y="${y + 17}">${escape(state.key)}</text>`,
    ...(kind === 'holder'
      ? [`<path class="rule" d="M${x} ${ruleOf(state, places)}h${width}"/>`]
      : []),
    ...rows.flatMap(({ kind: rowKind, text, reaction }, index) => {
      const line = textAt(x + 10, y + titleHeight + 10 + index * lineHeight, text, rowKind)
      return reaction ? drawReaction(reaction, line) : [line]
    }),
    ...drawBeginning(state, places),
    ...state.states.flatMap((inner) => drawState(inner, places)),
    '</g>',
  ]
}

/** Where what is written in a state ends, and what is in it begins. */
function ruleOf(state: Outline, places: Places): number {
  return places.shape(state.id).y + sizeOf(state).height
}

function drawBeginning({ id, initial }: Outline, places: Places): readonly string[] {
  if (initial === undefined) return []
  const { x, y } = places.shape(beginningOf(id))
  const { points } = places.line(`${beginningOf(id)}>`)
  return [
    `<g class="beginning">`,
    `<circle cx="${x + 5}" cy="${y + 5}" r="4"/>`,
    ...drawLine(points),
    '</g>',
  ]
}

function drawArrow({ id, from, to, reactions }: Arrow, places: Places): readonly string[] {
  const { label, points: whole } = places.line(id)
  const points = to.startsWith(`${from.id}.`) ? below(ruleOf(from, places), whole) : whole
  const { x, y, width, height } = known(label, id)
  return [
    '<g class="arrow">',
    ...drawLine(points),
    `<rect class="ground" x="${x}" y="${y}" width="${width}" height="${height}"/>`,
    ...reactions.flatMap((reaction, index) =>
      drawReaction(
        reaction,
        textAt(x + width / 2, y + 12 + index * lineHeight, labelOf(reaction), 'event'),
      ),
    ),
    '</g>',
  ]
}

/** A line into a state that holds another begins below what is written in that one. */
function below(y: number, points: readonly ElkPoint[]): readonly ElkPoint[] {
  const [first, ...rest] = points
  return first && first.y < y ? [{ ...first, y }, ...rest] : points
}

function drawReaction(reaction: Reaction, line: string): readonly string[] {
  const title = escape(describeReaction(reaction))
  return [
    `<g class="transition" data-id="${escape(reaction.id)}"><title>${title}</title>${line}</g>`,
  ]
}

function textAt(x: number, y: number, text: string, kind: string): string {
  return `<text class="${kind}" x="${round(x)}" y="${round(y)}">${escape(text)}</text>`
}

/** A line with rounded corners, and a head at its end. */
function drawLine(points: readonly ElkPoint[]): readonly string[] {
  const end = points.at(-1)
  const before = points.at(-2)
  if (!end || !before) return []
  return [
    `<path class="line" d="${pathThrough(points)}"/>`,
    `<path class="head" d="${headAt(end, before)}"/>`,
  ]
}

function pathThrough(points: readonly ElkPoint[]): string {
  return points
    .map((point, index) => {
      const [before, after] = [points[index - 1], points[index + 1]]
      if (!before) return `M${point.x} ${point.y}`
      if (!after) return `L${point.x} ${point.y}`
      const a = towards(point, before)
      const b = towards(point, after)
      return `L${a.x} ${a.y}Q${point.x} ${point.y} ${b.x} ${b.y}`
    })
    .join('')
}

/** The point a corner's radius away from one, on the way to another. */
function towards(from: ElkPoint, to: ElkPoint): ElkPoint {
  const length = Math.abs(to.x - from.x) + Math.abs(to.y - from.y)
  const share = length > 0 ? Math.min(cornerRadius, length / 2) / length : 0
  return {
    x: round(from.x + (to.x - from.x) * share),
    y: round(from.y + (to.y - from.y) * share),
  }
}

const cornerRadius = 5

function headAt({ x, y }: ElkPoint, before: ElkPoint): string {
  const right = Math.sign(x - before.x)
  const down = right === 0 ? Math.sign(y - before.y) : 0
  const back = { x: x - 7 * right, y: y - 7 * down }
  return `M${x} ${y}L${round(back.x + 3.5 * down)} ${round(back.y + 3.5 * right)}L${round(back.x - 3.5 * down)} ${round(back.y - 3.5 * right)}z`
}

function known<T>(value: T | undefined, id: string): T {
  if (value === undefined) throw new TypeError(`the layout has lost ${id}`)
  return value
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
