import { useComputed, useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { ActorView } from '../protocol.ts'
import { chosen } from './actors.tsx'
import { actors, drawings } from './known.ts'
import { Nothing, Panel } from './panel.tsx'
import { after } from './time.ts'

/** The statechart of the chosen actor: where it is, how it came there, and why. */
export function Chart() {
  const isWhole = useSignal(false)
  const actor = actors.value.get(chosen.value)
  const svg = actor && drawings.value.get(actor.machine)
  return (
    <Panel
      area="chart"
      title={`Chart of ${chosen.value}`}
      aside={
        <button
          type="button"
          class="small"
          aria-pressed={isWhole.value}
          onClick={() => (isWhole.value = !isWhole.value)}
        >
          whole
        </button>
      }
    >
      {actor && svg !== undefined ? (
        <>
          <Drawn key={actor.id} actor={actor} svg={svg} isWhole={isWhole.value} />
          <Last actor={actor} />
        </>
      ) : (
        <Nothing>{actor ? 'There is no drawing of it.' : 'It does not run.'}</Nothing>
      )}
    </Panel>
  )
}

function Drawn({
  actor,
  svg,
  isWhole,
}: {
  readonly actor: ActorView
  readonly svg: string
  readonly isWhole: boolean
}) {
  const frame = useRef<HTMLDivElement>(null)
  const { active, last } = actor
  const refused = useRefused(actor).join()
  useLayoutEffect(() => {
    if (frame.current) light(frame.current, active, last?.transitions ?? [])
  }, [svg, active.join(), last?.atMs, last?.transitions.join()])
  useLayoutEffect(() => {
    if (frame.current) mark(frame.current, refused.split(','))
  }, [svg, refused])
  useLayoutEffect(() => {
    if (frame.current) follow(frame.current)
  }, [svg, active.join(), isWhole])
  return (
    <div
      class={`drawing ${isWhole ? 'whole' : ''}`}
      ref={frame}
      tabIndex={0}
      role="region"
      aria-label={`Statechart, now in ${active.at(-1) ?? 'no state'}`}
      dangerouslySetInnerHTML={{ __html: svg }}
    />
  )
}

/** Marks what is active and what was taken last; of an arrow with several labels the whole of it. */
function light(frame: HTMLElement, active: readonly string[], taken: readonly string[]): void {
  for (const node of frame.querySelectorAll('[data-id]')) {
    const id = node.getAttribute('data-id') ?? ''
    node.classList.toggle('active', node.classList.contains('state') && active.includes(id))
    node.classList.toggle('taken', taken.includes(id))
  }
  for (const arrow of frame.querySelectorAll('.arrow')) {
    arrow.classList.toggle('taken', arrow.querySelector('.taken') !== null)
  }
}

/** For how long a transition is marked that was refused, in ms of the browser. */
const refusedMs = 1_000

/** The transitions that guards have refused within the last second, since this chart is looked at. */
function useRefused({ refused }: ActorView): readonly string[] {
  const seenMs = useRef(refused[0]?.atMs)
  const marked = useSignal<readonly string[]>([])
  const youngestMs = refused[0]?.atMs
  useEffect(() => {
    if (youngestMs === undefined || youngestMs === seenMs.current) return undefined
    seenMs.current = youngestMs
    marked.value = refused
      .filter(({ atMs }) => atMs === youngestMs)
      .map(({ transition }) => transition)
    return after(refusedMs, () => (marked.value = []))
  }, [youngestMs])
  return marked.value
}

function mark(frame: HTMLElement, refused: readonly string[]): void {
  for (const node of frame.querySelectorAll('.transition')) {
    node.classList.toggle('refused', refused.includes(node.getAttribute('data-id') ?? ''))
  }
  for (const arrow of frame.querySelectorAll('.arrow')) {
    arrow.classList.toggle('refused', arrow.querySelector('.refused') !== null)
  }
}

/** Brings the innermost active state into the middle of what is seen, unless it is seen already. */
function follow(frame: HTMLElement): void {
  const leaf = frame.querySelector('.leaf.active > .ground')
  if (!leaf) return
  const outer = frame.getBoundingClientRect()
  const inner = leaf.getBoundingClientRect()
  const isAcross = inner.left >= outer.left && inner.right <= outer.right
  if (isAcross && inner.top >= outer.top && inner.bottom <= outer.bottom) return
  frame.scrollBy({
    left: inner.left + inner.width / 2 - outer.left - outer.width / 2,
    top: inner.top + inner.height / 2 - outer.top - outer.height / 2,
  })
}

function Last({ actor }: { readonly actor: ActorView }) {
  const fields = useComputed(() => Object.entries(actors.value.get(chosen.value)?.context ?? {}))
  const { last } = actor
  return (
    <>
      <p class="last">
        {last ? (
          <>
            <b>{last.event}</b> from {last.from.join(', ')} to {last.to.join(', ')}
            <span class="when">{(last.atMs / 1_000).toFixed(1)} s</span>
          </>
        ) : (
          'No transition was seen since this page has watched.'
        )}
      </p>
      {actor.refused.map(({ atMs, event, guard, transition }) => (
        <p key={transition} class="last refused">
          refused: <b>{guard}</b> ({actor.id}: {event})
          <span class="when">{(atMs / 1_000).toFixed(1)} s</span>
        </p>
      ))}
      <details class="context">
        <summary>Context</summary>
        <dl class="pairs">
          {fields.value.map(([key, text]) => [
            <dt key={key}>{key}</dt>,
            <dd key={`${key}:`}>{text}</dd>,
          ])}
        </dl>
      </details>
    </>
  )
}
