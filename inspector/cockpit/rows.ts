import type { Outline, Reaction } from '../outline.ts'

/** A line of text in a state: what it is, or a reaction that stays where it is. */
export interface Row {
  readonly kind: 'tags' | 'does' | 'reaction'
  readonly text: string
  /** The reaction that it shows. */
  readonly reaction?: Reaction
}

/** The px that a line of text takes, and of the name of a state. */
export const lineHeight = 14
export const titleHeight = 24
const margin = 10

/** What is written in a state below its name, in lines that are not too long. */
export function rowsOf(state: Outline): readonly Row[] {
  return [
    ...listing('tags', '', state.tags),
    ...listing('does', 'invoke ', state.invokes),
    ...listing('does', 'entry / ', state.entry),
    ...listing('does', 'exit / ', state.exit),
    ...state.reactions.flatMap((reaction): readonly Row[] => {
      const again = reaction.targets.filter((target) => isStay(target, state))
      if (reaction.targets.length > 0 && again.length === 0) return []
      const text = `${labelOf(reaction)}${again.length > 0 ? ' (again)' : ''}`
      return [{ kind: 'reaction', text, reaction }]
    }),
  ]
}

/** True where a reaction does not leave its state for another: the state itself, or one that it is in, is entered again. */
export function isStay(target: string, { id }: Outline): boolean {
  return target === id || id.startsWith(`${target}.`)
}

/** An event and its guard, as they are written at an arrow. What it does is told elsewhere. */
export function labelOf({ event, guard }: Reaction): string {
  return guard === undefined ? event : `${event} [${guard}]`
}

/** The px that the name of a state and its rows take. */
export function sizeOf(state: Outline): { readonly width: number; readonly height: number } {
  const rows = rowsOf(state)
  const widths = rows.map(({ text }) => widthOfText(text))
  const title = widthOfText(state.key) * 1.25
  return {
    width: Math.ceil(Math.max(64, title, ...widths) + 2 * margin),
    height: titleHeight + rows.length * lineHeight + (rows.length > 0 ? 8 : 4),
  }
}

/** About the px that a text takes at 11 px in a face without serifs: rather too many than too few. */
export function widthOfText(text: string): number {
  let width = 0
  for (const character of text) {
    if (/[ijlt.,:;|'!fI[\]()/ ]/.test(character)) width += 3.8
    else if (/[mwMW@]/.test(character)) width += 9.6
    else if (/[A-Z]/.test(character)) width += 7.8
    else width += 6.5
  }
  return width
}

/** Names, a few a line. */
function listing(kind: Row['kind'], title: string, names: readonly string[]): readonly Row[] {
  const lines: string[] = []
  for (const name of names) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + name.length < charactersMax) {
      lines[lines.length - 1] = `${last}, ${name}`
    } else lines.push(lines.length === 0 ? `${title}${name}` : `  ${name}`)
  }
  return lines.map((text) => ({ kind, text }))
}

/** About the most characters in a line of names. */
const charactersMax = 40
