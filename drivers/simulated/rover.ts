import type { RobotConfiguration } from '../../core/vocabulary/configuration.ts'

/** The rover that runs when no configuration is given: two wheels, a lidar, and nothing that exists outside this computer. */
export const demoRover: RobotConfiguration = {
  name: 'rover',
  body: {
    kind: 'simulated',
    wheels: { radiusMetres: 0.033, trackMetres: 0.16, fullSpeed: 20 },
    lidar: { beams: 360, reachMetres: 6 },
    ranges: [
      { name: 'front', model: 'GP2Y0A21', x: 0.1 },
      { name: 'front-left', model: 'GP2Y0A21', facing: 0.5, x: 0.08, y: 0.05 },
      { name: 'front-right', model: 'GP2Y0A21', facing: -0.5, x: 0.08, y: -0.05 },
    ],
    bumpers: [{ name: 'bumper' }],
    relays: [{ name: 'lamp', halt: 'low' }],
    cameras: [{ name: 'camera' }],
  },
  limits: { linear: 0.4, angular: 1.5 },
  grants: ['drive', 'relay:lamp'],
}
