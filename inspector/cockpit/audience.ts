import type { Clock } from '../../drivers/clock.ts'
import { contained } from './contained.ts'
import type { Gallery } from './gallery.ts'
import { reachWord } from './past.ts'
import type { ActorView, Drawing, LoopView, RobotWord } from './protocol.ts'
import type { Steered } from './steered.ts'
import { type Visitor, waitingBytesMax } from './visitor.ts'

/** Everybody who watches. Nothing is looked at, and no timer runs, while nobody does. */
export interface Audience {
  readonly size: number
  /** Tells a page everything that there is to see, and from then on what changes. */
  join(page: Visitor): void
  leave(page: Visitor): void
  /** How long ago the world of that moment, in ms on the robot's clock, was told, in ms; Infinity for one that was not. */
  ageOf(atMs: number): number
  /** Tells each page a word of its own. */
  sayEach(word: (page: Visitor) => RobotWord): void
}

/** What an audience watches. */
export interface Sight {
  readonly robot: Steered
  readonly clock: Clock
  readonly drawings: readonly Drawing[]
  readonly gallery: Gallery
  /** Has what happens in the charts told to `say`, until it is called back. */
  watch(say: (word: RobotWord) => void): () => void
  /** Something in here failed that should not have: it is not watched any more. */
  failed(cause: string): void
}

/**
 * How often what has changed is sent, in ms: actors at most 30 times a second, the world every third time, the status every
 * sixth, and new pictures less than twice a second.
 */
export const beatMs = 33
const worldBeats = 3
const statusBeats = 6
const cameraBeats = 16
/** How often is told how far back the record reaches: about every two seconds. */
const reachBeats = 60
/** How often each page is asked whether it is there: about every five seconds. One that has not answered by then is dropped. */
const pingBeats = 150

/** For how long a page may fail to take what it is sent, in ms. Meanwhile it is sent nothing. */
export const behindMsMax = 5_000

/** How many turns of the loop a page that comes is told of. */
const turnsMax = 50
/** How many of these with what was said to the model and by it, which is long. */
const wordyTurnsMax = 10
/** How many worlds are remembered as told: those of the last seconds. */
const worldsMax = 32
/** The most actors that a page is told of. */
const actorsMax = 256

