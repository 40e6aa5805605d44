import { letGo } from './hands.ts'
import { driver, isInTouch, past, present, reach, showPresent, wishedMs } from './known.ts'
import { say } from './link.ts'
import { every } from './time.ts'

/** How often a page that is dragged through the past asks for a moment, in ms. */
const askMs = 120

/** The last wish that was said, so that nothing is asked twice. */
let saidMs: number | null = null

/** Now, on the robot's clock, as far as the page knows it; null before anything was heard. */
export function presentMs(): number | null {
  return present.world.value?.atMs ?? reach.value?.toMs ?? null
}

/** Shows a moment, in ms on the robot's clock; whatever is not past yet is the present. Whoever drives lets go first. */
export function lookAt(atMs: number): void {
  const now = presentMs()
  const { value: reached } = reach
  if (now === null || !reached || !isInTouch.value) return
  if (atMs >= now) return goLive()
  if (driver.value === 'you') {
    letGo()
    say({ type: 'release' })
  }
  const isFirst = wishedMs.value === null
  wishedMs.value = Math.max(reached.fromMs, atMs)
  if (isFirst) ask()
}

/** Shows the present again. */
export function goLive(): void {
  showPresent()
  saidMs = null
}

/** Asks for what is wished, whenever that is another moment. */
export function useTimeline(): void {
  every(askMs, ask)
}

function ask(): void {
  const { value: wanted } = wishedMs
  if (wanted === null) saidMs = null
  else if (wanted !== saidMs && isInTouch.value && say({ type: 'past', atMs: wanted })) {
    saidMs = wanted
  }
}

/** How long ago what is shown was, in ms; null in the present. */
export function agoMs(): number | null {
  const atMs = past.value?.atMs ?? wishedMs.value
  const now = presentMs()
  return wishedMs.value === null || atMs === null || now === null ? null : Math.max(0, now - atMs)
}
