import { createRobot, defineRobot, virtualClock } from 'mechos'

const clock = virtualClock()
const rover = defineRobot({
  name: 'rover',
  body: { kind: 'simulated', wheels: { radiusMetres: 0.033, trackMetres: 0.16 }, lidar: {} },
  limits: { linear: 0.4, angular: 1.5 },
})
const robot = createRobot(rover, { clock, seed: 7 })
robot.onState((state) => console.log(state))
await robot.start()
await clock.advance(20_000)
console.log(await robot.stop())
