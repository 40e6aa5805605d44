import { signal } from '@preact/signals'
import type { PageWord, RobotWord } from '../protocol.ts'
import { driver, isHalted, take, tell, touch } from './known.ts'
import { after, every, nowMs } from './time.ts'

/** What has become of the last HALT: none was asked for, it was said, it was obeyed, or nobody has heard it. */
export const halting = signal<'idle' | 'said' | 'heard' | 'unheard'>('idle')

/** How long the robot may say nothing before it counts as out of touch, and before the line is dropped, in ms. */
const silentMs = 1_500
const deafMs = 4_000
/** How long is waited before the next attempt at a line: twice as long each time. */
const waitMs = { min: 250, max: 5_000 }
/** How long a HALT may go unconfirmed before it is said in another way, and before it counts as unheard. */
const confirmMs = { again: 400, unheard: 1_500 }

let socket: WebSocket | undefined
let heardMs = 0
let waitNextMs = waitMs.min

/** Keeps a line to the robot open for as long as the page lives. */
export function connect(): void {
  const line = new WebSocket(
    `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/live`,
  )
  socket = line
  heardMs = nowMs()
  line.addEventListener('message', ({ data }: MessageEvent<string>) => {
    heardMs = nowMs()
    waitNextMs = waitMs.min
    touch.value = 'live'
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the robot that serves this page says it
    take(JSON.parse(data) as RobotWord)
    if (halting.value !== 'idle' && isHalted.value) halting.value = 'heard'
    else if (halting.value === 'heard') halting.value = 'idle'
  })
  line.addEventListener('close', () => {
    if (socket !== line) return
    socket = undefined
    driver.value = 'nobody'
    touch.value = touch.value === 'locked' ? 'locked' : 'lost'
    after(waitNextMs, connect)
    waitNextMs = Math.min(waitNextMs * 2, waitMs.max)
    void lookAtDoor()
  })
}

/** Sees to it that silence is noticed. */
export function watchTouch(): void {
  every(250, () => {
    const silence = nowMs() - heardMs
    if (!socket || socket.readyState !== WebSocket.OPEN || !(silence > silentMs)) return
    touch.value = 'silent'
    driver.value = 'nobody'
    if (silence > deafMs) socket.close()
  })
}

/** Says a word, if anybody can hear it. A halt has a way of its own. */
export function say(word: Exclude<PageWord, { type: 'halt' }>): boolean {
  if (socket?.readyState !== WebSocket.OPEN) {
    if (word.type !== 'drive' && word.type !== 'enable' && word.type !== 'past')
      tell('refused', `${word.type}: the robot is out of touch`)
    return false
  }
  socket.send(JSON.stringify(word))
  return true
}

/** Halts: by the line, and where that is not open or nothing comes of it, by a request of its own. */
export function halt(): void {
  halting.value = 'said'
  if (socket?.readyState === WebSocket.OPEN && touch.value === 'live') {
    socket.send(JSON.stringify({ type: 'halt' } satisfies PageWord))
    after(confirmMs.again, () => {
      if (halting.value === 'said' && !isHalted.value) void postHalt()
    })
  } else void postHalt()
  after(confirmMs.unheard, () => {
    if (halting.value !== 'said') return
    // What was heard of it before counts for nothing.
    halting.value = touch.value === 'live' && isHalted.value ? 'heard' : 'unheard'
  })
}

async function postHalt(): Promise<void> {
  try {
    const reply = await fetch('/halt', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    })
    if (reply.ok) halting.value = 'heard'
  } catch {
    // The limit on confirmation says so.
  }
}

/** A robot that was started again does not know this page any more: then only its new link helps. */
async function lookAtDoor(): Promise<void> {
  try {
    const { status } = await fetch('/icon.svg', { cache: 'no-store' })
    if (touch.value === 'live') return
    touch.value = status === 401 ? 'locked' : 'lost'
  } catch {
    touch.value = 'lost'
  }
}
