import { type ChildName, childNames, policies } from '../supervision.ts'
import { stateOf } from './charts.ts'
import { beginning, supposing } from './explore.ts'
import { guides, movers, restarts } from './movers.ts'
import {
  type Children,
  contextOf,
  endedBy,
  isAlarm,
  isBlocked,
  isHeld,
  isIn,
  isInsistedOn,
  isUnwell,
  isWell,
  lastStraw,
  putOff,
  reliedOn,
  type RootModel,
  type RootPlace,
  type RootStep,
  started,
  toldState,
  wordsIn,
} from './robot.model.ts'
import { begin, detailOf, type Effect } from './step.ts'

/** What a broken rule is counted as. */
export type Kind = 'haltFailures' | 'escapes' | 'errorStates' | 'others'

/** Something that is true of every step that the root can take. */
export interface Rule {
  readonly says: string
  readonly kind: Kind
  holds(step: RootStep, model: RootModel): boolean
}

/** What a person asks a robot that is holding to begin to move by. */
const beginnings = ['robot.resume', 'robot.goal', 'robot.takeOver']

/** What is said of steps from places to which no way may lead. */
const supposition: Rule = {
  says: 'even if it came about that somebody were missing, or board or guardian not relied on, while it stands by or holds: then it neither arms nor moves, nor is it taken over',
  kind: 'escapes',
  holds: ({ from, event, to, thrown }) =>
    event[supposing] === undefined ||
    (thrown === undefined &&
      (stateOf(to) === stateOf(from) || (!isMotion(to) && !isIn(to, 'active')))),
}

