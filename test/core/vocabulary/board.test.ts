import { expect, test } from 'vitest'
import { analogChannel, boards, isDigital, pinNumber } from '../../../core/vocabulary/board.ts'

test('a pin may be called by its number or by what is printed beside it', () => {
  const names = [3, '3', 'D3', 'd3', 'A0', 'a5', 14, 19]
  expect(names.map((name) => pinNumber(boards.uno, name))).toEqual([3, 3, 3, 3, 14, 19, 14, 19])
})

test('a pin that a board does not have has no number', () => {
  const names = [20, 99, -1, 1.5, NaN, 'A6', 'A', 'D', '', ' 3', '0x3', 'A0 ', '1e1', '9999']
  for (const name of names) expect(pinNumber(boards.uno, name), String(name)).toBe(undefined)
  expect(pinNumber(boards.nano, 'A7')).toBe(21)
  expect(pinNumber(boards.mega, 'A15')).toBe(69)
})

test('analog pins have channels, and on a Nano two of them nothing else', () => {
  expect([13, 14, 19, 20].map((pin) => analogChannel(boards.uno, pin))).toEqual([
    undefined,
    0,
    5,
    undefined,
  ])
  expect([0, 1, 2, 13, 14, 19, 20].map((pin) => isDigital(boards.uno, pin))).toEqual([
    false,
    false,
    true,
    true,
    true,
    true,
    false,
  ])
  expect([19, 20, 21].map((pin) => isDigital(boards.nano, pin))).toEqual([true, false, false])
  expect([20, 21].map((pin) => analogChannel(boards.nano, pin))).toEqual([6, 7])
})
