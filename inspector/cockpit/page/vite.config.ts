import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** The page of the cockpit, as static files in dist/cockpit; and the drawings, beside the compiled code that reads them. */
export default defineConfig({
  root: here('.'),
  logLevel: 'warn',
  build: {
    outDir: here('../../../dist/cockpit'),
    emptyOutDir: true,
    target: 'es2022',
    // The robot's Content-Security-Policy takes nothing that stands in the page itself.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  plugins: [
    {
      name: 'drawings',
      writeBundle: ({ dir = '' }) =>
        cpSync(here('../drawings'), `${dir}/../inspector/cockpit/drawings`, { recursive: true }),
    },
  ],
})
