import type { IncomingHttpHeaders } from 'node:http'

/** Why a request goes no further: an HTTP status, and a line for whoever sent it. */
export interface Refusal {
  readonly status: number
  readonly message: string
}

/** Where a server is listened on unless a person says otherwise. */
export const loopback = '127.0.0.1'

/** Where a server is reached, and by no other name. */
export interface Door {
  readonly scheme: 'http' | 'https'
  readonly port: number
  /** What a browser may call it, as a `Host` has it. The first is the one in links. */
  readonly hosts: readonly string[]
}

/** The door at a port of this computer; encrypted, and by other names, only where these are given. */
export function doorAt(
  port: number,
  names: readonly string[] = [loopback, 'localhost'],
  scheme: Door['scheme'] = 'http',
): Door {
  const isUsual = port === { http: 80, https: 443 }[scheme]
  return { scheme, port, hosts: names.map((name) => (isUsual ? name : `${name}:${port}`)) }
}

/**
 * Why a request is not looked at any further, whoever sent it: a name for this computer that is not ours (a page of
 * another site had it resolve to here), or a page of another origin. Undefined for what may go on. The same holds for
 * requests and for what becomes a WebSocket.
 */
export function strangerIn(
  headers: Readonly<IncomingHttpHeaders>,
  { hosts, scheme }: Door,
): Refusal | undefined {
  const { host, origin } = headers
  if (!hosts.includes(host ?? '')) {
    return { status: 421, message: `host: only ${hosts.join(' and ')} are served here` }
  }
  if (origin !== undefined && origin !== `${scheme}://${host}`) {
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

/** True for a body that no form of another page can send. */
export function isJson(headers: Readonly<IncomingHttpHeaders>): boolean {
  return /^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')
}

/**
 * The cookie that holds the secret of a session, for this page alone. Cookies know no ports, and several robots share a
 * computer; an encrypted one is of this very host, and never goes out in the clear.
 */
export function sessionCookie(door: Door, secret: string): string {
  const cookie = `${cookieName(door)}=${secret}; Path=/; HttpOnly; SameSite=Strict`
  return door.scheme === 'https' ? `${cookie}; Secure` : cookie
}

/** The secret of a session that a request brings along. */
export function secretIn(headers: Readonly<IncomingHttpHeaders>, door: Door): string | undefined {
  const prefix = `${cookieName(door)}=`
  return (headers.cookie ?? '')
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(prefix))
    ?.slice(prefix.length)
}

function cookieName({ port, scheme }: Door): string {
  return scheme === 'https' ? `__Host-mechos-${port}` : `mechos-${port}`
}
