import { describe, expect, test } from 'vitest'
import { createMachine } from 'xstate'
import { machines } from '../../../inspector/charts.ts'
import { layOut } from '../../../inspector/cockpit/drawing.ts'
import { readDrawings } from '../../../inspector/cockpit/drawings.ts'
import { type Outline, outlineOf } from '../../../inspector/outline.ts'

describe('the drawings that the cockpit shows', () => {
  const drawn = new Map(readDrawings().map(({ machine, svg }) => [machine, svg]))

  test.each(machines.map((machine) => ({ id: machine.id, outline: outlineOf(machine) })))(
    '$id is as it is drawn now, with every state and every transition (else: npm run charts)',
    async ({ id, outline }) => {
      const svg = await layOut(outline)
      expect(drawn.get(id)).toBe(svg)
      const shown = [...svg.matchAll(/data-id="([^"]+)"/g)].map(([, name]) => name ?? '')
      expect([...new Set(shown)].toSorted()).toEqual([...idsIn(outline)].toSorted())
    },
  )

  test('none is left of a machine that is gone (else: npm run charts)', () => {
    expect([...drawn.keys()].toSorted()).toEqual(machines.map(({ id }) => id).toSorted())
  })

  test('there are none where no folder is', () => {
    expect(readDrawings(new URL('nowhere/', import.meta.url))).toEqual([])
  })
})

describe('a drawing', () => {
  const gate = createMachine({
    id: 'gate',
    initial: 'shut',
    on: { 'gate.break': { target: '.broken' } },
    states: {
      shut: { tags: ['safe'], on: { 'gate.open': { guard: 'isMine<&>', target: 'open' } } },
      open: { on: { 'gate.open': { actions: 'creak' }, 'gate.shut': { target: 'shut' } } },
      broken: { type: 'final' },
    },
  })

  test('says what it shows to those who cannot see it', async () => {
    const svg = await layOut(outlineOf(gate))
    expect(svg).toContain('role="img" aria-label="Statechart of gate"')
    expect(svg).toContain('<title>gate.open / creak</title>')
  })

  test('has no style, script or sign of its own that a page would have to trust', async () => {
    const svg = await layOut(outlineOf(gate))
    expect(svg).not.toMatch(/style|script|href|isMine<|onload/)
    expect(svg).toContain('gate.open [isMine&#60;&#38;&#62;]')
  })

  test('puts every state inside the one that holds it, and no two upon each other', async () => {
    const boxes = new Map<string, readonly number[]>()
    for (const [, id, ...box] of (await layOut(outlineOf(gate))).matchAll(
      /data-id="([^"#]+)">\n<title>.*\n<rect class="ground" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g,
    )) {
      boxes.set(id ?? '', box.map(Number))
    }
    expect([...boxes.keys()].toSorted()).toEqual(['gate', 'gate.broken', 'gate.open', 'gate.shut'])
    const inner = [...boxes.entries()].filter(([id]) => id !== 'gate').map(([, box]) => box)
    for (const box of inner) {
      expect(holds(boxes.get('gate') ?? [], box)).toBe(true)
      expect(inner.filter((other) => other !== box && meets(box, other))).toEqual([])
    }
  })
})

function holds([x = 0, y = 0, w = 0, h = 0]: readonly number[], inner: readonly number[]): boolean {
  const [ix = 0, iy = 0, iw = 0, ih = 0] = inner
  return ix >= x && iy >= y && ix + iw <= x + w && iy + ih <= y + h
}

function meets([x = 0, y = 0, w = 0, h = 0]: readonly number[], other: readonly number[]): boolean {
  const [ox = 0, oy = 0, ow = 0, oh = 0] = other
  return x < ox + ow && ox < x + w && y < oy + oh && oy < y + h
}

function idsIn(state: Outline): readonly string[] {
  return [state.id, ...state.reactions.map(({ id }) => id), ...state.states.flatMap(idsIn)]
}
