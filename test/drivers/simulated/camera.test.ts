import { expect, test } from 'vitest'
import type { ImageReading } from '../../../core/vocabulary/reading.ts'
import { isSound } from '../../../core/vocabulary/reading.ts'
import { virtualClock } from '../../../drivers/clock.ts'
import { simulatedBody } from '../../../drivers/simulated/body.ts'
import { simulatedCamera } from '../../../drivers/simulated/camera.ts'
import type { Room } from '../../../drivers/simulated/room.ts'
import { emptyRoom, robotWith, wallAt } from './rig.ts'

const wallColour = [214, 160, 106]

async function filming(room: Room) {
  const clock = virtualClock()
  const body = simulatedBody(robotWith(), { clock, seed: 1, room })
  const camera = simulatedCamera({ name: 'eye', body, clock })
  const frames: ImageReading[] = []
  camera.onFrame((frame) => frames.push(frame))
  await camera.open()
  const wait = async (milliseconds: number) => {
    for (let passed = 0; passed < milliseconds; passed += 20) {
      await clock.advance(20)
      body.step(20)
    }
  }
  return { camera, frames, wait, body }
}

function pixel(frame: ImageReading | undefined, column: number, row: number): number[] {
  const at = (row * 64 + column) * 3
  return [...(frame?.data.subarray(at, at + 3) ?? [])]
}

function isWall([red = 0, , blue = 0]: number[]): boolean {
  return red > blue
}

/** The first picture of a wall that is so far away. */
async function look(metres: number): Promise<ImageReading | undefined> {
  const { frames, wait } = await filming(wallAt(metres))
  await wait(20)
  return frames[0]
}

/** How many rows of the middle column are wall, and how bright it is. */
function wallIn(frame: ImageReading | undefined): { rows: number; light: number } {
  const column = Array.from({ length: 48 }, (_, row) => pixel(frame, 32, row))
  const wall = column.filter(isWall)
  return { rows: wall.length, light: (wall[0]?.[0] ?? 0) / (wallColour[0] ?? NaN) }
}

test('a camera takes five pictures a second, stamped and of the size it says', async () => {
  const { frames, wait } = await filming(wallAt(2))
  await wait(2000)
  expect(frames.map((frame) => frame.stampMs)).toEqual([
    20, 200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000,
  ])
  for (const frame of frames) {
    expect(frame).toMatchObject({ kind: 'image', name: 'eye', pixelFormat: 'rgb8' })
    expect([frame.width, frame.height, frame.data.length]).toEqual([64, 48, 64 * 48 * 3])
    expect(isSound(frame)).toBe(true)
  }
})

test('a nearer wall is taller and brighter, between sky and floor', async () => {
  const [near, far] = [await look(1), await look(3)]
  expect(wallIn(near).rows).toBeGreaterThan(wallIn(far).rows * 2)
  expect(wallIn(near).light).toBeGreaterThan(wallIn(far).light)
  expect(pixel(far, 32, 0)).toEqual([168, 192, 216])
  expect(pixel(far, 32, 47)).toEqual([72, 76, 80])
})

test('what is on the left is on the left of the picture', async () => {
  const room = { walls: [], discs: [{ centre: { x: 2, y: 0.6 }, radius: 0.2 }] }
  const { frames, wait } = await filming(room)
  await wait(20)
  const columns = Array.from({ length: 64 }, (_, column) => isWall(pixel(frames[0], column, 23)))
  expect(columns.indexOf(true)).toBeGreaterThan(8)
  expect(columns.lastIndexOf(true)).toBeLessThan(24)
  expect(columns.filter(Boolean).length).toBeGreaterThan(5)
})

test('an empty world is floor and sky', async () => {
  const { frames, wait } = await filming(emptyRoom)
  await wait(20)
  expect(wallIn(frames[0]).rows).toBe(0)
})

test('opened twice it takes each picture once, closed it takes none', async () => {
  const { camera, frames, wait } = await filming(wallAt(2))
  await camera.open()
  await wait(400)
  expect(frames).toHaveLength(3)
  await camera.close()
  await camera.close()
  await wait(400)
  expect(frames).toHaveLength(3)
})
