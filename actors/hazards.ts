import { type DriveGeometry, wheelSpeedsFor } from '../core/motion/kinematics.ts'
import {
  freshWatch,
  stalledWheels,
  strayWheels,
  type WheelWatch,
  watchWheels,
} from '../core/motion/stall.ts'
import { batteryHazard } from '../core/rules/battery.ts'
import { type Hazard, holdMs, patienceAfter } from '../core/rules/failsafe.ts'
import type { World } from '../core/space/world.ts'
import { STILL, type Twist } from '../core/vocabulary/geometry.ts'
import { motorPowerName } from '../core/vocabulary/parts.ts'
import type { Reading } from '../core/vocabulary/reading.ts'
import type { Children } from './children.ts'
import type { Watched } from './freshness.ts'

/** What hazards are read from. */
export interface HazardParts {
  /** Contacts that have to be closed. */
  readonly contacts: readonly Watched[]
  readonly drive: DriveGeometry | undefined
  readonly children: Children
  readonly world: { readonly value: World }
  /** What the wheels are told now. */
  commanded(): Twist
  /** Why a model may move nothing for want of a hand on the enabling device; undefined when it may. */
  unheld(): string | undefined
  /** Where the root is, and whether its body has been seen to obey. */
  root(): { readonly state: string; readonly linked: boolean }
  /** Trips the gate, before any chart has heard of it. */
  trip(cause: string): void
  /** Tells people of motion that nobody asked for. */
  alarm(cause: string): void
}

/** The eye of the failsafe. */
export interface HazardWatch {
  /** To be called with every reading: a contact that opens is acted on within the call. */
  hear(reading: Reading, nowMs: number): void
  /** To be called when the enabling device was taken hold of or let go. */
  note(nowMs: number): void
  /** To be called once a tick, with the sources that fell silent in the middle of a motion. */
  look(nowMs: number, silent: readonly string[]): void
}

/**
 * Gathers what should not be, and tells the failsafe when that changes: contacts, wheels, battery, sensors, the person at
 * the stick, and the model. What is to be halted at once trips the gate before the failsafe hears of it.
 */
