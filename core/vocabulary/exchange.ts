/**
 * How one exchange with a server failed. `forbidden`: the address is none that anything is sent to. `unresolved`,
 * `refused`, `untrusted`, `unconnected`: there was no connection. `broken`, `garbled`, `encoded`, `redirected`,
 * `oversized`: there was one, and no whole reply. `unreadable`, `failed`, `unfinished`: there was a reply that is no
 * answer, that says itself that the server failed, or that ends before its end. `late`, `withdrawn`: at any time.
 */
export type ExchangeFault =
  | 'forbidden'
  | 'unresolved'
  | 'refused'
  | 'untrusted'
  | 'unconnected'
  | 'broken'
  | 'garbled'
  | 'encoded'
  | 'redirected'
  | 'oversized'
  | 'unreadable'
  | 'failed'
  | 'unfinished'
  | 'late'
  | 'withdrawn'

/**
 * Why there is no reply, or no whole one. It holds nothing of what was sent or received, so that it can be shown to
 * anybody.
 */
export class ExchangeError extends Error {
  readonly fault: ExchangeFault
  /** False: not one byte of the request has left. True: some may have, and nobody knows what became of them. */
  readonly isSent: boolean
  /** What the server answered, where that is the fault. */
  readonly status: number | undefined

  constructor(fault: ExchangeFault, isSent: boolean, status?: number) {
    super(fault)
    this.name = 'ExchangeError'
    this.fault = fault
    this.isSent = isSent
    this.status = status
  }
}
