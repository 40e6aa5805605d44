import { createServer } from 'node:http'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { virtualClock } from '../../../drivers/clock.ts'
import { makeRoom } from '../../../inspector/cockpit/room.ts'

/** Servers are told of sockets as they come; from where they come is said here. */
function roomOf(max: number) {
  const clock = virtualClock()
  const server = createServer()
  server.removeAllListeners('connection')
  makeRoom(server, max, clock)
  let port = 1_024
  const arrive = (address: string, count: number) =>
    Array.from({ length: count }, () => {
      const socket = new Socket()
      Object.defineProperty(socket, 'remoteAddress', { value: address })
      Object.defineProperty(socket, 'remotePort', { value: ++port })
      server.emit('connection', socket)
      return socket
    }).filter(({ destroyed }) => !destroyed).length
  return { clock, arrive }
}

test('another computer makes 20 connections at once, and 20 a second after that; this one as many as it likes', async () => {
  const { arrive, clock } = roomOf(10_000)
  expect(arrive('192.0.2.7', 500)).toBe(20)
  await clock.advance(500)
  expect(arrive('192.0.2.7', 500)).toBe(10)
  expect(arrive('192.0.2.8', 500)).toBe(20)
  for (const own of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) expect(arrive(own, 500)).toBe(500)
  await clock.advance(60_000)
  expect(arrive('192.0.2.7', 500)).toBe(20)
})

test('however many computers there are, they make 60 together', () => {
  const { arrive } = roomOf(10_000)
  const made = Array.from({ length: 1_000 }, (_, n) => arrive(`198.51.100.${n}`, 5))
  expect(made.reduce((sum, count) => sum + count)).toBe(60)
})

test('whoever has been here longest makes room', () => {
  const { arrive } = roomOf(10)
  expect(arrive('127.0.0.1', 25)).toBe(10)
})
