import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseConfiguration } from '../../core/vocabulary/configuration.ts'
import { messageOf } from '../../core/vocabulary/errors.ts'
import { haltFrame } from '../../drivers/guardian/frames.ts'
import { pinTableOf } from '../../drivers/guardian/pin-table.ts'
import unoRover from '../../examples/uno-rover.config.ts'
import { builtHex, mechosHex } from '../support/uno/firmware.ts'
import { type Cause, causes, type Finding } from './causes.ts'
import type { BenchOptions } from './command.ts'
import { type Crew, makeCrew } from './crew.ts'
import {
  brokenFigure,
  type Figure,
  type Promised,
  skippedFigure,
  timingFigure,
  type Timings,
} from './figure.ts'
import type { Rover } from './rover.ts'
import { collect, type Collection, phaseMs, type Sample, timingsOf, warmUps } from './sampling.ts'
import { emulatedStage, foreignStage, type Stage } from './stage.ts'

/** Both numbers of one blow: what the pins show, and what is said of it. */
interface Shot extends Sample {
  readonly finding: Finding | undefined
}

/** The two figures of a cause: from the cause to duty 0, and from the halt to evidence of it. */
interface Expected {
  readonly pins: Promised
  readonly told: Promised
}

/** A body says how well a halt worked within 200 ms. */
const toldMsMax = 200
const bytesPerMs = 5.76
const unseen = 'needs to look at the pins'

/**
 * How long it takes from each cause of a halt to effective duty 0 on both wheels, with real processes, a real port and
 * a real firmware in an emulated chip; and how long until whoever is left has evidence of it, at least an echo. On a
 * board that is not ours only the latter.
 */
export async function haltBench({ port, note }: BenchOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  for (const firmware of ['StandardFirmata', 'MechosFirmata'] as const) {
    const affected = causes.filter((cause) => cause.firmware === firmware)
    // oxlint-disable-next-line no-await-in-loop -- one board at a time
    figures.push(...(await measure(affected, firmware, port, note)))
  }
  return figures
}

async function measure(
  affected: readonly Cause[],
  firmware: Cause['firmware'],
  port: string | undefined,
  note: (line: string) => void,
): Promise<readonly Figure[]> {
  const stage = await stageFor(firmware, port)
  if (typeof stage === 'string') return affected.flatMap((cause) => skipped(cause, stage))
  const crew = makeCrew()
  const folder = mkdtempSync(join(tmpdir(), 'mechos-bench-'))
  try {
    const figures: Figure[] = []
    for (const cause of affected) {
      const sinceMs = performance.now()
      // oxlint-disable-next-line no-await-in-loop -- one cause at a time
      figures.push(...(await figuresOf(cause, stage, crew, join(folder, 'note.json'))))
      note(`${cause.name}: ${Math.round((performance.now() - sinceMs) / 1000)} s`)
    }
    return figures
  } finally {
    await crew.dismiss()
    await stage.close()
    rmSync(folder, { recursive: true })
  }
}

/** Or why there is none. */
async function stageFor(
  firmware: Cause['firmware'],
  port: string | undefined,
): Promise<Stage | string> {
  // Where a MechosFirmata is measured nobody is left to say anything.
  if (port !== undefined) return firmware === 'StandardFirmata' ? foreignStage(port) : unseen
  const supply = firmware === 'StandardFirmata' ? builtHex() : mechosHex()
  return supply.firmware
    ? emulatedStage(supply.firmware)
    : `${firmware} cannot be built here: ${supply.reason}`
}

async function figuresOf(
  cause: Cause,
  stage: Stage,
  crew: Crew,
  note: string,
): Promise<readonly Figure[]> {
  const { pins, told } = expectedOf(cause)
  const series = makeSeries(cause, stage, crew, note)
  try {
    const shots = await collect((index) => series.shoot(index))
    return [
      stage.pins ? timingFigure(pins, timingsOf(shots)) : skippedFigure(pins, unseen),
      ...(shots.kept.some(({ finding }) => finding) ? [timingFigure(told, findingsOf(shots))] : []),
    ]
  } catch (error) {
    return [brokenFigure(pins, messageOf(error))]
  } finally {
    await series.end()
  }
}

function skipped(cause: Cause, reason: string): readonly Figure[] {
  return [skippedFigure(expectedOf(cause).pins, reason)]
}

function expectedOf({ name, bound, patienceMs }: Cause): Expected {
  const { body } = parseConfiguration(unoRover)
  if (body.kind !== 'firmata') throw new TypeError('the rover of the example is on a board')
  const wireMs = haltFrame(pinTableOf(body)).length / bytesPerMs
  return {
    pins: { name, bound, floor: patienceMs > 0 ? patienceMs : wireMs },
    told: { name: `${name}-told`, bound: toldMsMax, floor: wireMs },
  }
}

/** A halt for which there is no evidence is one that was never told of. */
function findingsOf({ kept, ...rest }: Collection<Shot>): Timings {
  const ms = kept.map(({ finding }) =>
    finding?.evidence === 'measured' || finding?.evidence === 'echoed' ? finding.ms : Infinity,
  )
  return { ...rest, ms }
}

/** The samples of one cause. */
interface Series {
  shoot(index: number): Promise<Shot>
  /** Lets go of the robot. */
  end(): Promise<void>
}

function makeSeries(cause: Cause, { port, pins }: Stage, crew: Crew, note: string): Series {
  let present: Rover | undefined
  let isOpen = false

  async function open(): Promise<Rover> {
    const rover = present ?? (await crew.next())
    present = rover
    const spare = cause.afterwards === 'restart' ? crew.prepare() : undefined
    if (!isOpen) {
      rover.tell({ do: 'open', configuration: unoRover, port, note })
      const { deadman } = await rover.hears('open')
      if (deadman !== (cause.firmware === 'MechosFirmata')) {
        throw new Error(
          `a board ${deadman ? 'with' : 'without'} a deadman is not what was asked for`,
        )
      }
      isOpen = true
    }
    await spare
    return rover
  }
  async function drive(rover: Rover) {
    rover.tell({ do: 'drive' })
    await rover.hears('driving')
    await pins?.driven()
  }
  async function discard() {
    const rover = present
    present = undefined
    isOpen = false
    await rover?.kill()
  }
  async function tidyUp(rover: Rover, hasRested: boolean) {
    if (cause.afterwards === 'restart' || !hasRested) await discard()
    else if (cause.afterwards === 'reopen') {
      isOpen = false
      rover.tell({ do: 'close' })
      await rover.hears('closed')
    }
  }

  return {
    async shoot(index) {
      let rover: Rover
      try {
        rover = await open()
        await drive(rover)
      } catch (error) {
        await discard()
        return { ms: Number.NaN, slipMs: 0, finding: undefined, fault: messageOf(error) }
      }
      await delay(phaseMs(index, cause.periodMs))
      await pins?.mark()
      const { atMs, finding } = await cause.strike(rover, { note, isWarmUp: index < warmUps })
      await pins?.rested()
      const found = await finding?.()
      const rest = (await pins?.rest()) ?? { atMs, slipMs: 0 }
      await tidyUp(rover, Number.isFinite(rest.atMs))
      return { ms: rest.atMs - atMs, slipMs: rest.slipMs, finding: found }
    },
    async end() {
      await present?.leave()
      present = undefined
    },
  }
}
