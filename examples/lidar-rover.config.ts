import { defineRobot } from 'mechos'

/** A rover that exists in simulation only: a lidar all around, a range finder and a bumper ahead, and a lamp. */
export default defineRobot({
  name: 'lidar-rover',
  body: {
    kind: 'simulated',
    wheels: { radiusMetres: 0.033, trackMetres: 0.16 },
    lidar: { beams: 180, reachMetres: 4 },
    ranges: [{ name: 'front', x: 0.1 }],
    bumpers: [{ name: 'bumper' }],
    relays: [{ name: 'lamp', halt: 'low' }],
  },
  limits: { linear: 0.3, angular: 1.2 },
  // A model may also switch the lamp; without this it may only drive.
  grants: ['drive', 'relay:lamp'],
})
