import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { driver, isLive, mayDrive, status } from './known.ts'
import { say } from './link.ts'
import { Nothing, Panel } from './panel.tsx'

/** What the robot does, why it stands still, and what a person may have it do next. */
export function Now() {
  const now = status.value
  return (
    <Panel area="now" title={isLive.value ? 'Now' : 'When it was last heard'}>
      {now ? (
        <>
          <dl class="pairs">
            <dt>state</dt>
            <dd>{now.state}</dd>
            <dt>goal</dt>
            <dd>{now.goal ?? 'none'}</dd>
            <dt>brain</dt>
            <dd>
              {now.agent.brain}, {now.agent.state}
            </dd>
            <dt>intent</dt>
            <dd>{now.agent.lastIntent ?? 'none'}</dd>
            <dt>verdict</dt>
            <dd>{now.agent.lastVerdict ?? 'none'}</dd>
          </dl>
          {now.causes.length > 0 && (
            <div class="causes">
              <h3>{now.state === 'halted' ? 'Halted because' : 'Stands still because'}</h3>
              <ul>
                {now.causes.map((cause) => (
                  <li key={cause}>{cause}</li>
                ))}
              </ul>
            </div>
          )}
          {mayDrive.value ? <Steps state={now.state} epoch={now.epoch} /> : <Watching />}
        </>
      ) : (
        <Nothing>Nothing was heard of the robot yet.</Nothing>
      )}
    </Panel>
  )
}

function Watching() {
  return <Nothing>This page may watch, and halt.</Nothing>
}

/** From halted to motion there are separate steps, and each is a person's. */
function Steps({ state, epoch }: { readonly state: string; readonly epoch: number }) {
  const off = !isLive.value
  switch (state) {
    case 'halted':
      return (
        <div class="steps">
          <button type="button" disabled={off} onClick={() => say({ type: 'reset' })}>
            Reset
          </button>
          <p>I have seen the causes. It stays still, and has to be armed next.</p>
        </div>
      )
    case 'standby':
      return <Arming key={epoch} epoch={epoch} off={off} />
    case 'active.holding':
      return (
        <div class="steps">
          <button type="button" disabled={off} onClick={() => say({ type: 'resume' })}>
            Resume
          </button>
          <TakeOver off={off} />
        </div>
      )
    case 'active.autonomous':
      return (
        <div class="steps">
          <button type="button" disabled={off} onClick={() => say({ type: 'pause' })}>
            Pause
          </button>
          <TakeOver off={off} />
        </div>
      )
    case 'active.manual':
      return driver.value === 'you' ? (
        <div class="steps">
          <button type="button" disabled={off} onClick={() => say({ type: 'release' })}>
            Release
          </button>
          <p>You drive: stick, arrow keys or WASD, gamepad.</p>
        </div>
      ) : (
        <Nothing>Somebody else drives by hand.</Nothing>
      )
    default:
      return null
  }
}

function TakeOver({ off }: { readonly off: boolean }) {
  return (
    <button type="button" disabled={off} onClick={() => say({ type: 'takeOver' })}>
      Take over
    </button>
  )
}

/** Asks once more, since from here on it may move. What stands under the pointer then is the way back. */
function Arming({ epoch, off }: { readonly epoch: number; readonly off: boolean }) {
  const isAsking = useSignal(false)
  const back = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (isAsking.value) back.current?.focus()
  }, [isAsking.value])
  if (!isAsking.value) {
    return (
      <div class="steps">
        <button type="button" disabled={off} onClick={() => (isAsking.value = true)}>
          Arm…
        </button>
        <p>It stands by, and cannot move before it is armed.</p>
      </div>
    )
  }
  return (
    <div class="steps">
      <button type="button" ref={back} onClick={() => (isAsking.value = false)}>
        Not yet
      </button>
      <button
        type="button"
        class="grave"
        disabled={off}
        onClick={() => say({ type: 'arm', epoch })}
      >
        Arm, epoch {epoch}
      </button>
      <p>Once it is armed it may move. Is everybody clear of it?</p>
    </div>
  )
}
