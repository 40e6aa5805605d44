import type { Server } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** The connections of a server, of which there are never more than it was made for. */
export interface Room {
  /** From now on this one counts no more, and makes room for nobody. */
  release(socket: Duplex): void
  /** Hangs up on everybody who still counts. */
  clear(): void
}

/** Keeps the connections of a server few: when there are too many, the one that has been here longest makes room. */
export function makeRoom(server: Server, max: number): Room {
  const present = new Map<string, Socket>()
  server.on('connection', (socket: Socket) => {
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

/** What is encrypted is another socket than the one that came, and has the same other end. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
