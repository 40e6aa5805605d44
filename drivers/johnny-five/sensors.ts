import type { FirmataConfiguration } from '../../core/vocabulary/parts.ts'
import type { Reading } from '../../core/vocabulary/reading.ts'
import type { Clock } from '../clock.ts'
import { frames } from '../guardian/frames.ts'
import type { PinTable } from '../guardian/pin-table.ts'
import { makeBumper, type Bumper } from './bumper.ts'
import type { Fitting } from './library.ts'
import type { Link } from './link.ts'
import { makeRangeFinder } from './range-finder.ts'

const beatMs = 100
/** A second without a single frame, though each beat asks for one. A stall of this process counts as one beat. */
const silentBeatsMax = 10
/** No board has such a pin, so its state is asked and answered without any effect. */
const pingPin = 99

/**
 * Reads the sensors of a body until disposed, and says each reading when its report arrives. A board says nothing of a
 * bumper that does not change, so the last thing it said is repeated every 100 ms, stamped with the last moment at
 * which the board was heard; a board that is not heard repeats nothing, and after a second is lost. Returns how to stop.
 */
export function readSensors(
  fitting: Fitting,
  link: Link,
  options: {
    readonly body: FirmataConfiguration
    readonly table: PinTable
    readonly clock: Clock
    readonly say: (reading: Reading) => void
  },
): () => void {
  const { body, table, clock, say } = options
  const bumpers = body.bumpers.flatMap((declared) => {
    const rule = table.pins.find((each) => each.kind === 'digital' && each.part === declared.name)
    return rule ? [makeBumper(fitting, rule.pin, declared)] : []
  })
  const rangeFinders = body.ranges.flatMap((declared) => {
    const rule = table.pins.find((each) => each.kind === 'analog' && each.part === declared.name)
    return rule?.kind === 'analog' ? [makeRangeFinder(fitting, rule.channel, declared)] : []
  })
  const known = new Set<Bumper>()
  let silentBeats = 0
  let beatenAtMs = clock.now()

  const sayBumper = (bumper: Bumper, stampMs: number) =>
    say({ kind: 'bumper', stampMs, name: bumper.name, pressed: bumper.isPressed() })
  const stopReports = link.onReport((report) => {
    const stampMs = link.heardAtMs() ?? clock.now()
    if (report.kind === 'analog') {
      for (const finder of rangeFinders) {
        if (finder.channel !== report.channel) continue
        say({ kind: 'range', stampMs, name: finder.name, metres: finder.metres() })
      }
    }
    if (report.kind === 'port') {
      for (const bumper of bumpers) {
        if (bumper.port !== report.port) continue
        known.add(bumper)
        sayBumper(bumper, stampMs)
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
    if (isHeard) for (const bumper of known) sayBumper(bumper, heardAtMs)
    link.transport.ask(frames.pinState(pingPin))
  }
  let timer = clock.setTimeout(beat, beatMs)

  return () => {
    clock.clearTimeout(timer)
    stopReports()
    for (const part of [...bumpers, ...rangeFinders]) part.dispose()
  }
}
