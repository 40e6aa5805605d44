import { effect, signal } from '@preact/signals'
import { isStill, STILL, type Twist } from '../../../core/vocabulary/geometry.ts'
import { driver, isLive } from './known.ts'
import { say } from './link.ts'
import { every } from './time.ts'
import { isDriveKey, type Reach, twistOfGamepad, twistOfKeys, twistOfStick } from './twist.ts'

/** The fastest that a hand of this page asks for, in m/s; it turns in proportion. The robot has limits of its own. */
export const speed = signal(0.2)
/** Where the stick on the screen is, as shares of its way to the right and up. */
export const stick = signal({ right: 0, up: 0 })
/** What was last asked for. */
export const asked = signal<Twist>(STILL)

const keys = new Set<string>()
/** rad/s that go with each m/s. */
const turnPerSpeed = 4
/** How often a driver says what he wants, in ms. */
const driveMs = 50

let sequence = 0
/** Whoever begins to drive has to have been at rest, and says so first. */
let hasRested = false

/** Drives whenever this page is the driver, and lets go whenever nobody can be seen to hold on. */
export function useHands(): void {
  effect(() => {
    if (driver.value !== 'you') hasRested = false
  })
  every(driveMs, drive)
  addEventListener('keydown', pressed)
  addEventListener('keyup', ({ code }) => keys.delete(code))
  addEventListener('blur', letGo)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState !== 'hidden') return
    letGo()
    if (driver.value === 'you') say({ type: 'release' })
  })
}

/** Lets go of everything, and says so at once. */
export function letGo(): void {
  keys.clear()
  stick.value = { right: 0, up: 0 }
  if (driver.value === 'you' && hasRested) tellTwist(STILL)
}

/** True where somebody writes, or moves a slider: there a key means what it means there. */
export function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  )
}

function pressed(event: KeyboardEvent): void {
  if (driver.value !== 'you' || !isDriveKey(event.code) || isField(event.target)) return
  if (event.ctrlKey || event.metaKey || event.altKey) return
  event.preventDefault()
  if (!event.repeat) keys.add(event.code)
}

function drive(): void {
  if (driver.value !== 'you' || !isLive.value) return
  const wanted = wantedTwist()
  if (!hasRested) {
    tellTwist(STILL)
    hasRested = isStill(wanted)
  } else tellTwist(wanted)
}

/** The first hand that wants anything: stick, keys, gamepad. */
function wantedTwist(): Twist {
  const reach: Reach = { linear: speed.value, angular: speed.value * turnPerSpeed }
  const hands = [
    twistOfStick(stick.value.right, stick.value.up, reach),
    twistOfKeys(keys, reach),
    ...gamepads().map(({ axes }) => twistOfGamepad(axes, reach)),
  ]
  return hands.find((twist) => !isStill(twist)) ?? STILL
}

function gamepads(): readonly Gamepad[] {
  return navigator.getGamepads().flatMap((pad) => (pad?.connected ? [pad] : []))
}

function tellTwist({ linear, angular }: Twist): void {
  sequence += 1
  asked.value = { linear, angular }
  say({ type: 'drive', linear, angular, sequence })
}
