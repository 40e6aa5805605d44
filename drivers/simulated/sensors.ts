import { type BodyConfiguration, contactsOf } from '../../core/vocabulary/parts.ts'
import { randomStream } from '../random.ts'
import { makeBumper } from './bumper.ts'
import { makeContact } from './contact-sensor.ts'
import { makeEncoders } from './encoders.ts'
import { makeImu } from './imu.ts'
import { makeLidar } from './lidar.ts'
import { makeRangeFinder } from './range-finder.ts'
import type { Sensor } from './sensor.ts'
import type { Surroundings } from './surroundings.ts'

/**
 * The sensors that a body declares, in the order in which they speak. Lidar, IMU, encoders and battery belong to
 * simulated bodies only: a board that lacks them is not given them. Each has its own stream of noise.
 */
export function makeSensors(body: BodyConfiguration, around: Surroundings): readonly Sensor[] {
  const noise = (name: string) => randomStream(around.seed, name)
  const sensors: Sensor[] = []
  if (body.kind === 'simulated') {
    if (body.wheels) sensors.push(makeEncoders(around, noise('encoders')))
    if (body.imu) sensors.push(makeImu(around, noise('imu')))
  }
  for (const bumper of body.bumpers) sensors.push(makeBumper(bumper, around))
  for (const { name } of contactsOf(body)) sensors.push(makeContact(name, around))
  for (const range of body.ranges) {
    sensors.push(makeRangeFinder(range, around, noise(`range:${range.name}`)))
  }
  if (body.kind === 'simulated') {
    if (body.lidar) sensors.push(makeLidar(body.lidar, around, noise('lidar')))
    sensors.push(around.battery)
  }
  return sensors
}
