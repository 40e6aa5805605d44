import { connect } from 'node:net'
import { MechosError } from '../core/vocabulary/errors.ts'
import { lineBytesMax, type Request, type Response, responseSchema } from './control-words.ts'

/** Asks a running robot one thing. Rejects with ERR_ROBOT_SILENT when no answer comes within `limitMs`. */
export function askRobot(path: string, request: Request, limitMs: number): Promise<Response> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    let text = ''
    const fail = (why: string) => {
      socket.destroy()
      reject(new MechosError('ERR_ROBOT_SILENT', `the robot did not answer: ${why}`))
    }
    socket.setEncoding('utf8')
    socket.setTimeout(limitMs, () => fail(`nothing came within ${limitMs} ms`))
    socket.on('error', (error) => fail(error.message))
    socket.on('close', () => fail('it hung up'))
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`))
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.length > lineBytesMax) return fail('its answer is too long')
      const end = text.indexOf('\n')
      if (end < 0) return
      const parsed = responseSchema.safeParse(parseJson(text.slice(0, end)))
      if (!parsed.success) return fail('its answer makes no sense')
      resolve(parsed.data)
      socket.destroy()
    })
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Undefined is no response either: the caller says so.
    return undefined
  }
}
