import type { SnapshotFrom } from 'xstate'
import { reportOf } from '../actors/account.ts'
import { MechosError, messageOf } from '../core/vocabulary/errors.ts'
import type { BudgetNote } from '../core/vocabulary/question.ts'
import type { Report } from '../core/vocabulary/status.ts'
import type { robotMachine } from '../machines/robot.machine.ts'
import { accountOf, explain } from './account.ts'
import { followRoot } from './following.ts'
import { halt } from './halt.ts'
import { tellPerson } from './notice.ts'
import type { Parts } from './parts.ts'
import { sense, watchCamera } from './sensing.ts'
import { watchOver } from './watch.ts'

/** Attaches every listener, then starts root, reflex loop and cameras. Resolves once it stands by; a simulated one then arms itself. */
export async function start(parts: Parts): Promise<void> {
  const { body, listen, options, reflex, remembering, root, thinking, times } = parts
  times.loopDelay.enable()
  if (thinking.endpoints.length > 0) await thinking.prepare()
  if (remembering) await remembering.start()
  listen('start', () => body.onReading(listen('reading', (reading) => sense(parts, reading))))()
  followRoot(parts)
  reflex.ticks.subscribe(listen('tick', watchOver(parts)))
  followBudget(parts)
  // What is done for the first time is slow, and nothing may be slow once it is armed.
  explain(parts)
  const isBooted = booted(parts)
  root.start()
  listen('start', () => reflex.start())()
  for (const camera of options.cameras ?? []) watchCamera(parts, camera)
  await isBooted
  // What it took to get here delayed nothing that moves.
  times.loopDelay.reset()
  if (body.kind === 'simulated' && options.selfArm !== false && options.unclean === undefined) {
    root.send({ type: 'robot.arm', epoch: root.getSnapshot().context.epoch })
    root.send({ type: 'robot.resume' })
  }
}

/** Says once that a budget is exhausted, and what would lift that; and once that it is not any more. */
function followBudget(parts: Parts): void {
  const { configuration, listen, thinking } = parts
  let last = thinking.opened?.note.level
  const hear = listen('budget', ({ level, cause }: BudgetNote) => {
    if (level === 'exhausted') tellPerson(parts, `${configuration.name}: ${cause ?? level}`)
    else if (last === 'exhausted') {
      tellPerson(parts, `${configuration.name}: the budget is ${level} again; its models are asked`)
    }
    last = level
  })
  if (thinking.opened?.note.level === 'exhausted') hear(thinking.opened.note)
  thinking.opened?.onNote(hear)
}

/** Resolves when the root has left `booting` with a body, rejects when it has left it without. */
function booted({ children, listen, root }: Parts): Promise<void> {
  return new Promise((resolve, reject) => {
    const subscription = root.subscribe({
      next: listen('booted', (snapshot: SnapshotFrom<typeof robotMachine>) => {
        if (snapshot.matches('booting')) return
        queueMicrotask(() => subscription.unsubscribe())
        if (snapshot.context.linked) resolve()
        else
          reject(bootError(children.board()?.getSnapshot().context.error, snapshot.context.causes))
      }),
      error: reject,
    })
  })
}

function bootError(error: unknown, causes: readonly string[]): Error {
  if (error instanceof MechosError) return error
  return new MechosError('ERR_BOARD_LOST', causes.join('; ') || 'the body did not open', {
    cause: error,
  })
}

/** Halts, lets go of everything, and resolves to the account of the run. */
export async function stop(parts: Parts): Promise<Report> {
  const { clock, enabling, halting, reflex, root, times } = parts
  if (!root.getSnapshot().matches('halted')) await halt(parts, 'end of run')
  await halting.final()
  reflex.stop()
  enabling.close()
  try {
    return reportOf(accountOf(parts), {
      seconds: round((clock.now() - times.startedMs) / 1000),
      wallSeconds: round((times.wall.now() - times.wallStartedMs) / 1000),
      delay: {
        p50: round(times.loopDelay.percentile(50) / 1e6),
        p99: round(times.loopDelay.percentile(99) / 1e6),
        max: round(times.loopDelay.max / 1e6),
      },
    })
  } finally {
    times.loopDelay.disable()
    if (root.getSnapshot().status === 'active') root.send({ type: 'robot.shutdown' })
    await letGo(parts)
  }
}

/** Closes body, ledger, memory and cameras, each whether or not another can be closed, and waits no longer than the limit. */
async function letGo(parts: Parts): Promise<void> {
  const { body, log, options, remembering, thinking, times } = parts
  const all = [body, thinking, ...(remembering ? [remembering] : []), ...(options.cameras ?? [])]
  const closing = all.map(async (each) => each.close())
  const { wall } = times
  let timer = 0
  const limit = new Promise<void>((resolve) => {
    timer = wall.setTimeout(resolve, closeMsMax)
  })
  const closed = Promise.allSettled(closing).then((results) => {
    for (const result of results) {
      if (result.status === 'rejected') log.error({}, `closing failed: ${messageOf(result.reason)}`)
    }
  })
  await Promise.race([closed, limit])
  wall.clearTimeout(timer)
}

/** How long a body may take to let go of its ports, in ms. */
const closeMsMax = 2_000

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