/** What the root promises. */
export const rules: readonly Rule[] = [
  supposition,
  {
    says: 'nothing leaves the root in error: every action is there, and none throws',
    kind: 'errorStates',
    holds: ({ to, thrown }) => to.snapshot.status !== 'error' && thrown === undefined,
  },
  {
    says: 'robot.halt leads to halted in one macrostep, trips the gate, names its cause and raises the epoch',
    kind: 'haltFailures',
    holds: (step) =>
      step.event.type !== 'robot.halt' ||
      (hasHalted(step) && contextOf(step.to).causes.some((cause) => cause === step.event['cause'])),
  },
  {
    says: 'whoever enters halted trips the gate, with all causes, before anything else is done',
    kind: 'haltFailures',
    holds: (step) =>
      !isIn(step.to, 'halted') ||
      isIn(step.from, 'halted') ||
      (hasHalted(step) && tripsFirst(step)),
  },
  {
    says: 'the gate is tripped by entering halted, and only then',
    kind: 'haltFailures',
    holds: ({ to, effects }) => !effects.some(isEffect('tripGate')) || isIn(to, 'halted'),
  },
  {
    says: 'the failure or the end of whoever moves the robot halts it',
    kind: 'haltFailures',
    holds: (step) => {
      const ended = endedBy(step.event)
      return !ended || !movers.includes(ended) || hasHalted(step)
    },
  },
  {
    says: 'a board that is lost halts it, and so do guardian and failsafe at fault; a robot that is halted already notes it',
    kind: 'haltFailures',
    holds: (step) =>
      !isAlarm(step.event) ||
      (isIn(step.from, 'halted') ? isIn(step.to, 'halted') : hasHalted(step)),
  },
  {
    says: 'it is halted exactly as long as it has a cause, and the first one is kept',
    kind: 'haltFailures',
    holds: ({ from, event, to }) => {
      const [first] = event.type === 'robot.reset' ? [] : contextOf(from).causes
      const isCaused = contextOf(to).causes.length > 0
      const isUnclean = isIn(to, 'booting') && contextOf(to).input.unclean !== undefined
      return (
        isIn(to, 'off') ||
        (isCaused === (isIn(to, 'halted') || isUnclean) &&
          (first === undefined || !isCaused || contextOf(to).causes[0] === first))
      )
    },
  },
  {
    says: 'causes are few: 16 at most',
    kind: 'others',
    holds: ({ to }) => contextOf(to).causes.length <= 16,
  },
  {
    says: 'halted is left by robot.reset for standby, by robot.shutdown for off, and by nothing else',
    kind: 'escapes',
    holds: ({ from, event, to }) =>
      !isIn(from, 'halted') ||
      isIn(to, 'halted') ||
      (event.type === 'robot.reset' && isIn(to, 'standby')) ||
      (event.type === 'robot.shutdown' && isIn(to, 'off')),
  },
  {
    says: 'robot.reset does something in halted only, and there when board and guardian are well or are to be started anew and the failsafe lets it; then everybody is started again but the model',
    kind: 'escapes',
    holds: ({ from, event, to, effects }, model) => {
      if (event.type !== 'robot.reset') return true
      const may =
        isIn(from, 'halted') &&
        !isBlocked(from) &&
        reliedOn(model).every((child) => isWell(from, child) || from.ghost.dead.includes(child))
      if (!may) return isUntouched(from, to, effects)
      const isAgain = isIn(to, 'halted') && isUnwell(to)
      return (isIn(to, 'standby') || isAgain) && to.ghost.dead.every((child) => child === 'llm')
    },
  },
  {
    says: 'off is entered from halted only, and closes the board',
    kind: 'escapes',
    holds: ({ from, to, effects }) =>
      !isIn(to, 'off') ||
      (isIn(from, 'halted') &&
        wordsIn(effects).some(
          ({ event, to: child }) => event.type === 'board.close' && child === 'board',
        )),
  },
  {
    says: 'robot.shutdown ends a halted robot',
    kind: 'others',
    holds: ({ from, event, to }) =>
      event.type !== 'robot.shutdown' || !isIn(from, 'halted') || isIn(to, 'off'),
  },
  {
    says: 'it begins in booting, which the clock ends if nobody else does',
    kind: 'escapes',
    holds: ({ from, event, to, effects }) =>
      event.type === beginning
        ? isIn(to, 'booting') && putOff(effects).some(({ event: timer }) => isTimer(timer.type))
        : !isIn(from, 'booting') || !isTimer(event.type) || isIn(to, 'halted'),
  },
  {
    says: 'it boots as soon as its board is ready: to standby, and after an unclean end to halted, with that among the causes',
    kind: 'escapes',
    holds: ({ from, to }) => {
      const { unclean } = contextOf(to).input
      const isNamed = unclean === undefined || contextOf(to).causes.includes(unclean)
      if (isIn(to, 'booting')) return !isReady(to) && isNamed
      if (!isIn(from, 'booting')) return true
      return isIn(to, 'halted')
        ? isNamed
        : unclean === undefined && isIn(to, 'standby') && isReady(to)
    },
  },
  {
    says: 'standby is entered from booting and from halted only',
    kind: 'escapes',
    holds: ({ from, to }) =>
      !isIn(to, 'standby') || ['booting', 'halted', 'standby'].some((name) => isIn(from, name)),
  },
  {
    says: 'robot.arm arms in standby, by the present epoch, with board and guardian well and nobody missing who moves it; otherwise it does nothing at all',
    kind: 'escapes',
    holds: ({ from, event, to, effects }, model) => {
      if (event.type !== 'robot.arm') return true
      const { epoch } = contextOf(from)
      const may =
        isIn(from, 'standby') &&
        event['epoch'] === epoch &&
        isSound(from, model) &&
        hasAll(movers, from)
      if (!may) return isUntouched(from, to, effects)
      const [armed, ...more] = effects.filter(isEffect('armBody'))
      return (
        isIn(to, 'active.holding') &&
        contextOf(to).epoch === epoch + 1 &&
        detailOf(armed?.params, 'epoch') === epoch + 1 &&
        more.length === 0
      )
    },
  },
  {
    says: 'nothing but robot.arm arms the body, or leads from standby to active',
    kind: 'escapes',
    holds: ({ from, event, to, effects }) =>
      event.type === 'robot.arm' ||
      (!effects.some(isEffect('armBody')) && (!isIn(to, 'active') || isIn(from, 'active'))),
  },
  {
    says: 'the epoch is raised by one with each halt and each arming, and by nothing else',
    kind: 'escapes',
    holds: ({ from, to, effects }) => {
      const raises = effects.some(isEffect('tripGate')) || effects.some(isEffect('armBody'))
      return contextOf(to).epoch === contextOf(from).epoch + (raises ? 1 : 0)
    },
  },
  {
    says: 'each state is either safe or tagged motion, never both; off is neither',
    kind: 'escapes',
    holds: ({ to }) => isIn(to, 'off') || isMotion(to) !== to.snapshot.hasTag('safe'),
  },
  {
    says: 'motion is possible in autonomous and manual, and nowhere else',
    kind: 'escapes',
    holds: ({ to }) =>
      isMotion(to) === (isIn(to, 'active.autonomous') || isIn(to, 'active.manual')),
  },
  {
    says: 'motion begins with resume, goal or takeOver in an armed robot, and with nothing else',
    kind: 'escapes',
    holds: ({ from, event, to }) =>
      isMotion(from) ||
      !isMotion(to) ||
      (isIn(from, 'active.holding') && beginnings.includes(event.type)),
  },
  {
    says: 'it drives itself after resume or goal in holding only, with everybody there whom that needs, and then it does',
    kind: 'escapes',
    holds: ({ from, event, to }, model) => {
      if (isIn(from, 'active.autonomous')) return true
      const isAsked = ['robot.resume', 'robot.goal'].includes(event.type)
      const may =
        isAsked &&
        isIn(from, 'active.holding') &&
        isSound(from, model) &&
        !isInsistedOn(from) &&
        hasAll([...guides, 'agent'], from)
      return isIn(to, 'active.autonomous') === may || (may && isStoppedAgain(to))
    },
  },
  {
    says: 'a person drives it after takeOver only, with perception there, and then he does',
    kind: 'escapes',
    holds: ({ from, event, to }, model) => {
      if (event.type !== 'robot.takeOver') {
        return !isIn(to, 'active.manual') || isIn(from, 'active.manual')
      }
      const may = isIn(from, 'active') && isSound(from, model) && hasAll(guides, from)
      return isIn(to, 'active.manual') === may || (may && isStoppedAgain(to))
    },
  },
  {
    says: 'robot.pause and robot.release end motion',
    kind: 'escapes',
    holds: ({ from, event, to }) =>
      event.type === 'robot.pause'
        ? !isIn(from, 'active') || isIn(to, 'active.holding')
        : event.type !== 'robot.release' ||
          !isIn(from, 'active.manual') ||
          isIn(to, 'active.holding'),
  },
  {
    says: 'whoever enters a safe state inhibits wheels and relays and locks the kernel, at once; halted and standby pause the agent, too',
    kind: 'escapes',
    holds: ({ from, event, to, effects }) => {
      if (!to.snapshot.hasTag('safe') || event.type === beginning) return true
      if (stateOf(from) === stateOf(to)) return true
      const said = wordsIn(effects)
      const isAtRest = isIn(to, 'halted') || isIn(to, 'standby')
      const wanting = { ...inhibitions, ...(isAtRest && { agent: 'agent.pause' }) }
      return Object.entries(wanting).every(([child, type]) =>
        said.some((word) => word.to === child && word.event.type === type),
      )
    },
  },
  {
    says: 'unless it may move, the kernel is locked, wheels and relays are inhibited and the agent is paused; when it may, each is as it must be',
    kind: 'escapes',
    holds: ({ to }, model) =>
      isIn(to, 'off') ||
      Object.entries(wanted(to)).every(([name, state]) => {
        const child = childNames.find((known) => known === name)
        if (!child || to.ghost.dead.includes(child)) return true
        return state.test(toldState(model, to, child))
      }),
  },
  {
    says: 'nobody who moves or guides the robot is missing while it may move, and its board and guardian are well',
    kind: 'escapes',
    holds: ({ to }, model) => !isMotion(to) || (isSound(to, model) && hasAll(guides, to)),
  },
  {
    says: 'it stands still when its failsafe says that it must hold',
    kind: 'escapes',
    holds: ({ to }) => !isMotion(to) || !isHeld(to),
  },
  {
    says: 'it may drive itself only while nobody but the model is given up',
    kind: 'escapes',
    holds: ({ to }) =>
      !isIn(to, 'active.autonomous') ||
      to.ghost.dead.every((child) => child === 'llm' || to.ghost.awaited.includes(child)),
  },
  {
    says: 'a child that failed once too often ends motion, and an armed robot holds and says so',
    kind: 'escapes',
    holds: ({ from, event, to }) => {
      const child = endedBy(event)
      if (!child || event['error'] !== lastStraw) return true
      if (isIn(to, 'halted') || !isIn(from, 'active')) return !isMotion(to)
      return isIn(to, 'active.holding') && contextOf(to).notice?.includes(child) === true
    },
  },
  {
    says: 'what the root knows of board and guardian is true: linked and guarded exactly while they are well',
    kind: 'escapes',
    holds: ({ to }) =>
      isIn(to, 'off') ||
      Object.entries(knowledge).every(([child, fact]) => {
        const name = childNames.find((known) => known === child)
        return !name || detailOf(contextOf(to), fact) === isWell(to, name)
      }),
  },
  {
    says: 'what the root knows of its failsafe is true: its caution is what it said last',
    kind: 'escapes',
    holds: ({ to }) => {
      const caution = detailOf(contextOf(to), 'caution')
      if (to.ghost.dead.some((child) => child === 'failsafe') || isIn(to, 'off')) return true
      const tags = detailOf(to.ghost.followed, 'failsafe')?.toString().split(' ') ?? []
      const worst = cautions.find((word) => tags.includes(word)) ?? 'clear'
      return caution === undefined || caution === worst
    },
  },
  {
    says: 'what the root knows of its children is true: absent are those that failed or ended, and nobody else',
    kind: 'escapes',
    holds: ({ to }) =>
      isIn(to, 'off') || contextOf(to).absent.toSorted().join() === to.ghost.dead.toSorted().join(),
  },
  {
    says: 'a failure is counted, forgiven once after a minute, and answered by one restart, later and later, until its policy is used up',
    kind: 'others',
    holds: ({ from, event, to, effects }) => {
      const child = endedBy(event)
      if (!child || movers.includes(child)) return true
      const later = putOff(effects)
      const restart = later.filter((word) => word.event.type === 'child.restart')
      const forgiveness = later.filter((word) => word.event.type === 'child.forgiven')
      const may = event['error'] !== lastStraw && policies[child].restartsMax > 0
      return (
        failuresOf(to, child) === failuresOf(from, child) + 1 &&
        forgiveness.length === 1 &&
        forgiveness.every(
          ({ event: word, delay }) => word['child'] === child && delay === restarts.periodMs,
        ) &&
        restart.length === (may ? 1 : 0) &&
        restart.every(({ event: word, delay }) => word['child'] === child && isBackoff(delay))
      )
    },
  },
  {
    says: 'forgiving takes back one failure and does nothing else',
    kind: 'others',
    holds: ({ from, event, to, effects }) => {
      if (event.type !== 'child.forgiven') return true
      const child = childNames.find((name) => name === event['child'])
      const fewer = child && Math.max(0, failuresOf(from, child) - 1)
      return (
        child !== undefined &&
        failuresOf(to, child) === fewer &&
        stateOf(to) === stateOf(from) &&
        effects.length === 0
      )
    },
  },
  {
    says: 'a restart starts the child that it is for, and no other, and leads to no other state',
    kind: 'escapes',
    holds: ({ from, event, to, effects }) =>
      event.type !== 'child.restart' ||
      (stateOf(to) === stateOf(from) &&
        started(effects).every((child) => event['child'] === child) &&
        (started(effects).length === 1) ===
          from.ghost.dead.some((child) => child === event['child'])),
  },
  {
    says: 'each child starts under its own name, with what the configuration says; the kernel with its rules',
    kind: 'escapes',
    holds: ({ event, effects, to }, model) => {
      const spawned = effects.filter(isEffect('xstate.spawnChild')).map(({ params }) => params)
      const { input } = contextOf(to)
      return (
        (event.type !== beginning || spawned.length === childNames.length) &&
        spawned.every((params) => {
          const id = detailOf(params, 'id')
          const isNamed =
            childNames.some((name) => name === id) &&
            id === detailOf(params, 'src') &&
            id === detailOf(params, 'systemId')
          const isRuled =
            id !== 'kernel' ||
            (detailOf(params, 'input', 'rules') === input.rules &&
              detailOf(params, 'input', 'grants') === input.grants)
          const isWatched =
            id !== 'perception' || detailOf(params, 'input', 'sensors') === input.sensors
          return isNamed && isRuled && isWatched && canBegin(model, id, detailOf(params, 'input'))
        })
      )
    },
  },
  {
    says: 'nobody is started but at the beginning, by a reset and by a restart, and the model never a second time',
    kind: 'escapes',
    holds: ({ event, effects }) =>
      started(effects).length === 0 ||
      event.type === beginning ||
      (['robot.reset', 'child.restart'].includes(event.type) && !started(effects).includes('llm')),
  },
  {
    says: 'the root never says to itself what only a person may say, and each of its words goes at once to the child that it is for, in the present epoch',
    kind: 'escapes',
    holds: ({ effects, to }) =>
      putOff(effects).every(
        ({ event, delay }) =>
          event.type === 'child.exhausted' ||
          ((isTimer(event.type) || event.type.startsWith('child.')) &&
            typeof delay === 'number' &&
            delay > 0 &&
            delay <= longestMs),
      ) &&
      wordsIn(effects).every(
        ({ event, to: child, delay }) =>
          delay === undefined &&
          childNames.some((name) => name === child && event.type.startsWith(`${name}.`)) &&
          (!('epoch' in event) || event['epoch'] === contextOf(to).epoch),
      ),
  },
  {
    says: 'a beat is stamped, and changes nothing',
    kind: 'others',
    holds: ({ from, event, to, effects }) =>
      event.type !== 'robot.beat' ||
      (stateOf(to) === stateOf(from) &&
        contextOf(to) === contextOf(from) &&
        effects.length === 1 &&
        effects.some(isEffect('stampBeat')) &&
        detailOf(effects[0]?.params, 'stampMs') === event['stampMs']),
  },
  {
    says: 'a goal is noted and passed on, wherever it is set',
    kind: 'others',
    holds: ({ event, to, effects }) =>
      event.type !== 'robot.goal' ||
      (contextOf(to).goal === event['text'] &&
        wordsIn(effects).some(
          (word) => word.event.type === 'agent.goal' && word.event['text'] === event['text'],
        )),
  },
  {
    says: 'what nobody knows does nothing',
    kind: 'escapes',
    holds: ({ from, event, to, effects }) =>
      !event.type.endsWith('unheard') || isUntouched(from, to, effects),
  },
]

