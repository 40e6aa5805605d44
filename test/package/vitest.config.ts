import { defineConfig } from 'vitest/config'

/** Apart from the other tests: it needs a package registry and half a minute. */
export default defineConfig({
  test: {
    include: ['test/package/*.check.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    reporters: process.env['CI'] ? ['default', 'json'] : ['default'],
    outputFile: { json: 'coverage/package.json' },
  },
})
