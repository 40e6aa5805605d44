import { describe, expect, test } from 'vitest'
import { readDocument, settingsIn } from '../../../core/settings/settings.ts'
import { placesFor } from '../../../core/vocabulary/place.ts'

const written = (places: string, remember = '[]') =>
  `{\n  "places": ${places},\n  "remember": ${remember}\n}`
const problemIn = (text: string) => {
  const read = readDocument(text)
  return read.ok ? 'none' : read.problem
}

describe('the settings that people write', () => {
  test('are places by their names, and words for the brain', () => {
    const read = readDocument(
      written('{"dock": {"x": 2, "y": -1.5, "frame": "odom"}}', '["never enter the kitchen"]'),
    )
    expect(read.ok && settingsIn(read.document)).toEqual({
      places: [{ name: 'dock', x: 2, y: -1.5, frame: 'odom' }],
      notes: ['never enter the kitchen'],
    })
    expect(readDocument('{}')).toEqual({ ok: true, document: { places: {}, remember: [] } })
  })

  test.each([
    [
      written('{\n"dock": {\n"x": "2", "y": 1, "frame": "map"}}'),
      /^line 4: places\.dock\.x: "2" is not allowed; a number of metres/,
    ],
    [written('{\n"dock": {"x": 2, "y": 1}}'), /^line 3: places\.dock\.frame: missing; map or odom/],
    [
      written('{\n"dock": {"x": 2, "y": 1, "frame": "base"}}'),
      /^line 3: places\.dock\.frame: "base" is not allowed; map or odom/,
    ],
    [
      written('{"dock": {"x": 1e9, "y": 1, "frame": "map"}}'),
      /^line 2: places\.dock\.x: 1000000000 is not allowed; a number of metres/,
    ],
    [
      written('{}', '[\n"a",\n""]'),
      /^line 5: remember\[1\]: "" is not allowed; a text of 1 to 300 characters/,
    ],
    ['{\n"place": {}}', /^line 2: place: no such field/],
    [
      written('{"dock": {"x": 1, "y": 1, "frame": "map",\n"z": 1}}'),
      /^line 3: places\.dock\.z: no such field/,
    ],
    ['[]', /^line 1: configuration: \[\] is not allowed/],
    ['{\n"places": {,}}', /^line 2: a name in quotes is missing before ,/],
  ])('with a mistake are refused by line and field: %j', (text, problem) => {
    expect(problemIn(text)).toMatch(problem)
  })
})

describe('the places that a brain is told', () => {
  const place = (name: string) => ({ name, x: 0, y: 0, frame: 'odom' as const })
  const few = ['dock', 'door'].map(place)
  const many = [...few, ...Array.from({ length: 20 }, (_, at) => place(`shelf ${at}`))]
  const namesFor = (places: typeof many, text: string) =>
    placesFor(places, text, 8).map(({ name }) => name)

  test('are all of them when they are few', () => {
    expect(namesFor(few, 'explore')).toEqual(['dock', 'door'])
  })

  test('are those that are spoken of when they are many', () => {
    expect(namesFor(many, 'explore')).toEqual([])
    expect(namesFor(many, 'go to the DOCK, then to Shelf 1!')).toEqual(['dock', 'shelf 1'])
    expect(namesFor(many, 'read the docket')).toEqual([])
  })
})