export function watchHazards(parts: HazardParts): HazardWatch {
  const { contacts, drive, children, world } = parts
  let silent: readonly string[] = []
  let wheels: WheelWatch = freshWatch
  let battery: Hazard | undefined
  let linkedMs: number | undefined
  let lookedMs: number | undefined
  let patience: ReadonlyMap<string, number> = new Map()
  let present: readonly Hazard[] = []
  let told: { readonly to: unknown; readonly what: string } | undefined

  const contactHazards = (now: number): readonly Hazard[] => {
    const { linked } = parts.root()
    linkedMs = linked ? (linkedMs ?? now) : undefined
    const since = linkedMs
    if (since === undefined) return []
    return contacts
      .filter((contact) => isOpen(contact, world.value, since, now))
      .map(({ name }) => atOnce(contactCause(name)))
  }
  const wheelHazards = (): readonly Hazard[] => {
    const { state } = parts.root()
    const stray = strayWheels(wheels)
    if (state === 'halted') return stray.length > 0 ? [atOnce(motionWhileHalted)] : []
    if (!state.startsWith('active')) return []
    return [
      ...stalledWheels(wheels).map((side) => atOnce(`the ${side} wheel is stalled`)),
      ...stray.map((side) => atOnce(`the ${side} wheel turns though nobody asked it to`)),
    ]
  }
  const batteryHazards = (): readonly Hazard[] => {
    const reading = world.value.battery
    battery = reading && batteryHazard(reading.charge, battery)
    return battery ? [battery] : []
  }
  const sensorHazards = (): readonly Hazard[] =>
    staleSensors().map((name): Hazard =>
      (patience.get(name) ?? holdMs) > 0
        ? {
            name: `${name} is not heard of`,
            rung: 'warn',
            clears: 'byItself',
            takeover: 'bySwitch',
          }
        : held(`${name} was not heard of for too long`),
    )
  /** Those that were heard of once: until then there is no motion anyway. */
  const staleSensors = (): readonly string[] => {
    const perception = children.perception()?.getSnapshot()
    if (perception?.matches('lost') !== true) return []
    return perception.context.stale.filter((name) => contacts.every((each) => each.name !== name))
  }
  const modelHazards = (): readonly Hazard[] =>
    children.llm()?.getSnapshot().value.circuit === 'open'
      ? [{ name: 'no model answers', rung: 'warn', clears: 'byItself', takeover: 'bySwitch' }]
      : []
  const operatorHazards = (): readonly Hazard[] =>
    parts.root().state === 'active.manual' && silent.includes('operator')
      ? [held('the stick fell silent')]
      : []

  /** A person at the stick holds that. */
  const enablingHazards = (): readonly Hazard[] => {
    const name = parts.unheld()
    if (name === undefined || parts.root().state === 'active.manual') return []
    return [{ name, rung: 'hold', clears: 'byItself', takeover: 'bySwitch' }]
  }

  const tell = (now: number) => {
    const hazards = [
      ...contactHazards(now),
      ...wheelHazards(),
      ...operatorHazards(),
      ...enablingHazards(),
      ...sensorHazards(),
      ...batteryHazards(),
      ...modelHazards(),
    ]
    const fresh = hazards.filter(({ name }) => !present.some((known) => known.name === name))
    present = hazards
    for (const { name, rung, takeover } of fresh) {
      if (rung === 'halt' && takeover === 'never') parts.trip(name)
      if (name === motionWhileHalted) parts.alarm(name)
    }
    const isArmed = parts.root().state.startsWith('active')
    const to = children.failsafe()
    const what = JSON.stringify([isArmed, hazards])
    if (told?.to === to && told?.what === what) return
    told = { to, what }
    to?.send({ type: 'failsafe.sensed', hazards, stampMs: now, isArmed })
  }

  return {
    hear(reading, now) {
      if (reading.kind === 'contact') tell(now)
      if (reading.kind !== 'encoders' || !drive) return
      const isDriven = parts.root().state.startsWith('active')
      const commanded = wheelSpeedsFor(isDriven ? parts.commanded() : STILL, drive)
      wheels = watchWheels(wheels, reading, commanded)
    },
    note: tell,
    look(now, silentNow) {
      silent = silentNow
      const elapsedMs = now - (lookedMs ?? now)
      lookedMs = now
      patience = patienceWith(staleSensors(), patience, elapsedMs)
      tell(now)
    },
  }
}

const motionWhileHalted = 'motion measured while halted'

function contactCause(name: string): string {
  return name === motorPowerName ? 'motor power lost' : `stop button ${name}`
}

/** Halts at once, whatever anybody says, until a person resets it when it is over. */
function atOnce(name: string): Hazard {
  return { name, rung: 'halt', clears: 'byOperator', takeover: 'never' }
}

/** Holds until a person says how to go on. */
function held(name: string): Hazard {
  return { name, rung: 'hold', clears: 'byOperator', takeover: 'bySwitch' }
}

/** A contact that is open, makes no sense, or was not heard of for too long since the body is there. */
function isOpen({ name, staleMs }: Watched, world: World, sinceMs: number, now: number): boolean {
  if (world.contacts.get(name) === false || world.unsound.has(name)) return true
  const heardMs = Math.max(world.heardMs.get(name) ?? -Infinity, sinceMs)
  return !(now - heardMs <= staleMs)
}

function patienceWith(
  stale: readonly string[],
  before: ReadonlyMap<string, number>,
  elapsedMs: number,
): ReadonlyMap<string, number> {
  const names = new Set([...stale, ...before.keys()])
  const entries = [...names].map((name): [string, number] => [
    name,
    patienceAfter(before.get(name) ?? holdMs, elapsedMs, stale.includes(name)),
  ])
  return new Map(entries)
}
