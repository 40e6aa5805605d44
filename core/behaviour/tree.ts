/** What ticking a node came to. */
export type Status = 'success' | 'failure' | 'running'

/** One node of a behaviour tree over a blackboard of type `Board`. Ticking it may change the board, nothing else. */
export type Behaviour<Board> = (board: Board) => Status

/** Ticks its children in order until one does not succeed. Reactive: every tick begins at the first. */
export function sequence<Board>(...children: readonly Behaviour<Board>[]): Behaviour<Board> {
  return (board) => firstOther('success', children, board)
}

/** Ticks its children in order until one does not fail. Reactive: every tick begins at the first. */
export function fallback<Board>(...children: readonly Behaviour<Board>[]): Behaviour<Board> {
  return (board) => firstOther('failure', children, board)
}

/** Succeeds when the predicate holds, fails when it does not. */
export function condition<Board>(holds: (board: Board) => boolean): Behaviour<Board> {
  return (board) => (holds(board) ? 'success' : 'failure')
}

function firstOther<Board>(
  expected: Status,
  children: readonly Behaviour<Board>[],
  board: Board,
): Status {
  for (const child of children) {
    const status = child(board)
    if (status !== expected) return status
  }
  return expected
}
