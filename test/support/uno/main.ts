// A board in a process of its own, so that it neither takes time from a test nor waits for one:
//   node --import tsx test/support/uno/main.ts [hex]
// It speaks the words of wire.ts on stdin and stdout, and ends with its stdin.
import { createInterface } from 'node:readline'
import { readyMadeHex } from './firmware.ts'
import { type Uno, startUno } from './uno.ts'
import { type Message, type Request, requestSchema } from './wire.ts'

const [path = readyMadeHex().path] = process.argv.slice(2)
const uno = await startUno({ firmware: { path } })
say({ path: uno.path })
uno.onDuty((duty) => say({ duty }))

for await (const line of createInterface({ input: process.stdin })) {
  const request = requestSchema.parse(JSON.parse(line))
  say(reply(uno, request))
}
await uno.close()

function reply(board: Uno, request: Request): Message {
  try {
    const value = perform(board, request)
    return { id: request.id, ...(value !== undefined && { value }) }
  } catch (error) {
    return { id: request.id, error: String(error) }
  }
}

function perform(board: Uno, request: Request): number | boolean | undefined | void {
  switch (request.call) {
    case 'dutyOf':
    case 'levelOf':
    case 'isOutput':
    case 'servoPulseUs':
      return board[request.call](request.pin)
    case 'setAnalog':
      return board.setAnalog(request.channel, request.volts)
    case 'setInput':
      return board.setInput(request.pin, request.level)
    case 'garble':
      return board.garble(request.bytes)
    case 'reset':
    case 'chipMs':
    case 'slipMs':
    case 'hang':
    case 'resume':
    case 'unplug':
      return board[request.call]()
  }
}

function say(message: Message) {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
