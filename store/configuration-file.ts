import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { createJiti } from 'jiti'
import { MechosError, messageOf } from '../core/vocabulary/errors.ts'

/** The file that is looked for in the current folder, and nowhere else: a configuration is code. */
export const configurationName = 'robot.config.ts'

/**
 * Loads the default export of a configuration file, TypeScript or JavaScript, on every Node. `mechos` is what
 * `import 'mechos'` gives it: the running program itself, from whatever folder.
 * Throws ERR_CONFIGURATION_MISSING when there is no such file, ERR_CONFIGURATION_BROKEN when running it throws.
 */
export async function loadConfiguration(path: string, mechos: object): Promise<unknown> {
  const file = resolve(path)
  if (!existsSync(file)) {
    throw new MechosError('ERR_CONFIGURATION_MISSING', `config: ${path} is not there`)
  }
  const jiti = createJiti(import.meta.url, {
    virtualModules: { mechos: { ...mechos } },
    fsCache: false,
    moduleCache: false,
    tryNative: false,
  })
  try {
    const loaded = await jiti.import<object>(file)
    if ('default' in loaded) return await loaded.default
  } catch (cause) {
    const first = (messageOf(cause).split('\n', 1)[0] ?? '').trim()
    throw new MechosError('ERR_CONFIGURATION_BROKEN', `config: ${path} threw: ${first}`, { cause })
  }
  throw new MechosError(
    'ERR_CONFIGURATION_BROKEN',
    `config: ${path} has no default export; export default defineRobot({ ... })`,
  )
}
