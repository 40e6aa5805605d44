import { render } from 'preact'
import { Actors } from './actors.tsx'
import { Bar, Halt } from './bar.tsx'
import { Boundary } from './boundary.tsx'
import { Budget } from './budget.tsx'
import { Chart } from './chart.tsx'
import { Drive } from './drive.tsx'
import { Faults } from './faults.tsx'
import { Goal } from './goal.tsx'
import { useHaltKeys } from './halt-keys.ts'
import { useHands } from './hands.ts'
import { isLive, status } from './known.ts'
import { connect, watchTouch } from './link.ts'
import { Loop } from './loop.tsx'
import { Map } from './map.tsx'
import { Notices } from './notices.tsx'
import { Now } from './now.tsx'
import { loadPlots, Plots } from './plots.tsx'
import { Question } from './question.tsx'

function Cockpit() {
  const now = status.value
  const isUnguarded = now !== null && now.body !== 'simulated' && !now.deadman
  return (
    <div class={`cockpit ${isLive.value ? 'live' : 'lost'}`}>
      <Bar />
      <Halt />
      {isUnguarded && (
        <p class="banner">
          No deadman in the firmware: if this robot’s computers die, nothing stops its motors.
        </p>
      )}
      <main>
        <Boundary>
          <Question />
        </Boundary>
        {columns.map((panels) => (
          <div class="column">
            {panels.map((Part) => (
              <Boundary>
                <Part />
              </Boundary>
            ))}
          </div>
        ))}
      </main>
    </div>
  )
}

/** Side by side on a desk; on a phone the style sheet puts them below each other in its own order. */
const columns = [
  [Now, Actors, Faults, Budget],
  [Chart, Loop],
  [Map, Drive, Goal, Plots, Notices],
] as const

// First what halts, then what is looked at.
useHaltKeys()
connect()
watchTouch()
useHands()
render(<Cockpit />, document.body)
void loadPlots()
