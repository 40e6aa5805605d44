export type { Repetition } from './core/rules/loop.ts'
export type { Box } from './core/space/boxes.ts'
export { MechosError, type ErrorCode } from './core/vocabulary/errors.ts'
export type { Configuration, RobotConfiguration } from './core/vocabulary/configuration.ts'
export type { Pose, Twist } from './core/vocabulary/geometry.ts'
export type { Intent, Proposal } from './core/vocabulary/intent.ts'
export type { Answered } from './core/vocabulary/inquiry.ts'
export type { Recalled, Remembered } from './core/vocabulary/memory.ts'
export type { Observation } from './core/vocabulary/observation.ts'
export type { Message } from './core/vocabulary/question.ts'
export type {
  BatteryReading,
  BumperReading,
  EncoderReading,
  ImageReading,
  ImuReading,
  LidarReading,
  RangeReading,
  Reading,
} from './core/vocabulary/reading.ts'
export { Secret } from './core/vocabulary/secret.ts'
export type { HaltReport, Report, Status } from './core/vocabulary/status.ts'
export type { Refusal, Verdict } from './core/vocabulary/verdict.ts'
export type { Condition, Why } from './core/vocabulary/why.ts'
export type { ActuatorCommand, ActuatorOutput, Body, BodyFacts, Evidence } from './drivers/body.ts'
export type { Camera } from './drivers/camera.ts'
export { type Clock, virtualClock, type VirtualClock, wallClock } from './drivers/clock.ts'
export type { Brain } from './actors/deliberation.ts'
export type { RobotCommand } from './machines/robot.machine.ts'
export { createRobot } from './robot.ts'
export { type LedgerStore, openLedgerStore } from './store/ledger.ts'
export {
  type FlightRecord,
  flightRecordIn,
  type RecordLimits,
  recordLimits,
} from './store/flight-record.ts'
export { type MemoryStore, memoryStoreAt } from './store/memories.ts'
export { type SettingsFile, settingsFileIn } from './store/settings.ts'
export type {
  Answer,
  AnswerCommand,
  Log,
  Robot,
  RobotMemory,
  RobotOptions,
} from './robot/contract.ts'
export { defineRobot } from './core/vocabulary/configuration.ts'
