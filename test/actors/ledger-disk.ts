import type { Books } from '../../core/budget/books.ts'
import { MechosError } from '../../core/vocabulary/errors.ts'
import type { Amount } from '../../core/vocabulary/question.ts'
import type { Kept, LedgerStore } from '../../store/ledger.ts'

/** A disk that writes when it is told to, that can be full, and that outlives the processes that open it. */
export interface LedgerDisk {
  /** What a process finds that starts now. Whatever was not written by then is lost. */
  open(): LedgerStore
  /** Carries out the next write that waits; false when none does. */
  writeNext(): boolean
  /** While it holds, writes wait for `writeNext`. */
  holdsBack: boolean
  isFull: boolean
  /** What is on it. */
  kept(): Kept | undefined
  readonly log: readonly string[]
}

export function ledgerDisk(): LedgerDisk {
  let books: Books | undefined
  let holds = new Map<string, Amount>()
  let waiting: (() => void)[] = []
  const log: string[] = []
  const kept = () => books && { books, holds: new Map(holds) }

  const write = (line: string, change: () => void) =>
    new Promise<void>((resolve, reject) => {
      waiting.push(() => {
        if (disk.isFull) return reject(new MechosError('ERR_BUDGET_UNKEPT', 'the disk is full'))
        change()
        log.push(line)
        resolve()
      })
      if (!disk.holdsBack) while (disk.writeNext());
    })

  const disk: LedgerDisk = {
    holdsBack: false,
    isFull: false,
    log,
    kept,
    open() {
      waiting = []
      return {
        kept: kept(),
        keepHold: (id, worst, next) =>
          write(`hold ${id}`, () => {
            books = structuredClone(next)
            holds = new Map(holds).set(id, worst)
          }),
        keepBooks: (next, ended) =>
          write(`books${ended.map((id) => ` -${id}`).join('')}`, () => {
            books = structuredClone(next)
            for (const id of ended) holds.delete(id)
          }),
        close: () => write('closed', () => {}),
      }
    },
    writeNext() {
      const next = waiting.shift()
      next?.()
      return next !== undefined
    },
  }
  return disk
}
