import { describeProposed } from '../vocabulary/intent.ts'
import type { ImageReading, LidarReading } from '../vocabulary/reading.ts'
import type { Pose } from '../vocabulary/geometry.ts'
import type { Entry } from './entry.ts'
import { textOf } from './text.ts'

/** A message for a viewer, in the form of one of Foxglove's published schemas. */
export interface ViewerMessage {
  readonly topic: string
  /** Without its `foxglove.`. */
  readonly schema:
    | 'PoseInFrame'
    | 'FrameTransform'
    | 'LaserScan'
    | 'CompressedImage'
    | 'RawImage'
    | 'Log'
  readonly message: object
}

interface Time {
  readonly sec: number
  readonly nsec: number
}

/**
 * What an entry of a record shows: place and transform in `odom`, scans and pictures in `base_link`; proposals, verdicts,
 * states, notices and what people said as lines of a log. Nothing for all others, nor for pictures without their pixels.
 */
export function viewerMessages(entry: Entry, unixMs: number): readonly ViewerMessage[] {
  const timestamp = timeOf(unixMs)
  switch (entry.kind) {
    case 'out':
      return outputMessages(entry.what, entry.value, timestamp)
    case 'in':
    case 'nested':
      return arrivalMessages(entry.door, entry.value, timestamp)
    case 'gap':
      return [log('/recorder', 'record', entry.cause, 4, timestamp)]
    case 'begin':
    case 'timer':
    case 'answer':
    case 'threw':
    case 'end':
      return []
  }
}

function outputMessages(what: string, value: unknown, timestamp: Time): readonly ViewerMessage[] {
  switch (what) {
    case 'pose':
      return isPose(value) ? poseMessages(value, timestamp) : []
    case 'proposal':
      return [log('/intents', 'agent', textOf(value), 2, timestamp)]
    case 'verdict':
      return [verdictMessage(value, timestamp)]
    case 'state':
      return [log('/states', String(fieldOf(value, 'chart')), textOf(value), 2, timestamp)]
    case 'notice':
      return [log('/notices', 'robot', String(value), 3, timestamp)]
    default:
      return []
  }
}

function arrivalMessages(door: string, value: unknown, timestamp: Time): readonly ViewerMessage[] {
  if (['send', 'drive', 'halt', 'start', 'stop'].includes(door)) {
    return [log('/commands', door, value === undefined ? door : textOf(value), 2, timestamp)]
  }
  if (isScan(value)) return [scanMessage(value, timestamp)]
  return isPicture(value) ? [pictureMessage(value, timestamp)] : []
}

function poseMessages({ x, y, heading }: Pose, timestamp: Time): readonly ViewerMessage[] {
  const place = { x, y, z: 0 }
  const rotation = { x: 0, y: 0, z: Math.sin(heading / 2), w: Math.cos(heading / 2) }
  return [
    {
      topic: '/pose',
      schema: 'PoseInFrame',
      message: { timestamp, frame_id: 'odom', pose: { position: place, orientation: rotation } },
    },
    {
      topic: '/tf',
      schema: 'FrameTransform',
      message: {
        timestamp,
        parent_frame_id: 'odom',
        child_frame_id: 'base_link',
        translation: place,
        rotation,
      },
    },
  ]
}

/** JSON has no Infinity: where nothing was within reach it says 0, which is no distance that a lidar measures. */
function scanMessage(scan: LidarReading, timestamp: Time): ViewerMessage {
  const { angleStep, firstAngle, ranges } = scan
  return {
    topic: '/lidar',
    schema: 'LaserScan',
    message: {
      timestamp,
      frame_id: 'base_link',
      pose: { position: { x: 0, y: 0, z: 0 }, orientation: { x: 0, y: 0, z: 0, w: 1 } },
      start_angle: firstAngle,
      end_angle: firstAngle + angleStep * (ranges.length - 1),
      ranges: ranges.map((range) => (Number.isFinite(range) ? range : 0)),
      intensities: [],
    },
  }
}

function pictureMessage(picture: ImageReading, timestamp: Time): ViewerMessage {
  const { data, height, name, pixelFormat, width } = picture
  const topic = `/camera/${name}`
  const head = { timestamp, frame_id: 'base_link' }
  const pixels = fieldOf(JSON.parse(textOf(data)), 'is')
  if (pixelFormat === 'jpeg') {
    return { topic, schema: 'CompressedImage', message: { ...head, format: 'jpeg', data: pixels } }
  }
  const shape = { width, height, encoding: 'rgb8', step: width * 3 }
  return { topic, schema: 'RawImage', message: { ...head, ...shape, data: pixels } }
}

function verdictMessage(value: unknown, timestamp: Time): ViewerMessage {
  const claim = fieldOf(value, 'claim')
  const verdict = fieldOf(value, 'verdict')
  const isPermitted = fieldOf(verdict, 'permitted') === true
  const outcome = isPermitted ? 'permitted' : `refused: ${String(fieldOf(verdict, 'message'))}`
  const line = `${describeProposed(fieldOf(claim, 'intent'))}: ${outcome}`
  return log('/verdicts', String(fieldOf(claim, 'source')), line, isPermitted ? 2 : 3, timestamp)
}

/** `level`: 2 is for information, 3 a warning, 4 an error. */
function log(
  topic: string,
  name: string,
  message: string,
  level: 2 | 3 | 4,
  timestamp: Time,
): ViewerMessage {
  return {
    topic,
    schema: 'Log',
    message: { timestamp, level, message, name, file: '', line: 0 },
  }
}

function timeOf(unixMs: number): Time {
  const sec = Math.floor(unixMs / 1000)
  return { sec, nsec: Math.min(999_999_999, Math.round((unixMs - sec * 1000) * 1e6)) }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function isPose(value: unknown): value is Pose {
  return ['x', 'y', 'heading'].every((name) => typeof fieldOf(value, name) === 'number')
}

function isScan(value: unknown): value is LidarReading {
  return fieldOf(value, 'kind') === 'lidar' && Array.isArray(fieldOf(value, 'ranges'))
}

function isPicture(value: unknown): value is ImageReading {
  return fieldOf(value, 'kind') === 'image' && fieldOf(value, 'data') instanceof Uint8Array
}
