import {
  type ActuatorOutput,
  type Body,
  createRobot,
  defineRobot,
  MechosError,
  type Pose,
  virtualClock,
} from 'mechos'

/** The build of this robot, in metres. */
const radiusMetres = 0.033
const trackMetres = 0.16
/** What a wheel does at full effort, in rad/s. */
const fullSpeed = 20

/** A body with a place of its own, for whoever wants to know how far it came. */
interface DrawnBody extends Body {
  readonly pose: Pose
}

/**
 * Two wheels on an endless plane that do at once what they are told. `simulated` says that nothing outside of this
 * computer moves, so the robot arms itself; a body with motors is `custom`, and a person arms it.
 */
function drawnBody(): DrawnBody {
  let isArmed = false
  let pose: Pose = { x: 0, y: 0, heading: 0 }
  let wheels = { left: 0, right: 0 }
  let distanceMetres = 0

  const halt = () => {
    isArmed = false
    wheels = { left: 0, right: 0 }
  }
  const output = (name: 'left' | 'right'): ActuatorOutput => ({
    name,
    output: wheels[name] / fullSpeed,
    safe: wheels[name] === 0,
  })

  return {
    kind: 'simulated',
    get pose() {
      return pose
    },
    open: async () => ({ firmware: 'a drawing', deadman: false }),
    arm() {
      halt()
      isArmed = true
    },
    write(command) {
      if (!isArmed) throw new MechosError('ERR_GATE_SHUT', 'the body is not armed')
      if (command.kind !== 'wheels' || !Number.isFinite(command.left + command.right)) {
        throw new MechosError('ERR_COMMAND_REFUSED', 'only wheels are here, and only finite speeds')
      }
      wheels = { left: command.left, right: command.right }
    },
    halt,
    confirm: async () => (wheels.left === 0 && wheels.right === 0 ? 'measured' : 'none'),
    outputs: () => [output('left'), output('right')],
    onReading: () => () => undefined,
    step(milliseconds) {
      const seconds = milliseconds / 1000
      const metres = ((wheels.left + wheels.right) / 2) * radiusMetres * seconds
      const turned = ((wheels.right - wheels.left) * radiusMetres * seconds) / trackMetres
      const heading = pose.heading + turned / 2
      pose = {
        x: pose.x + metres * Math.cos(heading),
        y: pose.y + metres * Math.sin(heading),
        heading: pose.heading + turned,
      }
      distanceMetres += Math.abs(metres)
    },
    truth: () => ({ pose, distanceMetres, collisions: 0 }),
    close: async () => halt(),
  }
}

/** Drives for 25 s of its own time, which is less than one of ours, and says where it ended. */
async function drive(seed: number): Promise<void> {
  const clock = virtualClock()
  const body = drawnBody()
  const robot = createRobot(
    defineRobot({
      name: 'drawn',
      body: { kind: 'simulated', wheels: { radiusMetres, trackMetres, fullSpeed } },
      // In wide curves: whoever sees nothing has no reason to turn on the spot.
      limits: { linear: 0.3, angular: 0.1 },
      // No sensor covers the way ahead. Allowed to, it creeps into the unknown at 0.10 m/s.
      blindCreep: true,
    }),
    { body, clock, seed },
  )
  await robot.start()
  await clock.advance(25_000)
  const { state, distanceM } = await robot.stop()
  const { x, y } = body.pose
  const line = { seed, state, distanceM, x, y, displacementM: Math.sqrt(x * x + y * y) }
  console.log(JSON.stringify(line))
}

await drive(7)
await drive(8)
