import type { InspectionEvent } from 'xstate'
import type { Clock } from '../../drivers/clock.ts'
import { contained } from '../cockpit/contained.ts'
import { failuresMax, type Inspect, viewMs } from '../cockpit/hub.ts'
import { createFeed } from './feed.ts'
import type { StatelyMessage } from './messages.ts'

/** Who is told: one viewer. */
export interface Viewer {
  /** Whether it has taken what it was told last. While it has not, it is told nothing, and nothing piles up for it. */
  isReady(): boolean
  say(messages: readonly StatelyMessage[]): void
}

/** What the hub takes its time from, and where it tells what fails in it. */
export interface HubParts {
  /** The machine's own time. */
  readonly clock: Clock
  /** In ms since 1970. */
  unixMs(): number
  failed(cause: string): void
}

/**
 * Tells a viewer of every actor of a system within `viewMs`, and from then on what happens in them, no more often than
 * that. Nothing of XState's is handed on, only words about it. Throws nothing into the robot; what fails is told, and
 * after `failuresMax` times nothing is watched any more. Returns how to end it.
 */
export function watchForStately(
  inspect: Inspect,
  viewer: Viewer,
  { clock, unixMs, failed }: HubParts,
): () => void {
  const feed = createFeed()
  let failures = 0
  let timer: number | undefined
  let isOver = false
  let leave: (() => void) | undefined
  const end = () => {
    isOver = true
    if (timer !== undefined) clock.clearTimeout(timer)
    leave?.()
  }
  const fault = (cause: string) => {
    failures += 1
    if (failures >= failuresMax) end()
    failed(`watching for Stately failed: ${cause}`)
  }
  const tell = contained(fault, () => {
    timer = undefined
    if (isOver) return
    if (!viewer.isReady()) {
      timer = clock.setTimeout(tell, viewMs)
      return
    }
    const messages = feed.look({ clockMs: clock.now(), unixMs: unixMs() })
    if (messages.length > 0) viewer.say(messages)
  })
  const note = contained(fault, (event: InspectionEvent) => {
    if (isOver) return
    feed.note(event)
    timer ??= clock.setTimeout(tell, viewMs)
  })
  leave = inspect(note)
  return end
}
