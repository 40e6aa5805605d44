import { virtualClock } from '../../drivers/clock.ts'
import { frames } from '../../drivers/guardian/frames.ts'
import type { PinTable } from '../../drivers/guardian/pin-table.ts'
import { makeWarden } from '../../drivers/guardian/warden.ts'
import { pass } from '../drivers/guardian/counting-clock.ts'
import { fakePort } from '../drivers/guardian/fake-port.ts'
import { hex } from '../drivers/guardian/tables.ts'

/**
 * Plays, for `deadman-estop.ts`, the guardian's part when its robot is killed in mid-drive: the warden that holds the
 * port, a board that drops what is written and answers that its motor still runs. Prints what came of it as JSON.
 */
const table: PinTable = { pins: [{ kind: 'pwm', pin: 3, part: 'left', safe: 0 }] }
const banner = [0xf9, 2, 5, 0xf0, 0x79, 2, 5, 0x68, 0, 0x69, 0, 0xf7]
const clock = virtualClock()
const port = fakePort()
const warden = makeWarden({
  table,
  name: 'rover',
  clock,
  port,
  hear: () => undefined,
  say: () => undefined,
})
const timed: { readonly atMs: number; readonly bytes: string }[] = []
const { write } = port
port.write = function keep(bytes, done) {
  timed.push({ atMs: clock.now(), bytes: hex(bytes) })
  write.call(port, bytes, done)
}
port.onFrame(([status, command, pin = 0]) => {
  if (status !== 0xf0 || command !== 0x6d) return
  if (pin < 20) port.say(0xf0, 0x6e, pin, 3, 0x7f, 0xf7)
  else port.say(0xf0, 0x6e, pin, 0xf7)
})

port.say(...banner)
warden.arm(0, 0)
warden.beat()
warden.forward(frames.analog(3, 127))
await pass(clock, 40)
const wasDriving = timed.some(({ bytes }) => bytes === hex(frames.analog(3, 127)))
const killedMs = clock.now()
warden.trip('the robot process has ended')
await pass(clock, 900)

const after = timed.filter(({ atMs }) => atMs >= killedMs)
const msUntil = (frame: Uint8Array) => {
  const found = after.find(({ bytes }) => bytes.includes(hex(frame)))
  return found ? found.atMs - killedMs : null
}
const scene = {
  wasDriving,
  zeroMs: msUntil(frames.analog(3, 0)),
  resetMs: msUntil(frames.reset()),
  lineResets: port.resets,
  evidence: warden.evidence,
}
process.stdout.write(`${JSON.stringify(scene)}\n`)
process.exit()
