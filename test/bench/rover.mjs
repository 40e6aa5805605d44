// The robot that a bench measures: the shipped build, driven by hand at 50 Hz, told what to do by lines of JSON on its
// standard input (rover.ts has the words). It is plain JavaScript because one is started for every sample that kills
// it, and a loader for TypeScript would take longer than all the rest. Whatever fails in it ends it.
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseConfiguration } from '../../dist/core/vocabulary/configuration.js'
import { firmataBody } from '../../dist/drivers/johnny-five/body.js'
import { createRobot, wallClock } from '../../dist/index.js'

const steerMs = 20
/** A stick counts only from when it was seen there. */
const rest = { linear: 0, angular: 0 }
/** The most that is permitted where no sensor sees the whole way ahead. */
const twist = { linear: 0.1, angular: 0 }
const tellMsMax = 600
const steeredMax = 100
const floodPerMs = 6
/** What is overdue is made up for without keeping the loop from the robot. */
const pourMax = 50
const floodSpeeds = [6, 7, 8, 9]

const clock = wallClock()
let body
let robot
let haltBefore
let steering
let flooding
let flooded = { sinceMs: 0, accepted: 0, refused: 0 }

// firmataBody loads these when a body opens: what is ready for them is ready for a sample.
await Promise.all(['johnny-five', 'firmata-io', 'serialport'].map((name) => import(name)))
say({ said: 'loaded' })

const words = createInterface({ input: process.stdin })
words.on('close', () => void leave())
words.on('line', (line) => void obey(JSON.parse(line)))

async function obey(word) {
  switch (word.do) {
    case 'open':
      return open(word)
    case 'drive':
      return drive()
    case 'flood':
      return flood()
    case 'halt':
      return halt()
    case 'stall':
      return stall(word.ms)
    case 'tell':
      return tell()
    case 'close':
      return close()
    default:
      throw new TypeError(`no such word: ${JSON.stringify(word)}`)
  }
}

async function open({ configuration, port, note }) {
  body = firmataBody(parseConfiguration(configuration), { port, clock, note })
  robot = createRobot(configuration, { body, clock, run: 'bench' })
  await robot.start()
  say({ said: 'open', deadman: robot.snapshot().deadman })
}

/**
 * Arms, takes over, and steers until the robot halts. Says so once both wheels are told to turn: a robot does not move
 * before it has heard of its sensors.
 */
function drive() {
  clearInterval(steering)
  const { state } = robot.snapshot()
  if (state === 'halted') carryOut({ type: 'robot.reset' })
  carryOut({ type: 'robot.arm', epoch: robot.snapshot().epoch })
  carryOut({ type: 'robot.takeOver' })
  haltBefore = robot.snapshot().halt
  robot.drive(rest)
  let isDriving = false
  let steered = 0
  const steer = () => {
    const { state: now, causes } = robot.snapshot()
    if (now !== 'active.manual') {
      clearInterval(steering)
      if (!isDriving)
        throw new Error(`the robot is ${now} and does not drive: ${causes.join('; ')}`)
      return
    }
    const verdict = robot.drive(twist)
    if (!verdict.permitted) {
      // Whoever waits in vain learns this from it.
      process.stderr.write(`Error: ${verdict.message}\n`)
      robot.drive(rest)
      return
    }
    const wheels = body.outputs().filter(({ name }) => name === 'left' || name === 'right')
    if (isDriving) return
    if (!wheels.every(({ output }) => output !== 0)) {
      if (++steered > steeredMax) throw new Error(`the wheels are told ${JSON.stringify(wheels)}`)
      return
    }
    isDriving = true
    say({ said: 'driving' })
  }
  steering = setInterval(steer, steerMs)
}

function carryOut(command) {
  const answer = robot.send(command)
  if (!answer.ok) throw new Error(answer.message)
}

/** 5 000 motor commands a second, no two alike, whether or not the body takes them, until the robot closes or halts. */
function flood() {
  flooded = { sinceMs: monotonicMs(), accepted: 0, refused: 0 }
  const pour = () => {
    const due = Math.floor((monotonicMs() - flooded.sinceMs) * floodPerMs)
    const count = Math.min(due - flooded.accepted - flooded.refused, pourMax)
    for (let poured = 0; poured < count; poured++) pourOne()
  }
  flooding = setInterval(pour, 1)
}

function pourOne() {
  const count = flooded.accepted + flooded.refused
  const speed = floodSpeeds[count % floodSpeeds.length]
  try {
    body.write({ kind: 'wheels', left: speed, right: speed })
    flooded.accepted++
  } catch (error) {
    if (error.code !== 'ERR_GATE_SHUT') throw error
    flooded.refused++
  }
}

async function halt() {
  const atMs = monotonicMs()
  const before = { ...flooded }
  const { evidence, ms } = await robot.halt('asked to halt')
  clearInterval(flooding)
  const perSecond = flooding ? before.accepted / ((atMs - before.sinceMs) / 1000) : 0
  flooding = undefined
  say({ said: 'halted', atMs, evidence, ms, perSecond, refused: flooded.refused })
}

/** Blocks the event loop. What has to be said is said before. */
function stall(ms) {
  const atMs = monotonicMs()
  say({ said: 'stalls', atMs })
  while (monotonicMs() - atMs < ms);
  say({ said: 'stalled' })
}

/** What the robot says of the halt that it has noticed since it began to drive, once it is confirmed or that took too long. */
function tell(sinceMs = monotonicMs()) {
  const { halt: found, state } = robot.snapshot()
  const isNews = found !== null && found !== haltBefore && state === 'halted'
  const isConfirmed = isNews && (found.evidence === 'echoed' || found.evidence === 'measured')
  if (!isConfirmed && monotonicMs() - sinceMs < tellMsMax) return setTimeout(tell, 2, sinceMs)
  say({
    said: 'told',
    evidence: isNews ? found.evidence : 'none',
    ms: isNews ? found.ms : tellMsMax,
  })
}

async function close() {
  clearInterval(steering)
  await robot.stop()
  say({ said: 'closed' })
}

async function leave() {
  clearInterval(steering)
  await robot?.stop()
  process.exit()
}

/** Straight to the pipe, since what follows may be a stall. */
function say(message) {
  writeSync(1, `${JSON.stringify(message)}\n`)
}

function monotonicMs() {
  return Number(process.hrtime.bigint()) / 1e6
}