/** The rules that a step breaks. */
export function brokenBy(step: RootStep, model: RootModel): readonly Rule[] {
  if (step.event[supposing] !== undefined) {
    return supposition.holds(step, model) ? [] : [supposition]
  }
  return rules.filter(
    ({ kind, holds }) =>
      // Nothing else can be said of a step that broke down.
      (step.thrown === undefined || kind === 'errorStates') && !holds(step, model),
  )
}

/** What each of them is told when motion ends. */
const inhibitions: Readonly<Record<string, string>> = {
  kernel: 'kernel.lock',
  motion: 'motion.inhibit',
  relays: 'relays.inhibit',
}

/** The states that the root's words must have led its children to. */
function wanted(place: RootPlace): Readonly<Record<string, RegExp>> {
  const limbs = isMotion(place) ? /^(?!inhibited)/ : /^inhibited/
  const isAlone = isIn(place, 'active.autonomous')
  return {
    kernel: !isMotion(place) ? /^locked$/ : isAlone ? /^open$/ : /^overridden$/,
    motion: limbs,
    arm: limbs,
    relays: limbs,
    agent: isAlone ? /^(?!holding)/ : /^holding\.paused$/,
  }
}

/** True when a child does not break down over what it is given. */
function canBegin({ children }: RootModel, id: unknown, input: unknown): boolean {
  const chart = [...children].find(([name]) => name === id)?.[1]
  return !chart || begin(chart, input).thrown === undefined
}

