import type { Binding } from './binding.ts'
import { deadmanEstop } from './deadman-estop.ts'
import { diffDrive } from './diff-drive.ts'
import { failsafe } from './failsafe.ts'
import { firmataFrames } from './firmata-frames.ts'
import { kernelGate } from './kernel-gate.ts'
import { openaiChat } from './openai-chat.ts'
import { speedLimiter } from './speed-limiter.ts'
import { velocityMux } from './velocity-mux.ts'

/** Every vector file that the product is bound to. */
export const bindings: readonly Binding[] = [
  diffDrive,
  speedLimiter,
  kernelGate,
  failsafe,
  velocityMux,
  firmataFrames,
  deadmanEstop,
  openaiChat,
]
