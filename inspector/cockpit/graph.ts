import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js'
import type { Outline, Reaction } from '../outline.ts'
import { isStay, labelOf, lineHeight, sizeOf, widthOfText } from './rows.ts'

/** The reactions that lead from one state to another: one arrow, a line of text for each. */
export interface Arrow {
  readonly id: string
  readonly from: Outline
  readonly to: string
  readonly reactions: readonly Reaction[]
}

/** Every arrow of a chart, in the order in which it was written. What stays where it is has none: it is a row of its state. */
export function arrowsOf(state: Outline): readonly Arrow[] {
  const targets = new Set(state.reactions.flatMap((reaction) => leaving(reaction, state)))
  const own = [...targets].map((to): Arrow => ({
    id: `${state.id}>${to}`,
    from: state,
    to,
    reactions: state.reactions.filter((reaction) => leaving(reaction, state).includes(to)),
  }))
  return [...own, ...state.states.flatMap(arrowsOf)]
}

/** The dot from which an arrow leads to where a state begins, by the id of that state. */
export function beginningOf(id: string): string {
  return `${id}>`
}

/** A chart as the layout engine wants it: sizes, and what is inside of what. */
export function graphOf(root: Outline): ElkNode {
  return {
    id: 'chart',
    layoutOptions: options,
    children: [nodeOf(root)],
    edges: arrowsOf(root).map(edgeOf),
  }
}

/** Down the page, at right angles; everything in coordinates of the page, the text of an arrow upon it. */
const options = {
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.padding': '[top=8,left=8,bottom=8,right=8]',
  'elk.layered.spacing.nodeNodeBetweenLayers': '28',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.spacing.nodeNode': '24',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '12',
}

function nodeOf(state: Outline): ElkNode {
  const { width, height } = sizeOf(state)
  if (state.states.length === 0) return { id: state.id, width, height }
  return {
    id: state.id,
    layoutOptions: {
      'elk.padding': `[top=${height + 10},left=14,bottom=14,right=14]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${width},${height})`,
    },
    children: [...beginning(state), ...state.states.map(nodeOf)],
    edges: beginning(state).map(({ id }) => ({
      id: `${id}>`,
      sources: [id],
      targets: [state.initial ?? ''],
    })),
  }
}

function beginning({ id, initial }: Outline): ElkNode[] {
  return initial === undefined ? [] : [{ id: beginningOf(id), width: 10, height: 10 }]
}

function edgeOf({ id, from, to, reactions }: Arrow): ElkExtendedEdge {
  const widths = reactions.map((reaction) => widthOfText(labelOf(reaction)))
  const label = {
    // A label without text is given no place.
    text: id,
    width: Math.ceil(Math.max(...widths)) + 10,
    height: reactions.length * lineHeight + 4,
    layoutOptions: { 'elk.edgeLabels.inline': 'true' },
  }
  return { id, sources: [from.id], targets: [to], labels: [label] }
}

function leaving({ targets }: Reaction, state: Outline): readonly string[] {
  return targets.filter((target) => !isStay(target, state))
}
