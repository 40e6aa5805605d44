/** For users' own tests: the simulated body, and a brain that says what it was told to. */
export { simulatedBody, type SimulatedBody, type Simulation } from './drivers/simulated/body.ts'
export { parseConfiguration } from './core/vocabulary/configuration.ts'
export { makeRoom, type Room } from './drivers/simulated/room.ts'
export { demoRover } from './drivers/simulated/rover.ts'
export { virtualClock, type VirtualClock } from './drivers/clock.ts'
export { scriptedBrain } from './actors/scripted.ts'
