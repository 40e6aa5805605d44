import { driver, isHalted, role, status, touch, type Touch, wishedMs } from './known.ts'
import { halt, halting } from './link.ts'

/** Who and how the robot is, at the top of everything. */
export function Bar() {
  const { name = 'robot', run, body, state } = status.value ?? {}
  return (
    <header class="bar">
      <h1>
        {name} <small>{run === name ? '' : run}</small>
      </h1>
      <p class={`state ${kindOf(state)}`} role="status">
        {touch.value !== 'live'
          ? words[touch.value]
          : `${wishedMs.value === null ? '' : 'now '}${(state ?? '…').replace('active.', '')}`}
      </p>
      <ul class="facts">
        <li class={`touch ${touch.value}`}>
          {touch.value === 'live' ? 'in touch' : 'out of touch'}
        </li>
        {touch.value === 'live' && (
          <>
            <li>{body} body</li>
            <li>{role.value === 'drive' ? 'you may drive' : 'you watch'}</li>
            <li>{drivers[driver.value]}</li>
          </>
        )}
      </ul>
    </header>
  )
}

/** Always in reach; it says so itself when nobody would hear it. */
export function Halt() {
  const note = noteOf()
  return (
    <div class="reach">
      <button type="button" class={isHalted.value ? 'again' : ''} onClick={halt}>
        <strong>HALT</strong>
        <span>{touch.value === 'live' ? 'Esc or space' : 'cannot be heard'}</span>
      </button>
      {note !== undefined && (
        <p class="alarm" role="alert">
          {note}
        </p>
      )}
    </div>
  )
}

function noteOf(): string | undefined {
  if (halting.value === 'unheard') return 'The robot did not hear the HALT. Cut its motor power.'
  if (halting.value === 'said') return 'HALT said, not yet confirmed…'
  const { halt: report } = status.value ?? {}
  if (isHalted.value && report && report.evidence !== 'measured') {
    return `Halted, not confirmed (${report.evidence}): cut motor power.`
  }
  return undefined
}

const words: Readonly<Record<Touch, string>> = {
  live: '',
  connecting: 'looking for the robot…',
  silent: 'the robot says nothing',
  lost: 'out of touch, trying again',
  locked: 'this page is not let in any more: open the link that the robot has printed',
}

const drivers = {
  you: 'you drive',
  another: 'another page drives',
  nobody: 'nobody drives by hand',
}

function kindOf(state: string | undefined): string {
  if (touch.value !== 'live' || state === undefined) return 'unknown'
  if (state === 'halted' || state === 'failed') return 'halted'
  return state === 'active.autonomous' || state === 'active.manual' ? 'moving' : 'still'
}
