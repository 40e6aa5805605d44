import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { explainIssues } from '../core/vocabulary/explain.ts'
import { messageOf } from '../core/vocabulary/errors.ts'
import {
  lineBytesMax,
  machineMs,
  refusalOf,
  type Request,
  requestSchema,
  type Response,
} from './control-words.ts'

/** The most connections at a time, and how long one may stay silent. */
const connectionsMax = 16
const silenceMs = 5_000

/**
 * Listens on a Unix socket and answers each line with a line. Whatever is not a request is answered with what is wrong
 * with it and changes nothing, and so is an order that comes late, or is not meant for `robot`. Resolves once it listens.
 */
export function serveControl(
  path: string,
  robot: string,
  answer: (request: Request) => Promise<Response>,
): Promise<Server> {
  const answerFresh = async (request: Request): Promise<Response> => {
    const message = refusalOf(request, robot, machineMs())
    return message === undefined ? answer(request) : { ok: false, message }
  }
  rmSync(path, { force: true })
  const present = new Set<Socket>()
  const server = createServer((socket) => {
    // Whoever comes last may want to halt: the one that has been here longest makes room.
    const [longest] = present
    if (longest && present.size >= connectionsMax) longest.destroy()
    present.add(socket)
    socket.on('close', () => present.delete(socket))
    converse(socket, answerFresh)
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      chmodSync(path, 0o600)
      resolve(server)
    })
  })
}

function converse(socket: Socket, answer: (request: Request) => Promise<Response>): void {
  let pending = ''
  const reply = (response: Response) => {
    // Who does not read its answers is not kept: they would pile up here.
    if (socket.writableLength > lineBytesMax) socket.destroy()
    else if (socket.writable) socket.write(`${JSON.stringify(response)}\n`)
  }
  socket.setEncoding('utf8')
  socket.setTimeout(silenceMs, () => socket.destroy())
  // A client that went away takes its answer with it.
  socket.on('error', () => socket.destroy())
  socket.on('data', (text: string) => {
    pending += text
    if (pending.length > lineBytesMax) {
      socket.removeAllListeners('data')
      reply({ ok: false, message: `a line of more than ${lineBytesMax} bytes is not allowed` })
      socket.end(() => socket.destroy())
      return
    }
    const lines = pending.split('\n')
    pending = lines.pop() ?? ''
    for (const line of lines) {
      respond(line, answer).then(reply, (error: unknown) =>
        reply({ ok: false, message: messageOf(error) }),
      )
    }
  })
}

async function respond(
  line: string,
  answer: (request: Request) => Promise<Response>,
): Promise<Response> {
  const value: unknown = JSON.parse(line)
  const parsed = requestSchema.safeParse(value)
  if (!parsed.success) return { ok: false, message: explainIssues(parsed.error.issues, value) }
  return answer(parsed.data)
}
