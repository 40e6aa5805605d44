import { type Briefing, reply, startModel } from '../support/model-server.ts'
import type { BenchOptions } from './command.ts'
import { killAgainAndAgain, type Lives, together } from './crash/lives.ts'
import { type Counted, countedFigure, type Figure } from './figure.ts'

const kills = 100
const seed = 1

const promised = {
  ledger: { name: 'acknowledgedLost.ledger', unit: 'entries', bound: 0, op: '<=' },
  memories: { name: 'acknowledgedLost.episodes', unit: 'memories', bound: 0, op: '<=' },
  record: { name: 'acknowledgedLost.decisions', unit: 'decisions', bound: 0, op: '<=' },
  torn: { name: 'torn', unit: 'batches', bound: 0, op: '<=' },
  restarts: { name: 'restartsFailed', unit: 'restarts', bound: 0, op: '<=' },
} as const satisfies Record<string, Counted>

/**
 * A rover that a model drives is killed with SIGKILL at random moments of a run that writes everything that there is to
 * write: what it was told is kept must be there afterwards, each batch whole or not at all, and it must come up again.
 */
export async function crashBench({ note }: BenchOptions): Promise<readonly Figure[]> {
  return crashFigures(await liveAndDie({ kills, seed, note }), kills)
}

/** Two robots at a time, each with its own stores, half of the kills each. */
export async function liveAndDie(run: {
  readonly kills: number
  readonly seed: number
  note(line: string): void
}): Promise<Lives> {
  const model = await startModel(restless())
  try {
    const shares = [Math.ceil(run.kills / 2), Math.floor(run.kills / 2)]
    const all = await Promise.all(
      shares.map((share, at) =>
        killAgainAndAgain({ url: model.url, kills: share, seed: 2 * run.seed + at }),
      ),
    )
    const lives = all.reduce(together)
    run.note(lineOf(lives))
    for (const fault of lives.faults) run.note(fault)
    return lives
  } finally {
    await model.close()
  }
}

/** Fewer kills show nothing, and neither do robots that had hardly anything acknowledged. */
export function crashFigures(lives: Lives, killsMin: number): readonly Figure[] {
  const { acknowledged, faults, lost, torn, underWay } = lives
  const least = Math.min(...Object.values(acknowledged))
  const isShown = lives.kills >= killsMin && least >= killsMin / 2
  const figure = (counted: Counted, value: number, reason: string) =>
    countedFigure(counted, { value: isShown ? value : Number.NaN, n: lives.kills, reason })
  return [
    figure(promised.ledger, lost.ledger, `of ${acknowledged.ledger} that were acknowledged`),
    figure(promised.memories, lost.memories, `of ${acknowledged.memories} that were acknowledged`),
    figure(promised.record, lost.record, `of ${acknowledged.record} that were acknowledged`),
    figure(promised.torn, torn, `in ${underWay} of the kills something was being written`),
    figure(
      promised.restarts,
      faults.length,
      faults.length === 0 ? 'each opened what the one before it had left' : faults.join('; '),
    ),
  ]
}

/** Turns a little, and has something new remembered every third time. */
function restless(): (briefing: Briefing) => object {
  let asked = 0
  return ({ may }) => {
    asked += 1
    return asked % 3 === 0 && may.includes('remember')
      ? reply('to know it later', { type: 'remember', text: `the door number ${asked} is open` })
      : reply('to look around', { type: 'drive', linear: 0, angular: 1, durationMs: 100 })
  }
}

function lineOf({ acknowledged, kills: count, lost, torn, underWay }: Lives): string {
  const { ledger, memories, record } = acknowledged
  return `${count} kills, ${underWay} of them during a write: ${ledger} ledger entries, ${memories} memories and ${record} decisions acknowledged; ${lost.ledger}, ${lost.memories} and ${lost.record} lost, ${torn} torn`
}
