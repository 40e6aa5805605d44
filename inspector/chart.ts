import type { AnyStateMachine } from 'xstate'
import { type Outline, outlineOf, type Reaction } from './outline.ts'

/**
 * Draws a machine as a Mermaid `stateDiagram-v2`; the same machine always gives the same text. Transitions that hold
 * in several states leave a box `any of …` inside the state that owns them; those without a target, or back to that whole state, are rows of it.
 * Throws a TypeError that names the state when the machine holds anything without a name.
 */
export function toMermaid(machine: AnyStateMachine): string {
  const root = outlineOf(machine)
  const arrows = arrowsOf(root, parallelsOf(root))
  const states = root.kind === 'parallel' ? drawState(root, arrows) : drawInside(root, arrows)
  const body = [...states, ...drawArrows(outside, arrows)]
  return ['stateDiagram-v2', ...body.map((line) => `  ${line}`)].join('\n') + '\n'
}

interface Arrow {
  readonly from: string
  readonly to: string
  readonly label: string
  /** The innermost state that holds both ends, or `outside` when that one is parallel: where Mermaid wants it. */
  readonly within: string
}

/** Where the arrows are drawn that no state can hold. */
const outside = ''

function drawInside(state: Outline, arrows: readonly Arrow[]): readonly string[] {
  const regions = state.states.map((child) => drawState(child, arrows))
  const box = hasBox(state) ? [drawBox(state)] : []
  if (state.kind === 'parallel') {
    return [...box, ...regions].flatMap((region, index) => (index > 0 ? ['--', ...region] : region))
  }
  const initial = state.initial === undefined ? [] : [`[*] --> ${refer(state.initial)}`]
  return [...initial, ...box.flat(), ...regions.flat(), ...drawArrows(state.id, arrows)]
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

function drawArrows(where: string, arrows: readonly Arrow[]): readonly string[] {
  return arrows
    .filter(({ within }) => within === where)
    .map(({ from, to, label }) => `${from} --> ${to} : ${label}`)
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
    ...state.reactions.flatMap((reaction) => {
      const text = describeReaction(reaction)
      const again = reaction.targets.filter((target) => isRow(target, state))
      return reaction.targets.length === 0 ? [text] : again.map((target) => `${text} → ${target}`)
    }),
  ]
}

/** No arrow in Mermaid leads from inside a state to that state. */
function isRow(target: string, { id, states }: Outline): boolean {
  return isInside(id, target) || (id === target && states.length > 0)
}

function listing(title: string, names: readonly string[]): readonly string[] {
  return names.length > 0 ? [`${title} ${names.join(', ')}`] : []
}

function arrowsOf(state: Outline, parallels: ReadonlySet<string>): readonly Arrow[] {
  const own = state.reactions.flatMap((reaction) =>
    reaction.targets
      .filter((target) => !isRow(target, state))
      .map((target): Arrow => {
        const isInward = isInside(target, state.id)
        return {
          from: isInward ? boxOf(state) : refer(state.id),
          to: refer(target),
          label: escape(describeReaction(reaction)),
          within: holderOf(isInward ? `${state.id}.any` : state.id, target, parallels),
        }
      }),
  )
  return [...own, ...state.states.flatMap((child) => arrowsOf(child, parallels))]
}

function parallelsOf(state: Outline): ReadonlySet<string> {
  const inner = state.states.flatMap((child) => [...parallelsOf(child)])
  return new Set(state.kind === 'parallel' ? [state.id, ...inner] : inner)
}

/** A composite state cannot show rows of its own in Mermaid, nor an arrow into itself: a box inside it does both. */
function hasBox(state: Outline): boolean {
  const isInward = ({ targets }: Reaction) => targets.some((target) => isInside(target, state.id))
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

function isInside(inner: string, outer: string): boolean {
  return inner.startsWith(`${outer}.`)
}

function holderOf(from: string, to: string, parallels: ReadonlySet<string>): string {
  const path = from.split('.').slice(0, -1)
  while (path.length > 0 && !isInside(to, path.join('.'))) path.pop()
  const holder = path.join('.')
  return parallels.has(holder) ? outside : holder
}

function refer(id: string): string {
  return id.replaceAll(/\W/g, (sign) => (sign === '.' ? '__' : `_${sign.codePointAt(0)}_`))
}

/** Everything that means something to Mermaid is written as its number. */
function escape(text: string): string {
  return text.replaceAll(/[^\w .,/[\]()+-]/gu, (sign) => `#${sign.codePointAt(0)};`)
}
