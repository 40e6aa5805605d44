import { EEPROMMemoryBackend } from 'avr8js'
import { expect, test } from 'vitest'
import { deadmanFrames } from '../../drivers/guardian/deadman.ts'
import { frames, splitFrames } from '../../drivers/guardian/frames.ts'
import { readReport } from '../../drivers/guardian/reports.ts'
import { type Host, openHost } from '../support/uno/host.ts'
import { type DutyChange, startUno } from '../support/uno/uno.ts'
import { until } from '../support/uno/until.ts'
import { type Status, describeMechos, isStatus } from './bench.ts'
import { safeTable } from './rover.ts'

const { beat, status, unlatch, writeTable } = deadmanFrames

/** The chip is never faster than real time, and on a busy machine it is slower. */
const limitMs = 20_000

describeMechos('over a serial port', (firmware) => {
  test('a board is given its table, opened and driven, and cuts itself when its host has gone', async () => {
    const eeprom = new EEPROMMemoryBackend(1024)
    const first = await startUno({ firmware, eeprom })
    const firstHost = await openHost(first.path)
    await firstHost.send(...writeTable(safeTable, 'rover'))
    expect(await answer(firstHost, 'writeTable')).toMatchObject({ result: 'done', boots: 1 })
    await firstHost.close()
    await first.close()

    const board = await startUno({ firmware, eeprom })
    const changes: DutyChange[] = []
    board.onDuty((change) => changes.push(change))
    expect([board.levelOf(7), board.levelOf(16), board.isOutput(3)]).toEqual([1, 1, true])

    const host = await openHost(board.path)
    await host.send(...status())
    const { nonce, name, boots } = await answer(host, 'status')
    expect({ name, boots }).toEqual({ name: 'rover', boots: 2 })
    await host.send(...unlatch(nonce), ...frames.mode(3, 3), ...frames.analog(3, 200), ...beat())
    expect(await answer(host, 'beat')).toMatchObject({ isLatched: false })
    expect(Math.round(board.dutyOf(3) * 255)).toBe(200)
    const beatMs = board.chipMs()
    await host.close()

    await until({
      what: () => 'the wheel is cut',
      condition: () => board.dutyOf(3) === 0,
      on: (listener) => board.onDuty(listener),
      limitMs,
    })
    const cutMs = changes.findLast(({ pin }) => pin === 3)?.chipMs ?? NaN
    expect(cutMs - beatMs).toBeGreaterThan(450)
    expect(cutMs - beatMs).toBeLessThan(550)
    expect(changes.filter(({ pin }) => pin === 7 || pin === 16)).toEqual([])

    const late = await openHost(board.path)
    await late.send(...frames.mode(3, 3), ...frames.analog(3, 200), ...beat())
    expect(await answer(late, 'beat')).toMatchObject({ isLatched: true, why: 'watchdog' })
    expect(board.dutyOf(3)).toBe(0)
    await late.close()
    await board.close()
  })
})

/** The last status that answers `word`, as soon as there is one. */
async function answer(host: Host, word: Status['answers']): Promise<Status> {
  const find = () =>
    splitFrames('inbound')
      .push(host.heard())
      .map(readReport)
      .filter((report) => report !== undefined)
      .filter(isStatus)
      .findLast(({ answers }) => answers === word)
  await until({
    what: () => `the board answers ${word}`,
    condition: () => find() !== undefined,
    on: host.onData,
    limitMs,
  })
  const found = find()
  if (found === undefined) throw new Error('what was heard is gone')
  return found
}
