import { describe, expect, test } from 'vitest'
import { createActor, type EventObject, fromCallback } from 'xstate'
import { MechosError } from '../../core/vocabulary/errors.ts'
import { virtualClock } from '../../drivers/clock.ts'
import { type BoardFacts, boardMachine } from '../../machines/board.machine.ts'
import { held } from './held.ts'

const facts: BoardFacts = { firmware: 'StandardFirmata 2.5', deadman: false }

function opening() {
  const clock = virtualClock()
  const openBody = held<BoardFacts>()
  const verifyBody = held<void>()
  const closeBody = held<void>()
  let listening = 0
  const board = createActor(
    boardMachine.provide({
      actors: {
        openBody: openBody.logic,
        verifyBody: verifyBody.logic,
        closeBody: closeBody.logic,
        bodyLoss: fromCallback<EventObject, undefined>(() => {
          listening += 1
          return () => {
            listening -= 1
          }
        }),
      },
    }),
    { clock },
  ).start()
  return {
    clock,
    board,
    openBody,
    verifyBody,
    closeBody,
    listening: () => listening,
    state: () => board.getSnapshot().value,
    cause: () => board.getSnapshot().context.cause,
    async becomeReady() {
      await openBody.last().resolve(facts)
      await verifyBody.last().resolve()
    },
  }
}

describe('the board', () => {
  test('is ready once it was opened and has been seen to obey a halt', async () => {
    const { board, openBody, verifyBody, state, listening } = opening()
    expect(state()).toBe('opening')
    await openBody.last().resolve(facts)
    expect([state(), listening()]).toEqual(['verifying', 0])
    await verifyBody.last().resolve()
    expect([state(), listening()]).toEqual(['ready', 1])
    expect(board.getSnapshot().context.facts).toEqual(facts)
    expect([...board.getSnapshot().tags]).toEqual(['ready'])
  })

  test('that cannot be opened is lost, and is opened again after a second', async () => {
    const { clock, board, openBody, state, cause } = opening()
    await openBody.last().reject(new MechosError('ERR_PORT_UNAVAILABLE', 'no such port'))
    expect([state(), cause()]).toEqual(['lost', 'no such port'])
    expect([...board.getSnapshot().tags]).toEqual(['lost'])
    await clock.advance(999)
    expect(state()).toBe('lost')
    await clock.advance(1)
    expect([state(), openBody.calls.length]).toEqual(['opening', 2])
    await openBody.last().resolve(facts)
    expect([state(), cause()]).toEqual(['verifying', undefined])
  })

  test('that says nothing for 15 s is lost', async () => {
    const { clock, state, cause } = opening()
    await clock.advance(15_000)
    expect([state(), cause()]).toEqual(['lost', 'the board did not open in time'])
  })

  test('that opens after its time is up is not believed', async () => {
    const { clock, openBody, state } = opening()
    await clock.advance(15_000)
    await openBody.last().resolve(facts)
    expect(state()).toBe('lost')
  })

  test('that does not take a halt is lost', async () => {
    const { openBody, verifyBody, state, cause } = opening()
    await openBody.last().resolve(facts)
    await verifyBody.last().reject(new MechosError('ERR_BOARD_REFUSED', 'it did not take a halt'))
    expect([state(), cause()]).toEqual(['lost', 'it did not take a halt'])
  })

  test('that does not answer a halt in time is lost', async () => {
    const { clock, openBody, state, cause } = opening()
    await openBody.last().resolve(facts)
    await clock.advance(2_000)
    expect([state(), cause()]).toEqual(['lost', 'the board did not answer a halt in time'])
  })

  test('that is lost while ready is opened and verified from scratch', async () => {
    const { clock, board, openBody, verifyBody, becomeReady, state, cause, listening } = opening()
    await becomeReady()
    board.send({ type: 'board.lost', cause: 'the cable was pulled' })
    expect([state(), cause(), listening()]).toEqual(['lost', 'the cable was pulled', 0])
    await clock.advance(1_000)
    await becomeReady()
    expect([state(), openBody.calls.length, verifyBody.calls.length]).toEqual(['ready', 2, 2])
  })

  test('is closed, whatever it was doing', async () => {
    const { board, openBody, closeBody, state } = opening()
    board.send({ type: 'board.close' })
    expect(state()).toBe('closing')
    await openBody.last().resolve(facts)
    await closeBody.last().resolve()
    expect(state()).toBe('closed')
  })

  test('is closed even when closing fails or takes too long', async () => {
    const failing = opening()
    failing.board.send({ type: 'board.close' })
    await failing.closeBody.last().reject(new Error('busy'))
    expect([failing.state(), failing.cause()]).toEqual(['closed', 'busy'])
    const late = opening()
    late.board.send({ type: 'board.close' })
    await late.clock.advance(2_000)
    expect(late.state()).toBe('closed')
  })

  test('that was closed stays so until somebody opens it', async () => {
    const { clock, board, closeBody, state } = opening()
    board.send({ type: 'board.close' })
    await closeBody.last().resolve()
    await clock.advance(60_000)
    expect(state()).toBe('closed')
    board.send({ type: 'board.open' })
    expect(state()).toBe('opening')
  })
})
