import { type Briefing, reply, startModel } from '../support/model-server.ts'
import type { BenchOptions } from './command.ts'
import { killAgainAndAgain, type Lives, type Mortal, together } from './crash/lives.ts'
import { type Counted, countedFigure, type Figure } from './figure.ts'

const kills = 100
const seed = 1
const lifeMsMax = 2_500

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
  return crashFigures(await liveAndDie({ kills, seed, lifeMsMax, note }), kills)
}

/** Two robots at a time, each with its own stores, half of the kills each. */
export async function liveAndDie({
  kills: all,
  note,
  ...run
}: Omit<Mortal, 'url'> & Pick<BenchOptions, 'note'>): Promise<Lives> {
  const model = await startModel(restless())
  try {
    const shares = [Math.ceil(all / 2), Math.floor(all / 2)]
    const lanes = await Promise.all(
      shares.map((share, at) =>
        killAgainAndAgain({
          ...run,
          url: model.url,
          kills: share,
          seed: 2 * run.seed + at,
        }),
      ),
    )
    const lives = lanes.reduce(together)
    note(lineOf(lives))
    for (const fault of lives.faults) note(fault)
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
