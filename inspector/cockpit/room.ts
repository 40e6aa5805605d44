import type { Server } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../drivers/clock.ts'

/** The connections of a server, of which there are never more than it was made for. */
export interface Room {
  /** From now on this one counts no more, and makes room for nobody. */
  release(socket: Duplex): void
  /** Hangs up on everybody who still counts. */
  clear(): void
}

/** How many connections other computers may make in a second, each of them and all together, and so many at once. */
const arrivalsMax = { each: 20, all: 60 }

/** So many addresses are told apart; those that came longest ago are forgotten first. */
const addressesMax = 256

/**
 * Keeps the connections of a server few: when there are too many, the one that has been here longest makes room. Those that
 * other computers make are few in each second, too: encrypting one costs the robot a signature, before it knows who it is.
 */
export function makeRoom(server: Server, max: number, clock: Pick<Clock, 'now'>): Room {
  const present = new Map<string, Socket>()
  const all = makeBucket(arrivalsMax.all, clock)
  const addresses = new Map<string, Bucket>()
  const isWelcome = (address: string): boolean => {
    const bucket = addresses.get(address) ?? makeBucket(arrivalsMax.each, clock)
    addresses.delete(address)
    addresses.set(address, bucket)
    const [eldest] = addresses.keys()
    if (eldest !== undefined && addresses.size > addressesMax) addresses.delete(eldest)
    return bucket.take() && all.take()
  }
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket
    if (!isOwn(remoteAddress) && !isWelcome(remoteAddress)) {
      socket.destroy()
      return
    }
    const [longest] = present
    if (longest && present.size >= max) {
      present.delete(longest[0])
      longest[1].destroy()
    }
    const peer = peerOf(socket)
    present.set(peer, socket)
    socket.on('close', () => {
      if (present.get(peer) === socket) present.delete(peer)
    })
  })
  return {
    release(socket) {
      if (socket instanceof Socket) present.delete(peerOf(socket))
    },
    clear() {
      for (const socket of present.values()) socket.destroy()
    },
  }
}

/** It comes from this computer itself. */
function isOwn(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}

interface Bucket {
  /** False when it is empty. It is filled again within a second. */
  take(): boolean
}

function makeBucket(size: number, clock: Pick<Clock, 'now'>): Bucket {
  let left = size
  let sinceMs = clock.now()
  return {
    take() {
      const now = clock.now()
      left = Math.min(size, left + ((now - sinceMs) / 1_000) * size)
      sinceMs = now
      if (!(left >= 1)) return false
      left -= 1
      return true
    },
  }
}

/** What is encrypted is another socket than the one that came, and has the same other end. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
