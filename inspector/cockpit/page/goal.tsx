import { signal } from '@preact/signals'
import { isLive, mayDrive, status } from './known.ts'
import { say } from './link.ts'
import { Nothing, Panel } from './panel.tsx'

/** What is being written; a click on the map writes into it, too. */
export const draft = signal('')

/** Gives the robot a goal, in words. */
export function Goal() {
  return (
    <Panel area="goal" title="Goal" aside={status.value?.goal ?? 'none'}>
      {mayDrive.value ? (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            const text = draft.value.trim()
            if (text !== '' && say({ type: 'goal', text })) draft.value = ''
          }}
        >
          <input
            type="text"
            aria-label="Goal"
            placeholder="find the door, or click on the map"
            maxLength={2_000}
            value={draft.value}
            onInput={({ currentTarget }) => (draft.value = currentTarget.value)}
          />
          <button type="submit" disabled={!isLive.value || draft.value.trim() === ''}>
            Give
          </button>
        </form>
      ) : (
        <Nothing>This page may watch, not give goals.</Nothing>
      )}
    </Panel>
  )
}