export function createAudience(sight: Sight): Audience {
  const { robot, clock, drawings, gallery, watch, failed } = sight
  /** Since when each page has been behind, in ms; undefined for one that is not. */
  const pages = new Map<Visitor, number | undefined>()
  const actors = new Map<string, ActorView>()
  const turns = new Map<number, LoopView>()
  const changed = { actors: new Set<string>(), turns: new Set<number>() }
  let leaves: readonly (() => void)[] = []
  let timer = 0
  let beats = 0
  let isStatusDue = false
  /** The worlds that were told last, the youngest first. */
  let worlds: readonly { readonly atMs: number; readonly saidMs: number }[] = []

  const note = (word: RobotWord) => {
    if (word.type === 'actors') {
      for (const actor of word.actors) {
        if (!actors.has(actor.id) && actors.size >= actorsMax) continue
        actors.set(actor.id, actor)
        changed.actors.add(actor.id)
      }
    } else if (word.type === 'loop') {
      turns.set(word.turn.id, word.turn)
      changed.turns.add(word.turn.id)
      for (const id of [...turns.keys()].slice(0, -turnsMax)) turns.delete(id)
      for (const [id, turn] of [...turns].slice(0, -wordyTurnsMax)) {
        if (turn.sent ?? turn.reply) turns.set(id, { ...turn, sent: null, reply: null })
      }
    } else sayAll(word)
  }
  const send = (page: Visitor, texts: readonly string[]) => {
    if (page.waitingBytes > waitingBytesMax) {
      const sinceMs = pages.get(page) ?? clock.now()
      pages.set(page, sinceMs)
      if (!(clock.now() - sinceMs < behindMsMax)) page.drop()
      return
    }
    if (pages.get(page) !== undefined) {
      // What it missed of the charts is told whole; of everything else the next word tells enough.
      pages.set(page, undefined)
      for (const text of chartsNow()) page.send(text)
    }
    for (const text of texts) page.send(text)
  }
  const chartsNow = (): readonly string[] => [
    ...(actors.size > 0 ? [textOf({ type: 'actors', actors: [...actors.values()] })] : []),
    ...[...turns.values()].map((turn) => textOf({ type: 'loop', turn })),
  ]
  const worldNow = (): string => {
    const world = robot.world()
    worlds = [{ atMs: world.atMs, saidMs: clock.now() }, ...worlds].slice(0, worldsMax)
    return textOf({ type: 'world', world })
  }
  const viewsNow = (): readonly string[] => [
    textOf({ type: 'status', status: robot.snapshot() }),
    worldNow(),
    textOf({ type: 'cameras', cameras: gallery.cameras }),
  ]
  const sayAll = (word: RobotWord) => {
    const texts = [textOf(word)]
    for (const page of pages.keys()) send(page, texts)
  }

  const dueNow = (): readonly string[] => {
    const texts: string[] = []
    const moved = [...changed.actors].flatMap((id) => actors.get(id) ?? [])
    if (moved.length > 0) texts.push(textOf({ type: 'actors', actors: moved }))
    // Who has gone is told of once.
    for (const { id, status } of moved) if (status === 'stopped') actors.delete(id)
    for (const id of changed.turns) {
      const turn = turns.get(id)
      if (turn) texts.push(textOf({ type: 'loop', turn }))
    }
    changed.actors.clear()
    changed.turns.clear()
    if (isStatusDue || beats % statusBeats === 0) {
      texts.push(textOf({ type: 'status', status: robot.snapshot() }))
    }
    isStatusDue = false
    if (beats % worldBeats === 0) texts.push(worldNow())
    if (beats % reachBeats === 0) texts.push(textOf(reachWord(robot.past)))
    if (beats % cameraBeats === 0) gallery.look()
    const cameras = gallery.news()
    if (cameras) texts.push(textOf({ type: 'cameras', cameras }))
    return texts
  }
  const tell = contained(failed, () => {
    const texts = dueNow()
    const isAsked = beats % pingBeats === 0
    for (const page of pages.keys()) {
      if (isAsked && !page.isThere()) page.drop()
      else send(page, texts)
    }
  })
  const beat = () => {
    beats += 1
    timer = clock.setTimeout(beat, beatMs)
    tell()
  }

  const open = () => {
    gallery.look()
    leaves = [
      watch(contained(failed, note)),
      // Told with the next beat: nothing is looked up or sent from inside the root's own step.
      robot.onState(() => {
        isStatusDue = true
      }),
      robot.onNotice(contained(failed, (text) => sayAll({ type: 'notice', text }))),
    ]
    timer = clock.setTimeout(beat, beatMs)
  }
  const close = () => {
    clock.clearTimeout(timer)
    for (const leave of leaves) leave()
    leaves = []
    actors.clear()
    turns.clear()
    changed.actors.clear()
    changed.turns.clear()
    gallery.clear()
  }

  return {
    get size() {
      return pages.size
    },
    join(page) {
      pages.set(page, undefined)
      if (pages.size === 1) open()
      const texts = [
        ...drawings.map((drawing) => textOf({ type: 'drawing', drawing })),
        ...chartsNow(),
        ...viewsNow(),
      ]
      for (const text of texts) page.send(text)
    },
    leave(page) {
      if (pages.delete(page) && pages.size === 0) close()
    },
    ageOf(atMs) {
      const told = worlds.find((world) => world.atMs === atMs)
      return told ? clock.now() - told.saidMs : Number.POSITIVE_INFINITY
    },
    sayEach(word) {
      for (const page of pages.keys()) send(page, [textOf(word(page))])
    },
  }
}

function textOf(word: RobotWord): string {
  return JSON.stringify(word)
}
