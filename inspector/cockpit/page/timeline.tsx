import type { Reach } from '../protocol.ts'
import { isInTouch, past, reach, status, wishedMs } from './known.ts'
import { agoMs, goLive, lookAt, presentMs } from './past.ts'

/** How far the keys and the buttons go, in ms: like the arrows, and like the page keys. */
const stepMs = 1_000
const leapMs = 10_000

/** The run as far as its flight record reaches, with a handle that goes back along it, and a way to the present. */
export function Timeline() {
  const { value: reached } = reach
  const now = presentMs()
  if (!reached || now === null) {
    return (
      <section class="timeline" aria-label="Timeline">
        <p class="nothing">{whyNot()}</p>
      </section>
    )
  }
  const shownMs = wishedMs.value ?? now
  const off = !isInTouch.value
  return (
    <section class={`timeline ${wishedMs.value === null ? '' : 'past'}`} aria-label="Timeline">
      {wishedMs.value !== null && <Banner />}
      <div class="line">
        <button type="button" disabled={off} onClick={() => lookAt(shownMs - leapMs)}>
          −10 s
        </button>
        <div class="rail">
          <Marks reached={reached} now={now} />
          <input
            type="range"
            aria-label="Moment that is shown"
            aria-valuetext={momentOf(shownMs)}
            min={reached.fromMs}
            max={Math.max(now, reached.fromMs + 1)}
            step="any"
            value={shownMs}
            disabled={off}
            onInput={({ currentTarget }) => lookAt(Number(currentTarget.value))}
            onKeyDown={(event) => {
              const by = strides[event.key]
              if (by === undefined) return
              event.preventDefault()
              lookAt(shownMs + by)
            }}
          />
        </div>
        <span class="moment">{momentOf(shownMs)}</span>
        <button type="button" aria-pressed={wishedMs.value === null} onClick={goLive}>
          Live
        </button>
      </div>
    </section>
  )
}

const strides: Readonly<Record<string, number>> = {
  ArrowLeft: -stepMs,
  ArrowDown: -stepMs,
  ArrowRight: stepMs,
  ArrowUp: stepMs,
  PageDown: -leapMs,
  PageUp: leapMs,
}

/** Nobody may take this for the present. */
function Banner() {
  const { question, state } = status.value ?? {}
  return (
    <p class="then">
      <strong>THE PAST</strong>
      <span>
        {past.value ? `${((agoMs() ?? 0) / 1_000).toFixed(1)} s ago` : 'looking it up…'}. Now it is{' '}
        {(state ?? 'out of touch').replace('active.', '')}. HALT is of now; to drive, answer, reset
        or arm, go live first.
      </span>
      {question && <strong>It asks something now.</strong>}
    </p>
  )
}

/** Where it halted and was refused something. */
function Marks({ reached, now }: { readonly reached: Reach; readonly now: number }) {
  const span = Math.max(1, now - reached.fromMs)
  const count = (kind: string) => reached.marks.filter((mark) => mark.kind === kind).length
  return (
    <svg
      class="marks"
      viewBox="0 0 1000 6"
      preserveAspectRatio="none"
      role="img"
      aria-label={`${count('halt')} halts and ${count('refusal')} refusals of late`}
    >
      <rect class="rail" width="1000" height="6" />
      {reached.marks.map(({ atMs, kind }) => (
        <rect
          key={`${kind} ${atMs}`}
          class={kind}
          x={((atMs - reached.fromMs) / span) * 1_000 - 1.5}
          width="3"
          height="6"
        />
      ))}
    </svg>
  )
}

function momentOf(atMs: number): string {
  const seconds = Math.max(0, atMs) / 1_000
  const minutes = Math.floor(seconds / 60)
  const rest = (seconds - minutes * 60).toFixed(1)
  return minutes > 0 ? `${minutes} min ${rest} s` : `${rest} s`
}

function whyNot(): string {
  const { value: now } = status
  if (!now) return 'Nothing was heard of a flight record yet.'
  if (now.recorder === null)
    return 'This robot keeps no flight record: there is no past to look at.'
  if (now.recorder.cause !== null) return `There is no past to look at: ${now.recorder.cause}.`
  if (now.recorder.folder === null)
    return 'Its flight record cannot be looked at while it is written.'
  return 'Nothing of this run is in its flight record yet.'
}
