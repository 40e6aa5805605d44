import type { AnyStateMachine } from 'xstate'
import { type Outline, outlineOf, type Reaction } from './outline.ts'

/**
 * Draws a machine as a Mermaid `stateDiagram-v2`; the same machine always gives the same text. Transitions that hold
 * in several states leave a box `any of …` inside the state that owns them; those without a target are rows of it.
 * Throws a TypeError that names the state when the machine holds anything without a name.
 */
export function toMermaid(machine: AnyStateMachine): string {
  const root = outlineOf(machine)
  const edges = arrowsOf(root)
  const body =
    root.kind === 'parallel' ? drawState(root, edges) : [...drawInside(root, edges)]
  return ['stateDiagram-v2', ...body.map((line) => `  ${line}`)].join('\n') + '\n'
}

interface Arrow {
  readonly from: string
  readonly to: string
  readonly label: string
  /** The innermost state that holds both ends: where Mermaid wants it. */
  readonly within: string
}

function drawInside(state: Outline, arrows: readonly Arrow[]): readonly string[] {
  const regions = state.states.map((child) => drawState(child, arrows))
  const box = hasBox(state) ? [drawBox(state)] : []
  const own = arrows
    .filter(({ within }) => within === state.id)
    .map(({ from, to, label }) => `${from} --> ${to} : ${label}`)
  if (state.kind === 'parallel') {
    return [...box, ...regions].flatMap((region, index) => (index > 0 ? ['--', ...region] : region))
  }
  const initial = state.initial === undefined ? [] : [`[*] --> ${refer(state.initial)}`]
  return [...initial, ...box.flat(), ...regions.flat(), ...own]
}

function drawState(state: Outline, arrows: readonly Arrow[]): readonly string[] {
  const name = refer(state.id)
  if (state.states.length > 0) {
    const inside = drawInside(state, arrows).map((line) => `  ${line}`)
    return [`state "${escape(state.key)}" as ${name} {`, ...inside, '}']
  }
  const final = state.kind === 'final' ? [`${name} --> [*]`] : []
  return [`state "${escape(state.key)}" as ${name}`, ...drawRows(name, state), ...final]
}

function drawBox(state: Outline): readonly string[] {
  const name = boxOf(state)
  return [`state "any of ${escape(state.key)}" as ${name}`, ...drawRows(name, state)]
}

function drawRows(name: string, state: Outline): readonly string[] {
  return rowsOf(state).map((row) => `${name} : ${escape(row)}`)
}

function rowsOf(state: Outline): readonly string[] {
  return [
    ...listing('tags', state.tags),
    ...listing('invoke', state.invokes),
    ...listing('entry /', state.entry),
    ...listing('exit /', state.exit),
    ...state.reactions.filter(({ targets }) => targets.length === 0).map(describeReaction),
  ]
}

function listing(title: string, names: readonly string[]): readonly string[] {
  return names.length > 0 ? [`${title} ${names.join(', ')}`] : []
}

function arrowsOf(state: Outline): readonly Arrow[] {
  const own = state.reactions.flatMap((reaction) =>
    reaction.targets.map((target) => arrowTo(target, reaction, state)),
  )
  return [...own, ...state.states.flatMap(arrowsOf)]
}

function arrowTo(target: string, reaction: Reaction, state: Outline): Arrow {
  const isInward = state.states.length > 0 && isWithin(target, state.id)
  return {
    from: isInward ? boxOf(state) : refer(state.id),
    to: refer(target),
    label: escape(describeReaction(reaction)),
    within: isInward ? state.id : sharedParent(state.id, target),
  }
}

/** A composite state cannot show rows of its own in Mermaid, nor an arrow into itself: a box inside it does both. */
function hasBox(state: Outline): boolean {
  const isInward = ({ targets }: Reaction) => targets.some((target) => isWithin(target, state.id))
  return rowsOf(state).length > 0 || state.reactions.some(isInward)
}

function boxOf(state: Outline): string {
  return `${refer(state.id)}__any`
}

/** A reaction in the usual notation: `event [guard] / action, action`. */
export function describeReaction({ event, guard, actions }: Reaction): string {
  const condition = guard === undefined ? '' : ` [${guard}]`
  const effects = actions.length > 0 ? ` / ${actions.join(', ')}` : ''
  return event + condition + effects
}

function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}.`)
}

function sharedParent(one: string, other: string): string {
  const path = one.split('.').slice(0, -1)
  while (!isWithin(other, path.join('.')) || other === path.join('.')) path.pop()
  return path.join('.')
}

function refer(id: string): string {
  return id.replaceAll(/\W/g, (sign) => (sign === '.' ? '__' : `_${sign.codePointAt(0)}_`))
}

/** Everything that means something to Mermaid is written as its number. */
function escape(text: string): string {
  return text.replaceAll(/[^\w .,/[\]()+-]/gu, (sign) => `#${sign.codePointAt(0)};`)
}
