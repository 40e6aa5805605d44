import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { splitFrames } from '../../../drivers/guardian/frames.ts'
import { readReport } from '../../../drivers/guardian/reports.ts'

describe('reading a report', () => {
  test.for([
    { bytes: [0xf9, 2, 5], report: { kind: 'version', major: 2, minor: 5 } },
    { bytes: [0xe1, 0x7f, 7], report: { kind: 'analog', channel: 1, value: 1023 } },
    { bytes: [0x90, 4, 1], report: { kind: 'port', port: 0, levels: 132 } },
    {
      bytes: [0xf0, 0x79, 2, 5, 0x68, 0, 0x69, 0, 0xf7],
      report: { kind: 'firmware', name: 'hi', major: 2, minor: 5 },
    },
    { bytes: [0xf0, 0x71, 0x68, 0, 0x69, 1, 0xf7], report: { kind: 'text', text: 'h\u00e9' } },
    {
      bytes: [0xf0, 0x6c, 0x7f, 0, 1, 3, 8, 0x7f, 0xf7],
      report: { kind: 'capabilities', pins: [[], [0, 3]] },
    },
    { bytes: [0xf0, 0x6a, 0x7f, 0, 0xf7], report: { kind: 'analogMapping', channels: [127, 0] } },
    {
      bytes: [0xf0, 0x6e, 3, 3, 0x7f, 1, 0xf7],
      report: { kind: 'pinState', pin: 3, mode: 3, state: 255 },
    },
    { bytes: [0xf0, 0x6e, 99, 0xf7], report: { kind: 'echo', pin: 99 } },
    { bytes: [0xf0, 0x3c, 1, 2, 0xf7], report: { kind: 'other', command: 0x3c } },
  ])('$report.kind', ({ bytes, report }) => {
    expect(readReport(Uint8Array.from(bytes))).toEqual(report)
  })

  test.for([
    { name: 'a firmware without a version', bytes: [0xf0, 0x79, 0xf7] },
    { name: 'a firmware with half a version', bytes: [0xf0, 0x79, 2, 0xf7] },
    { name: 'a firmware with half a letter', bytes: [0xf0, 0x79, 2, 5, 0x68, 0xf7] },
    { name: 'a pin state of no pin', bytes: [0xf0, 0x6e, 0xf7] },
    { name: 'a pin state without a state', bytes: [0xf0, 0x6e, 3, 1, 0xf7] },
    { name: 'an empty analog mapping', bytes: [0xf0, 0x6a, 0xf7] },
    { name: 'empty capabilities', bytes: [0xf0, 0x6c, 0xf7] },
    { name: 'capabilities that stop in a pin', bytes: [0xf0, 0x6c, 0, 1, 0xf7] },
    { name: 'capabilities that stop in a mode', bytes: [0xf0, 0x6c, 0, 0xf7] },
    { name: 'capabilities of absurd resolution', bytes: [0xf0, 0x6c, 0, 100, 0x7f, 0xf7] },
    { name: 'half a letter of text', bytes: [0xf0, 0x71, 1, 0xf7] },
    { name: 'an empty sysex', bytes: [0xf0, 0xf7] },
  ])('$name is none', ({ bytes }) => {
    expect(readReport(Uint8Array.from(bytes))).toBeUndefined()
  })

  test('never throws, whatever frame it is', () => {
    const sysex = fc
      .array(fc.integer({ min: 0, max: 127 }), { maxLength: 80 })
      .map((data) => [0xf0, ...data, 0xf7])
    const anything = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 200 })
    fc.assert(
      fc.property(fc.oneof(sysex, anything), (bytes) => {
        for (const frame of splitFrames('inbound').push(bytes)) readReport(frame)
      }),
      { numRuns: 2000 },
    )
  })
})
