import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'

/** The connections of a server, of which there are never more than it was made for. */
export interface Room {
  /** From now on this one counts no more, and makes room for nobody. */
  release(socket: Duplex): void
}

/** Keeps the connections of a server few: when there are too many, the one that has been here longest makes room. */
export function makeRoom(server: Server, max: number): Room {
  const present = new Set<Duplex>()
  server.on('connection', (socket) => {
    const [longest] = present
    if (longest && present.size >= max) {
      present.delete(longest)
      longest.destroy()
    }
    present.add(socket)
    socket.on('close', () => present.delete(socket))
  })
  return { release: (socket) => void present.delete(socket) }
}
