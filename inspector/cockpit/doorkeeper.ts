import type { IncomingHttpHeaders } from 'node:http'

/** Why a request goes no further: an HTTP status, and a line for whoever sent it. */
export interface Refusal {
  readonly status: number
  readonly message: string
}

/** The only address that is listened on. */
export const loopback = '127.0.0.1'

/**
 * Why a request is not looked at any further, whoever sent it: a name for this computer that is not ours (a page of
 * another site had it resolve to here), or a page of another origin. Undefined for what may go on. The same holds for
 * requests and for what becomes a WebSocket.
 */
export function strangerIn(
  headers: Readonly<IncomingHttpHeaders>,
  port: number,
): Refusal | undefined {
  const { host, origin } = headers
  if (!hostsOf(port).includes(host ?? '')) {
    return { status: 421, message: `host: only ${hostsOf(port).join(' and ')} are served here` }
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    return { status: 403, message: 'origin: only the cockpit itself may ask' }
  }
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return {
      status: 403,
      message: 'origin: another page leads here; put the link into the address bar instead',
    }
  }
  return undefined
}

/** The names under which a browser may reach a port of this computer. */
export function hostsOf(port: number): readonly string[] {
  return [`${loopback}:${port}`, `localhost:${port}`]
}

/** True for a body that no form of another page can send. */
export function isJson(headers: Readonly<IncomingHttpHeaders>): boolean {
  return /^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')
}

/** The cookie that holds the secret of a session. Cookies know no ports, and several robots share a computer. */
export function cookieName(port: number): string {
  return `mechos-${port}`
}

/** The secret of a session that a request brings along. */
export function secretIn(headers: Readonly<IncomingHttpHeaders>, port: number): string | undefined {
  const prefix = `${cookieName(port)}=`
  return (headers.cookie ?? '')
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(prefix))
    ?.slice(prefix.length)
}
