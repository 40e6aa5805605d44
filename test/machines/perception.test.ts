import { describe, expect, test } from 'vitest'
import { createActor, type EventObject, fromCallback } from 'xstate'
import { perceptionMachine } from '../../machines/perception.machine.ts'

const sensors = [
  { name: 'encoders', guardsMotion: true },
  { name: 'front', guardsMotion: true },
  { name: 'battery', guardsMotion: false },
]

function perceiving(watched = sensors) {
  const machine = perceptionMachine.provide({
    actors: { freshness: fromCallback<EventObject, undefined>(() => undefined) },
  })
  const perception = createActor(machine, { input: { sensors: watched } }).start()
  return {
    perception,
    say: (word: 'fresh' | 'stale', sensor: string) =>
      perception.send({ type: `perception.${word}`, sensor }),
    value: () => perception.getSnapshot().value,
    stale: () => perception.getSnapshot().context.stale,
    sensor: (name: string) => perception.system.get(`sensor.${name}`)?.getSnapshot().value,
  }
}

describe('perception', () => {
  test('is unlocalised until every sensor that guards motion has been heard', () => {
    const { say, value, stale, perception } = perceiving()
    say('fresh', 'encoders')
    expect([value(), stale()]).toEqual(['unlocalised', ['front']])
    say('fresh', 'front')
    expect([value(), stale()]).toEqual(['localised', []])
    expect(perception.getSnapshot().hasTag('trusted')).toBe(true)
  })

  test('is lost as soon as one of them is stale, and localised again when none is', () => {
    const { say, value, stale, perception } = perceiving()
    say('fresh', 'encoders')
    say('fresh', 'front')
    say('stale', 'front')
    expect([value(), stale()]).toEqual(['lost', ['front']])
    expect(perception.getSnapshot().hasTag('trusted')).toBe(false)
    say('stale', 'front')
    say('fresh', 'front')
    expect([value(), stale()]).toEqual(['localised', []])
  })

  test('does not mind a stale sensor that guards nothing, but its chart shows it', () => {
    const { say, value, sensor } = perceiving()
    for (const { name } of sensors) say('fresh', name)
    say('stale', 'battery')
    expect([value(), sensor('battery')]).toEqual(['localised', 'stale'])
  })

  test('keeps a chart for each sensor', () => {
    const { say, sensor } = perceiving()
    expect(sensors.map(({ name }) => sensor(name))).toEqual(['warming', 'warming', 'warming'])
    say('fresh', 'front')
    expect(sensors.map(({ name }) => sensor(name))).toEqual(['warming', 'live', 'warming'])
  })

  test('ignores sensors that nobody declared', () => {
    const { say, value, stale } = perceiving()
    say('fresh', 'back')
    say('stale', 'back')
    expect([value(), stale()]).toEqual(['unlocalised', ['encoders', 'front']])
  })

  test('is localised at once when no sensor guards motion', () => {
    expect(perceiving([]).value()).toBe('localised')
  })

  test('fails when its stream does', () => {
    const machine = perceptionMachine.provide({
      actors: {
        freshness: fromCallback<EventObject, undefined>(() => {
          throw new TypeError('the stream broke')
        }),
      },
    })
    const perception = createActor(machine, { input: { sensors } })
    const errors: unknown[] = []
    perception.subscribe({ error: (error) => errors.push(error) })
    perception.start()
    expect(perception.getSnapshot().status).toBe('error')
    expect(errors).toEqual([new TypeError('the stream broke')])
  })
})
