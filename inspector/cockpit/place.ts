import { createServer, type Server, type ServerOptions } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type Door, doorAt, loopback } from './doorkeeper.ts'

/** Where a server listens, and what it shows for itself there. */
export interface Place {
  /** An IP address of this computer, and never all of them. */
  readonly address: string
  /** What browsers may call it; the first is the one in links. */
  readonly names: readonly string[]
  /** In PEM. Everything is encrypted with it, and nothing is served in the clear. */
  readonly certificate?: { readonly cert: string; readonly key: string }
}

/** This computer, for nobody else. */
export const ownPlace: Place = { address: loopback, names: [loopback, 'localhost'] }

/** A server for that place that does not listen yet. */
export function serverAt({ certificate }: Place, options: ServerOptions): Server {
  if (!certificate) return createServer(options)
  // A handshake may take no longer than headers may.
  const handshakeTimeout = options.headersTimeout
  return createSecureServer({
    ...options,
    ...certificate,
    minVersion: 'TLSv1.2',
    ...(handshakeTimeout !== undefined && { handshakeTimeout }),
  })
}

/** Has a server listen at a port, 0 for any that is free. Rejects when it cannot be had. */
export function listen(server: Server, port: number, place: Place): Promise<Door> {
  const { address, certificate, names } = place
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host: address, exclusive: true }, () => {
      server.off('error', reject)
      const bound = server.address()
      const taken = typeof bound === 'object' && bound ? bound.port : port
      resolve(doorAt(taken, names, certificate ? 'https' : 'http'))
    })
  })
}
