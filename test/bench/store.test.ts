import { expect, test } from 'vitest'
import { figureSchema } from './figure.ts'
import { storeFigures } from './store.ts'

test('the bench of the stores measures what it says', { timeout: 60_000 }, async () => {
  const figures = await storeFigures({ memories: 300, driveMs: 1_000 }, { note: () => {} })
  expect(figures.map((figure) => figureSchema.parse(figure).name)).toEqual([
    'event loop delay',
    'reflex ticks missed',
    'events a second',
    'recall of 5',
  ])
  const [delay, missed, events, recall] = figures
  expect(delay?.n).toBeGreaterThan(10)
  expect(missed?.n).toBeGreaterThan(20)
  expect(events?.value).toBeGreaterThan(500)
  expect(recall).toMatchObject({ n: 300, verdict: 'ok' })
})
