import { type FirmataConfiguration, switchesOf } from '../../core/vocabulary/parts.ts'
import type { Reading } from '../../core/vocabulary/reading.ts'
import type { Clock } from '../clock.ts'
import { frames } from '../guardian/frames.ts'
import type { PinTable } from '../guardian/pin-table.ts'
import { makeBumper, type Bumper } from './bumper.ts'
import type { Fitting } from './library.ts'
import type { Link } from './link.ts'
import type { Outputs } from './outputs.ts'
import { pingMetres } from './ping.ts'
import { makeRangeFinder } from './range-finder.ts'
import type { makeWheelCounters } from './wheel-counter.ts'

const beatMs = 100
/** A second without a single frame, though each beat asks for one. A stall of this process counts as one beat. */
const silentBeatsMax = 10
/** No board has such a pin, so its state is asked and answered without any effect. */
const pingPin = 99

/**
 * Reads the sensors of a body until disposed, and says each reading when its report arrives. A board says nothing of a
 * switch that does not change, so the last thing it said is repeated every 100 ms, stamped with the last moment at
 * which the board was heard; a board that is not heard repeats nothing, and after a second is lost. Returns how to stop.
 */
export function readSensors(
  fitting: Fitting,
  link: Link,
  options: {
    readonly body: FirmataConfiguration
    readonly table: PinTable
    readonly clock: Clock
    readonly outputs: Outputs
    readonly counters: ReturnType<typeof makeWheelCounters>
    readonly say: (reading: Reading) => void
  },
): () => void {
  const { body, table, clock, counters, outputs, say } = options
  const switchOn = (declared: { readonly name: string; readonly pressed: 'low' | 'high' }) => {
    const rule = table.pins.find((each) => each.kind === 'digital' && each.part === declared.name)
    return rule ? [makeBumper(fitting, rule.pin, declared)] : []
  }
  const bumpers = body.bumpers.flatMap(switchOn)
  // A closed contact pulls its pin low against the pull-up; an open one, and a cut cable, leave it high.
  const contacts = switchesOf(body).flatMap(({ name }) => switchOn({ name, pressed: 'low' }))
  const rangeFinders = body.ranges.flatMap((declared) => {
    const rule = table.pins.find((each) => each.kind === 'analog' && each.part === declared.name)
    const { name, model } = declared
    return rule?.kind === 'analog' && model !== 'HC-SR04'
      ? [makeRangeFinder(fitting, rule.channel, { name, model })]
      : []
  })
  const pings = body.ranges.filter(({ model }) => model === 'HC-SR04')
  counters?.left.restart()
  counters?.right.restart()
  const known = new Set<Bumper>()
  let silentBeats = 0
  let beatenAtMs = clock.now()

  const saySwitch = (each: Bumper, stampMs: number) => {
    const { name } = each
    if (contacts.includes(each)) say({ kind: 'contact', stampMs, name, closed: each.isPressed() })
    else say({ kind: 'bumper', stampMs, name, pressed: each.isPressed() })
  }
  const stopReports = link.onReport((report) => {
    const stampMs = link.heardAtMs() ?? clock.now()
    if (report.kind === 'analog') {
      for (const finder of rangeFinders) {
        if (finder.channel !== report.channel) continue
        say({ kind: 'range', stampMs, name: finder.name, metres: finder.metres() })
      }
    }
    if (report.kind === 'deadman' && report.what === 'range') {
      const name = pings[report.slot]?.name
      if (name !== undefined)
        say({ kind: 'range', stampMs, name, metres: pingMetres(report.echoUs) })
    }
    if (report.kind === 'deadman' && report.what === 'encoders' && counters) {
      const [left, right] = report.counts
      if (left === undefined || right === undefined) return
      say({
        kind: 'encoders',
        stampMs,
        left: counters.left.turned(left, outputs.effortOf('left')),
        right: counters.right.turned(right, outputs.effortOf('right')),
      })
    }
    if (report.kind === 'port') {
      for (const each of [...bumpers, ...contacts]) {
        if (each.port !== report.port) continue
        known.add(each)
        saySwitch(each, stampMs)
      }
    }
  })
  const beat = () => {
    timer = clock.setTimeout(beat, beatMs)
    const heardAtMs = link.heardAtMs() ?? -Infinity
    const isHeard = heardAtMs >= beatenAtMs
    beatenAtMs = clock.now()
    silentBeats = isHeard ? 0 : silentBeats + 1
    if (silentBeats >= silentBeatsMax) {
      link.lose(`the board said nothing for ${(silentBeatsMax * beatMs) / 1000} s`)
      return
    }
    if (isHeard) for (const each of known) saySwitch(each, heardAtMs)
    link.transport.ask(frames.pinState(pingPin))
  }
  let timer = clock.setTimeout(beat, beatMs)

  return () => {
    clock.clearTimeout(timer)
    stopReports()
    for (const part of [...bumpers, ...contacts, ...rangeFinders]) part.dispose()
  }
}