/** The longest that the root may put anything off, in ms. */
const longestMs = restarts.periodMs

function hasHalted({ from, to, effects }: RootStep): boolean {
  const trips = effects.filter(isEffect('tripGate'))
  return (
    isIn(to, 'halted') &&
    trips.length === 1 &&
    trips.every(({ params }) => detailOf(params, 'causes') === contextOf(to).causes) &&
    contextOf(to).epoch === contextOf(from).epoch + 1
  )
}

/** Before the gate is shut nothing is done that is not XState's own. */
function tripsFirst({ effects }: RootStep): boolean {
  return effects.find(({ type }) => !type.startsWith('xstate.'))?.type === 'tripGate'
}

function isUntouched(from: RootPlace, to: RootPlace, effects: readonly Effect[]): boolean {
  return effects.length === 0 && contextOf(to) === contextOf(from) && stateOf(to) === stateOf(from)
}

function isEffect(type: string) {
  return (effect: Effect): boolean => effect.type === type
}

function isMotion({ snapshot }: RootPlace): boolean {
  return snapshot.hasTag('motion')
}

function isReady(place: RootPlace): boolean {
  return isWell(place, 'board')
}

/** Everybody whose word the robot waits for has given it, and nobody has taken it back. */
function isSound(place: RootPlace, model: RootModel): boolean {
  return reliedOn(model).every((child) => isWell(place, child)) && !isUnwell(place)
}

/** Motion had begun, and a child that was told so had something to say against it. */
function isStoppedAgain(place: RootPlace): boolean {
  return (
    (isIn(place, 'active.holding') && isHeld(place)) || (isIn(place, 'halted') && isUnwell(place))
  )
}

/** What a failsafe may say, the worst first. */
const cautions = ['blocked', 'fault', 'insisting', 'held']

/** By what the root remembers that a child is well. */
const knowledge: Readonly<Record<string, string>> = { board: 'linked', guardian: 'guarded' }

function hasAll(children: readonly ChildName[], { ghost }: { readonly ghost: Children }): boolean {
  return !children.some((child) => ghost.dead.includes(child))
}

function isTimer(type: string): boolean {
  return type.startsWith('xstate.after.')
}

function failuresOf(place: RootPlace, child: ChildName): number {
  return contextOf(place).failures[child] ?? 0
}

function isBackoff(delay: unknown): boolean {
  return (
    typeof delay === 'number' && delay >= restarts.backoffMinMs && delay <= restarts.backoffMaxMs
  )
}
