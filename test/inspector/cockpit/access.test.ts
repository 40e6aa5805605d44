import { expect, test } from 'vitest'
import { virtualClock } from '../../../drivers/clock.ts'
import {
  createAccess,
  linksMax,
  sessionMsMax,
  sessionsMax,
} from '../../../inspector/cockpit/access.ts'

test('a link lets one browser in, with a secret that is not its token', () => {
  const access = createAccess(virtualClock())
  const token = access.invite('drive')
  const session = access.admit(token, 'drive')
  expect(token).toMatch(/^[\w-]{43}$/)
  expect(session?.secret).toMatch(/^[\w-]{43}$/)
  expect(session?.secret).not.toBe(token)
  expect([session?.role, access.roleOf(session?.secret ?? '')]).toEqual(['drive', 'drive'])
  expect([access.admit(token, 'drive'), access.roleOf(token)]).toEqual([undefined, undefined])
})

test('nobody gets more than the link gives, and whoever asks for less gets less', () => {
  const access = createAccess(virtualClock())
  expect(access.admit(access.invite('watch'), 'drive')?.role).toBe('watch')
  expect(access.admit(access.invite('drive'), 'watch')?.role).toBe('watch')
})

test('a session is over after half a day', async () => {
  const clock = virtualClock()
  const access = createAccess(clock)
  const secret = access.admit(access.invite('drive'), 'drive')?.secret ?? ''
  await clock.advance(sessionMsMax - 1)
  expect(access.roleOf(secret)).toBe('drive')
  await clock.advance(1)
  expect(access.roleOf(secret)).toBe(undefined)
})

test('links and sessions are few: of too many the oldest is void', () => {
  const access = createAccess(virtualClock())
  const tokens = Array.from({ length: linksMax + 1 }, () => access.invite('drive'))
  const sessions = tokens.map((token) => access.admit(token, 'drive')?.secret)
  expect(sessions.map((secret) => secret !== undefined)).toEqual(
    tokens.map((_, index) => index > 0),
  )
  const secrets = [
    ...sessions,
    ...Array.from(
      { length: sessionsMax - linksMax + 1 },
      () => access.admit(access.invite('drive'), 'drive')?.secret,
    ),
  ].filter((secret) => secret !== undefined)
  expect(secrets.length).toBe(sessionsMax + 1)
  expect(secrets.map((secret) => access.roleOf(secret))).toEqual(
    secrets.map((_, index) => (index > 0 ? 'drive' : undefined)),
  )
})
