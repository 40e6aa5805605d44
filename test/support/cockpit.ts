import { type IncomingHttpHeaders, request as ask } from 'node:http'
import { connect, type Socket } from 'node:net'
import { vi } from 'vitest'
import { WebSocket } from 'ws'
import type { PageFiles } from '../../inspector/cockpit/files.ts'
import type { PageWord, Role, RobotWord } from '../../inspector/cockpit/protocol.ts'
import {
  type Cockpit,
  type CockpitLimits,
  type CockpitParts,
  serveCockpit,
} from '../../inspector/cockpit/server.ts'
import type { Bench } from './hand-made-body.ts'

/** What a request was answered with. */
export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** How a request is made; everything has a default. */
export interface Asked {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A page that is connected, and all that it was told. */
export interface PageClient {
  readonly socket: WebSocket
  readonly heard: readonly RobotWord[]
  say(word: PageWord): void
  /** Resolves to the last word of that type, as soon as that one passes. */
  hears<T extends RobotWord['type']>(
    type: T,
    passes?: (word: Extract<RobotWord, { type: T }>) => boolean,
  ): Promise<Extract<RobotWord, { type: T }>>
  close(): Promise<void>
}

/** The cockpit of a robot, and clients of all sorts. */
export interface CockpitBench extends Bench {
  readonly cockpit: Cockpit
  readonly failures: readonly string[]
  ask(asked?: Asked): Promise<Answered>
  /** Logs in and answers with the cookie. */
  logIn(role?: Role): Promise<string>
  /** Opens `/live`. Rejects with the HTTP status where it is refused. */
  open(headers: Readonly<Record<string, string>>, path?: string): Promise<PageClient>
  /** Logs in and opens `/live`. */
  join(role?: Role): Promise<PageClient>
  raw(): Socket
  /** Lets so many ms pass on the clock of robot and cockpit, and waits until `passes`. */
  within(ms: number, passes: () => boolean): Promise<void>
  leave(): Promise<void>
}

const noFiles: PageFiles = new Map([['/', { type: 'text/html', body: Buffer.from('the page') }]])

/** Serves the cockpit of a bench at a port of its own, on the clock of the robot. */
export async function cockpitOf(
  bench: Bench,
  given: Partial<CockpitParts> & { readonly limits?: Partial<CockpitLimits> } = {},
): Promise<CockpitBench> {
  const failures: string[] = []
  const clients = new Set<{ destroy(): void }>()
  const cockpit = await serveCockpit(0, {
    robot: bench.robot,
    clock: bench.clock,
    files: noFiles,
    drawings: [],
    watch: () => () => {},
    failed: (cause) => failures.push(cause),
    lost: (cause) => failures.push(cause),
    ...given,
  })
  const { port } = cockpit
  const self: CockpitBench = {
    ...bench,
    cockpit,
    failures,
    ask: ({ method = 'GET', path = '/', headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const sent = ask({ host: '127.0.0.1', port, method, path, headers, agent: false })
        sent.on('error', reject)
        sent.on('response', (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            text += chunk
          })
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
          )
        })
        sent.end(body)
      }),
    async logIn(role = 'drive') {
      const { headers } = await self.ask({ path: pathOf(cockpit.link(role)) })
      return (headers['set-cookie']?.[0] ?? '').split(';')[0] ?? ''
    },
    open(headers, path = '/live') {
      const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
      clients.add({ destroy: () => socket.terminate() })
      return pageOf(socket)
    },
    join: async (role = 'drive') => self.open({ cookie: await self.logIn(role) }),
    raw() {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => socket.destroy())
      clients.add(socket)
      return socket
    },
    async within(ms, passes) {
      await bench.clock.advance(ms)
      await vi.waitFor(
        () => {
          if (!passes()) throw new Error('it did not come to that')
        },
        { interval: 1, timeout: 5_000 },
      )
    },
    async leave() {
      for (const client of clients) client.destroy()
      await cockpit.close()
      await bench.robot.stop()
    },
  }
  return self
}

/** What comes after the host in a link. */
export function pathOf(link: string): string {
  const { pathname, search } = new URL(link)
  return `${pathname}${search}`
}

function pageOf(socket: WebSocket): Promise<PageClient> {
  const heard: RobotWord[] = []
  const listeners = new Set<() => void>()
  socket.on('message', (data: Buffer) => {
    // oxlint-disable-next-line no-unsafe-type-assertion -- what the cockpit says is what is tested
    heard.push(JSON.parse(data.toString('utf8')) as RobotWord)
    for (const listener of listeners) listener()
  })
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => resolve())
  })
  const page: PageClient = {
    socket,
    heard,
    say: (word) => socket.send(JSON.stringify(word)),
    hears: (type, passes = () => true) =>
      new Promise((resolve) => {
        const look = () => {
          const word = heard.findLast((each) => each.type === type)
          if (!word || !isOf(word, type) || !passes(word)) return
          listeners.delete(look)
          resolve(word)
        }
        listeners.add(look)
        look()
      }),
    close() {
      socket.close()
      return closed
    },
  }
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve(page))
    socket.on('unexpected-response', (_, response) => {
      socket.terminate()
      reject(new Error(String(response.statusCode)))
    })
    socket.on('error', reject)
  })
}

function isOf<T extends RobotWord['type']>(
  word: RobotWord,
  type: T,
): word is Extract<RobotWord, { type: T }> {
  return word.type === type
}
