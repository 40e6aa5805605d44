import { told } from './known.ts'
import { Nothing, Panel } from './panel.tsx'

/** What the robot had to say, and why something was not done; the youngest first. */
export function Notices() {
  return (
    <Panel area="notices" title="Notices">
      {told.value.length > 0 ? (
        <ul class="told" aria-live="polite">
          {told.value.map(({ id, kind, text }) => (
            <li key={id} class={kind}>
              {text}
            </li>
          ))}
        </ul>
      ) : (
        <Nothing>Nothing was said since this page has watched.</Nothing>
      )}
    </Panel>
  )
}
