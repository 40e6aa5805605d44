import type { Binding } from './binding.ts'
import { diffDrive } from './diff-drive.ts'
import { kernelGate } from './kernel-gate.ts'
import { speedLimiter } from './speed-limiter.ts'

/** Every vector file that the product is bound to. */
export const bindings: readonly Binding[] = [diffDrive, speedLimiter, kernelGate]
