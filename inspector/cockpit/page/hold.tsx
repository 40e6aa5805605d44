import { effect, signal } from '@preact/signals'
import { isField } from './hands.ts'
import { isLive, mayDrive, present, status } from './known.ts'
import { say } from './link.ts'
import { Panel } from './panel.tsx'
import { every } from './time.ts'

/** What holds the enabling device of this page: a pointer on the button, the key, a trigger of a gamepad. */
const hands = signal<ReadonlySet<string>>(new Set())

/** How often a hand that holds says so, in ms. */
const holdMs = 50
/** The key that is held, by its place on the keyboard. */
const holdKey = 'KeyH'
/** The triggers of a gamepad, and how far one counts as pulled. */
const triggers = [6, 7]
const pulledAt = 0.5

/** There only where a model drives hardware: the robot moves while somebody holds this. */
export function Hold() {
  const enabling = status.value?.enabling
  if (!enabling) return null
  const isMine = hands.value.size > 0
  return (
    <Panel area="hold" title="Hold to run" aside={words[enabling.state] ?? enabling.state}>
      <button
        type="button"
        class={`hold ${isMine ? 'mine' : ''} ${enabling.state}`}
        disabled={!mayDrive.value || !isLive.value}
        aria-pressed={isMine}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          takeHold(`pointer ${event.pointerId}`)
        }}
        onPointerUp={({ pointerId }) => letGoOf(`pointer ${pointerId}`)}
        onPointerCancel={({ pointerId }) => letGoOf(`pointer ${pointerId}`)}
        onLostPointerCapture={({ pointerId }) => letGoOf(`pointer ${pointerId}`)}
        onContextMenu={(event) => event.preventDefault()}
      >
        <strong>{isMine ? 'Held' : 'Hold'}</strong>
        <span>{mayDrive.value ? 'or H, or a trigger of a gamepad' : 'this page watches'}</span>
      </button>
    </Panel>
  )
}

/** Says twenty times a second that the device is held, and lets go whenever nobody can be seen to hold it. */
export function useHold(): void {
  effect(() => {
    if (!isLive.value) letGoOfAll()
  })
  every(holdMs, () => {
    watchTriggers()
    if (hands.value.size > 0) tell(true)
  })
  addEventListener('keydown', (event) => {
    // While Meta is down a browser may not be told that another key went up.
    if (event.metaKey) letGoOfAll()
    if (event.code !== holdKey || event.repeat || isField(event.target)) return
    if (!event.ctrlKey && !event.metaKey && !event.altKey) takeHold('key')
  })
  addEventListener('keyup', ({ code }) => code === holdKey && letGoOf('key'))
  addEventListener('blur', letGoOfAll)
  addEventListener('contextmenu', letGoOfAll)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') letGoOfAll()
  })
}

/** What has just been taken hold of was let go a moment ago, and that is said first. */
function takeHold(hand: string): void {
  if (!status.value?.enabling || !mayDrive.value || hands.value.has(hand)) return
  if (hands.value.size === 0) tell(false)
  hands.value = new Set(hands.value).add(hand)
  tell(true)
}

/** One hand that goes up is enough: what else seems to hold may be a key whose end nobody was told of. */
function letGoOf(hand: string): void {
  if (hands.value.has(hand)) letGoOfAll()
}

function letGoOfAll(): void {
  if (hands.value.size === 0) return
  hands.value = new Set()
  tell(false)
}

/** Triggers that have been seen at rest: one that was pulled when it was first seen is nobody's hand. */
const rested = new Set<string>()

function watchTriggers(): void {
  for (const pad of navigator.getGamepads()) {
    for (const index of triggers) {
      const hand = `trigger ${pad?.index} ${index}`
      const isPulled = (pad?.connected && (pad.buttons[index]?.value ?? 0) > pulledAt) === true
      if (!isPulled) {
        rested.add(hand)
        letGoOf(hand)
      } else if (rested.delete(hand)) takeHold(hand)
    }
  }
}

function tell(held: boolean): void {
  const seenMs = present.world.value?.atMs
  if (isLive.value && seenMs !== undefined) say({ type: 'enable', held, seenMs })
}

const words: Readonly<Record<string, string>> = {
  released: 'nobody holds it: still',
  held: 'held: it may move',
  taped: 'held for ten minutes: let go',
  failed: 'it has failed',
}
