import { createRobot, defineRobot, type Log, virtualClock } from 'mechos'
import { scriptedBrain } from 'mechos/testing'

const rover = defineRobot({
  name: 'rover',
  body: {
    kind: 'simulated',
    wheels: { radiusMetres: 0.033, trackMetres: 0.16 },
    lidar: {},
    relays: [{ name: 'lamp', halt: 'low' }],
  },
  limits: { linear: 0.4, angular: 1.5 },
  // The agent may drive. The lamp was not granted, so it stays as it is whatever the brain wants.
  grants: ['drive'],
})

/** Proposes these in turn, and then waits: what a model might say, without a model. */
const brain = scriptedBrain([
  // Until every sensor has spoken, which takes a tick, nothing may move.
  { type: 'wait', durationMs: 100 },
  { type: 'drive', linear: 0.2, angular: 0, durationMs: 2000 },
  { type: 'drive', linear: 9, angular: 0, durationMs: 2000 },
  { type: 'setRelay', relay: 'lamp', on: true },
  { type: 'drive', linear: 0, angular: 0.5, durationMs: 1000 },
])

const print = (_: object, message: string) => console.log(message)
const log: Log = { info: print, warn: print, error: print }
const clock = virtualClock()
const robot = createRobot(rover, { brain, clock, log })

await robot.start()
await clock.advance(6_000)
const { pose } = robot.snapshot()
const { intents, actuators } = await robot.stop()
console.log(JSON.stringify({ x: pose?.x, heading: pose?.heading, intents, actuators }))
