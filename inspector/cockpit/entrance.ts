import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Access } from './access.ts'
import { type Door, type Refusal, sessionCookie } from './doorkeeper.ts'
import { refusing, type Reply } from './reply.ts'

export const notLoggedIn: Refusal = {
  status: 401,
  message: 'log in with the link that mechos run has printed; mechos status --json makes another',
}

/** What is asked for. Nothing is decoded: what is served is called by plain names. */
export function target({ url = '/' }: IncomingMessage): { path: string; query: URLSearchParams } {
  const [path = '/', ...rest] = url.split('?')
  return { path, query: new URLSearchParams(rest.join('?')) }
}

/** A link is followed once: its token becomes a session, whose secret no page can read and no other site sends. */
export function login(
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
  { access, door }: { readonly access: Access; readonly door: Door },
): Reply {
  if (headers['sec-purpose'] !== undefined) {
    return refusing({ status: 403, message: 'login: not followed ahead of time' })
  }
  const wish = query.get('as') === 'watch' ? 'watch' : 'drive'
  const session = access.admit(query.get('token') ?? '', wish)
  if (!session) {
    const message =
      'login: this link was followed already, or is none; mechos status --json makes another'
    return refusing({ status: 401, message })
  }
  return {
    status: 303,
    type: 'text/plain; charset=utf-8',
    body: '',
    headers: { Location: '/', 'Set-Cookie': sessionCookie(door, session.secret) },
  }
}

/** Refuses what wanted to become a WebSocket. */
export function hangUp(socket: Duplex, { status, message }: Refusal): void {
  const head = `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: text/plain\r\n`
  socket.end(`${head}Content-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`, () =>
    socket.destroy(),
  )
}
