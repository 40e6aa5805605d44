import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../drivers/clock.ts'
import type { Role } from './protocol.ts'

/** Who may come in: by a link that works once, and from then on by the secret of a session. */
export interface Access {
  /** A token of 256 bits that lets one page in. The one that has been out longest is void when there are too many. */
  invite(role: Role): string
  /** Takes a token for good; with `watch` it gives no more than that. Undefined when it is not one, or not any more. */
  admit(token: string, wish: Role): Session | undefined
  /** What the session of that secret may do; undefined when there is none. */
  roleOf(secret: string): Role | undefined
}

/** A session that has begun; the secret is known to its page alone, and is not the token of the link. */
export interface Session {
  readonly secret: string
  readonly role: Role
}

/** The most links that nobody has followed yet, and the most sessions; the oldest is void first. */
export const linksMax = 64
export const sessionsMax = 64

/** For how long a session is believed, in ms: half a day. */
export const sessionMsMax = 12 * 3_600_000

/** Nobody may come in yet. Neither tokens nor secrets are kept here, only what tells whether one is true. */
export function createAccess(clock: Clock): Access {
  const links: Held[] = []
  const sessions: Held[] = []
  return {
    invite: (role) => hold(links, linksMax, { role, untilMs: Infinity }),
    admit(token, wish) {
      const link = find(links, token, clock.now())
      if (!link) return undefined
      links.splice(links.indexOf(link), 1)
      const role = wish === 'watch' ? 'watch' : link.role
      const untilMs = clock.now() + sessionMsMax
      return { secret: hold(sessions, sessionsMax, { role, untilMs }), role }
    },
    roleOf: (secret) => find(sessions, secret, clock.now())?.role,
  }
}

interface Held {
  readonly digest: Buffer
  readonly role: Role
  readonly untilMs: number
}

function hold(held: Held[], max: number, what: Pick<Held, 'role' | 'untilMs'>): string {
  const secret = randomBytes(32).toString('base64url')
  held.push({ digest: digestOf(secret), ...what })
  if (held.length > max) held.shift()
  return secret
}

/** Takes as long whichever it is, and whether it is there or not. */
function find(held: readonly Held[], secret: string, nowMs: number): Held | undefined {
  const digest = digestOf(secret)
  const [found] = held.filter((each) => timingSafeEqual(each.digest, digest))
  return found && nowMs < found.untilMs ? found : undefined
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
