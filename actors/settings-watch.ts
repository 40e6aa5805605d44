import { noSettings, type Settings } from '../core/settings/settings.ts'
import { messageOf } from '../core/vocabulary/errors.ts'
import type { Clock } from '../drivers/clock.ts'
import type { SettingsFile } from '../store/settings.ts'

/** The settings as they are now. */
export interface SettingsWatch {
  readonly settings: Settings
  /** Reads them for the first time, and then looks after them. Never rejects. */
  start(): Promise<void>
  close(): void
}

/** How often the file is looked at, in ms of the wall's clock. */
const lookMs = 500

/**
 * Looks after a file that people edit. What makes sense is used at once. A mistake is told once, and not before it has
 * stood there for two looks: whoever is writing has not made one yet.
 */
export function watchSettings(
  file: SettingsFile,
  clock: Clock,
  tell: (line: string) => void,
): SettingsWatch {
  let settings = noSettings
  let timer = 0
  let isOver = false
  let suspected = ''
  let told = ''
  const look = async () => {
    const found = await file.look()
    settings = found.settings
    const { problem, stamp } = found
    const mistake = problem === undefined ? '' : `${stamp} ${problem}`
    if (problem !== undefined && mistake === suspected && mistake !== told) {
      told = mistake
      tell(problem)
    }
    suspected = mistake
  }
  const goOn = () => {
    if (isOver) return
    timer = clock.setTimeout(() => void look().then(goOn, goOn), lookMs)
  }
  return {
    get settings() {
      return settings
    },
    async start() {
      try {
        await file.begin()
      } catch (error) {
        tell(`settings: ${file.path} cannot be written: ${messageOf(error)}`)
      }
      await look().catch(() => {})
      goOn()
    },
    close() {
      isOver = true
      clock.clearTimeout(timer)
    },
  }
}
