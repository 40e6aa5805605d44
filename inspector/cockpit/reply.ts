import type { ServerResponse } from 'node:http'
import type { Door, Refusal } from './doorkeeper.ts'

/** What is sent back. */
export interface Reply {
  readonly status: number
  readonly type: string
  readonly body: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends a reply with everything that keeps other pages out of it. Never throws because its reader has gone. */
export function sendReply(response: ServerResponse, reply: Reply, door: Door): void {
  const { status, type, body, headers } = reply
  response.writeHead(status, {
    ...safety(door),
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

/** A refusal as a reply. What else comes on its connection is not waited for. */
export function refusing({ status, message }: Refusal): Reply {
  return {
    status,
    type: 'text/plain; charset=utf-8',
    body: `${message}\n`,
    headers: { Connection: 'close' },
  }
}

/** No page but the cockpit's own runs, shows, or reads any of it, and nothing of it is kept. */
function safety({ hosts, scheme }: Door): Readonly<Record<string, string>> {
  const sockets = hosts.map((host) => `${scheme === 'https' ? 'wss' : 'ws'}://${host}`)
  return {
    'Content-Security-Policy': [
      "default-src 'self'",
      `connect-src 'self' ${sockets.join(' ')}`,
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
  }
}
