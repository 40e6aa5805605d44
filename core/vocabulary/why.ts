/** Something that has to be so before a robot moves, and how it is. */
export interface Condition {
  readonly what: string
  readonly isMet: boolean
  readonly value: string | number | null
  /** What it has to be. */
  readonly limit: string | number | null
  /** Who may change it: `operator`, `owner of the configuration`, `hardware`, `itself`, or `nobody`. */
  readonly liftedBy: string
  /** What that takes; null when no command does it. */
  readonly command: string | null
}

/** Why a robot does not move, why it stopped, and what would make it move (DESIGN §5). */
export interface Why {
  readonly name: string
  readonly state: string
  /** It is told to move now. */
  readonly moves: boolean
  /** Why it is halted or stands still, and why its gate last tripped, oldest first. */
  readonly stopped: { readonly causes: readonly string[] }
  readonly conditions: readonly Condition[]
  /** The shortest way to where it may move: empty when it is there, null when nobody can. */
  readonly way: readonly ({ readonly command: string } | { readonly waitFor: string })[] | null
}
