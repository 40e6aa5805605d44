import { describe, expect, test } from 'vitest'
import {
  type Behaviour,
  condition,
  fallback,
  sequence,
  type Status,
} from '../../../core/behaviour/tree.ts'

interface Board {
  readonly ticked: string[]
  readonly isLight: boolean
}

const leaf =
  (name: string, status: Status): Behaviour<Board> =>
  ({ ticked }) => {
    ticked.push(name)
    return status
  }

function tick(tree: Behaviour<Board>, isLight = true): [Status, ...string[]] {
  const board: Board = { ticked: [], isLight }
  return [tree(board), ...board.ticked]
}

describe('a sequence', () => {
  test('goes on as long as its children succeed', () => {
    expect(tick(sequence(leaf('a', 'success'), leaf('b', 'success')))).toEqual([
      'success',
      'a',
      'b',
    ])
    expect(tick(sequence(leaf('a', 'failure'), leaf('b', 'success')))).toEqual(['failure', 'a'])
    expect(
      tick(sequence(leaf('a', 'success'), leaf('b', 'running'), leaf('c', 'success'))),
    ).toEqual(['running', 'a', 'b'])
    expect(tick(sequence())).toEqual(['success'])
  })
})

describe('a fallback', () => {
  test('goes on as long as its children fail', () => {
    expect(tick(fallback(leaf('a', 'failure'), leaf('b', 'failure')))).toEqual([
      'failure',
      'a',
      'b',
    ])
    expect(tick(fallback(leaf('a', 'success'), leaf('b', 'failure')))).toEqual(['success', 'a'])
    expect(
      tick(fallback(leaf('a', 'failure'), leaf('b', 'running'), leaf('c', 'success'))),
    ).toEqual(['running', 'a', 'b'])
    expect(tick(fallback())).toEqual(['failure'])
  })
})

test('a condition asks the board, anew at every tick', () => {
  const tree = fallback(
    sequence(
      condition<Board>(({ isLight }) => isLight),
      leaf('read', 'running'),
    ),
    leaf('sleep', 'running'),
  )
  expect([tick(tree, true), tick(tree, false), tick(tree, true)]).toEqual([
    ['running', 'read'],
    ['running', 'sleep'],
    ['running', 'read'],
  ])
})
