import { useRef } from 'preact/hooks'
import { asked, letGo, speed, stick } from './hands.ts'
import { driver } from './known.ts'
import { Nothing, Panel } from './panel.tsx'

/** A stick for a thumb or a mouse, and how fast it drives; there only for who drives. */
export function Drive() {
  const isMine = driver.value === 'you'
  const { linear, angular } = asked.value
  return (
    <Panel
      area="drive"
      title="By hand"
      aside={isMine ? `${linear.toFixed(2)} m/s · ${angular.toFixed(2)} rad/s` : undefined}
    >
      {isMine ? (
        <div class="hands">
          <Stick />
          <label>
            at most {speed.value.toFixed(2)} m/s
            <input
              type="range"
              min="0.05"
              max="0.5"
              step="0.05"
              value={speed.value}
              onInput={({ currentTarget }) => (speed.value = Number(currentTarget.value))}
            />
          </label>
        </div>
      ) : (
        <Nothing>
          {driver.value === 'another' ? 'Another page drives.' : 'Take over to drive by hand.'}
        </Nothing>
      )}
    </Panel>
  )
}

/** Held by one pointer, which is kept until it lets go, wherever it wanders. */
function Stick() {
  const held = useRef<number | null>(null)
  const move = (event: PointerEvent) => {
    if (event.pointerId !== held.current || !(event.currentTarget instanceof Element)) return
    const { left, top, width } = event.currentTarget.getBoundingClientRect()
    const right = (event.clientX - left) / (width / 2) - 1
    const up = 1 - (event.clientY - top) / (width / 2)
    const length = Math.max(1, Math.hypot(right, up))
    stick.value = { right: right / length, up: up / length }
  }
  const release = (event: PointerEvent) => {
    if (event.pointerId !== held.current) return
    held.current = null
    letGo()
  }
  const { right, up } = stick.value
  return (
    <svg
      class="stick"
      viewBox="-50 -50 100 100"
      role="img"
      aria-label="Stick; with the keyboard drive by the arrow keys or WASD"
      onPointerDown={(event) => {
        if (held.current !== null) return
        held.current = event.pointerId
        event.currentTarget.setPointerCapture(event.pointerId)
        move(event)
      }}
      onPointerMove={move}
      onPointerUp={release}
      onPointerCancel={release}
      onLostPointerCapture={release}
    >
      <circle class="pad" r="48" />
      <path class="cross" d="M0-40V40M-40 0H40" />
      <circle class="thumb" cx={right * 34} cy={-up * 34} r="14" />
    </svg>
  )
}
