import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { intoBase, intoOdom } from '../../../core/space/world.ts'

test('a point ahead of a robot that faces left is to the left of the room', () => {
  const pose = { x: 1, y: 2, heading: Math.PI / 2 }
  const point = intoOdom({ x: 3, y: 0 }, pose)
  expect([point.x, point.y]).toEqual([expect.closeTo(1, 9), expect.closeTo(5, 9)])
  const seen = intoBase({ x: 0, y: 2 }, pose)
  expect([seen.x, seen.y]).toEqual([expect.closeTo(0, 9), expect.closeTo(1, 9)])
})

test('there and back is where it was', () => {
  const metres = fc.double({ min: -50, max: 50, noNaN: true })
  fc.assert(
    fc.property(metres, metres, metres, metres, metres, (x, y, px, py, heading) => {
      const back = intoBase(intoOdom({ x, y }, { x: px, y: py, heading }), {
        x: px,
        y: py,
        heading,
      })
      return Math.abs(back.x - x) < 1e-9 && Math.abs(back.y - y) < 1e-9
    }),
  )
})
