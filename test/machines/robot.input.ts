import type { RobotInput } from '../../machines/robot.machine.ts'

/** What a root is started with in tests: one sensor, no goal, a clean end behind it. */
export const robotInput: RobotInput = {
  unclean: undefined,
  goal: undefined,
  rules: { limits: { linear: 0.3, angular: 1.5, linearBraking: 2, angularBraking: 12 } },
  grants: new Set(['drive']),
  sensors: [{ name: 'front', guardsMotion: true }],
  motion: { stopLimitMs: 3000 },
  model: { endpoints: [{ capTokens: 100, deadlineMs: 1000 }] },
}
