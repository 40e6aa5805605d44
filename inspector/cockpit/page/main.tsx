import { render } from 'preact'
import { Actors } from './actors.tsx'
import { Bar, Halt } from './bar.tsx'
import { Boundary } from './boundary.tsx'
import { Budget } from './budget.tsx'
import { Camera } from './camera.tsx'
import { Chart } from './chart.tsx'
import { Drive } from './drive.tsx'
import { Faults } from './faults.tsx'
import { Goal } from './goal.tsx'
import { useHaltKeys } from './halt-keys.ts'
import { useHands } from './hands.ts'
import { Hold, useHold } from './hold.tsx'
import { isInTouch, status, wishedMs } from './known.ts'
import { connect, watchTouch } from './link.ts'
import { Loop } from './loop.tsx'
import { Map } from './map.tsx'
import { Memories } from './memories.tsx'
import { Notices } from './notices.tsx'
import { Now } from './now.tsx'
import { useTimeline } from './past.ts'
import { Before, Then } from './past-panels.tsx'
import { loadPlots, Plots } from './plots.tsx'
import { Question } from './question.tsx'
import { Timeline } from './timeline.tsx'

function Cockpit() {
  const now = status.value
  const isUnguarded = now !== null && now.body !== 'simulated' && !now.deadman
  return (
    <div class={`cockpit ${isInTouch.value ? 'live' : 'lost'}`}>
      <Bar />
      <Halt />
      <Boundary>
        <Timeline />
      </Boundary>
      {isUnguarded && (
        <p class="banner">
          No deadman in the firmware: if this robot’s computers die, nothing stops its motors.
        </p>
      )}
      <main>
        <Boundary>
          <Question />
        </Boundary>
        {(wishedMs.value === null ? columns : pastColumns).map((panels) => (
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
  [Chart, Loop, Memories],
  [Map, Camera, Hold, Drive, Goal, Plots, Notices],
] as const

/** What a record shows, in the same places. Nothing in it can be told anything. */
const pastColumns = [
  [Then, Actors],
  [Chart, Loop],
  [Map, Plots, Before],
] as const

// First what halts, then what is looked at.
useHaltKeys()
connect()
watchTouch()
useHands()
useHold()
useTimeline()
render(<Cockpit />, document.body)
void loadPlots()
