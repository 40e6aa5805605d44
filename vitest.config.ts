import { defineConfig } from 'vitest/config'

/** Tests with a board, a model's server or a browser: they live in real time, and share it with nobody. */
const inRealTime = [
  'test/{bench,firmware,uno}/**/*.test.ts',
  'test/drivers/{guardian,johnny-five}/**/*.test.ts',
  'test/inspector/{cockpit,stately,xstate-inspect}/**/*.test.ts',
  'test/robots/{another-node,cockpit,deadman,deaths,doctor,ending,frozen,hold-to-run}.test.ts',
  'test/robots/{hostile-model,model,past,recorded-runs,recovering-model,remote,run,terminal}.test.ts',
  'test/robots/uno*.test.ts',
  'test/cockpit.test.ts',
]

export default defineConfig({
  ssr: { resolve: { conditions: ['development', 'node', 'import'] } },
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: process.env['CI'] ? ['default', 'json'] : ['default'],
    outputFile: { json: 'coverage/tests.json' },
    server: { deps: { inline: ['xstate'] } },
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          include: ['test/**/*.test.ts'],
          exclude: inRealTime,
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'real time',
          include: inRealTime,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
