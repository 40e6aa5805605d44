/** A bucket of requests that fills up again with time. Never changed in place. */
export interface Bucket {
  readonly requestsPerMinute: number
  /** What is in it at `atMs`. A request takes a minute's worth; each ms brings one for each request per minute. */
  readonly credit: number
  readonly atMs: number
}

/** What a request takes: so many ms of one request per minute. */
const requestCredit = 60_000

/** A bucket of a minute's requests, full at `nowMs`. Throws TypeError unless it holds one request at least. */
export function fullBucket(requestsPerMinute: number, nowMs: number): Bucket {
  if (!(requestsPerMinute >= 1)) throw new TypeError(`${requestsPerMinute} requests a minute`)
  return { requestsPerMinute, credit: requestsPerMinute * requestCredit, atMs: nowMs }
}

/** The bucket without one request, or undefined when there is none left. */
export function takeRequest(bucket: Bucket, nowMs: number): Bucket | undefined {
  const filled = fill(bucket, nowMs)
  const credit = filled.credit - requestCredit
  return credit >= 0 ? { ...filled, credit } : undefined
}

/** How long until there is a request to take, in whole ms; 0 when there is one. */
export function waitMs(bucket: Bucket, nowMs: number): number {
  const { credit, requestsPerMinute } = fill(bucket, nowMs)
  return credit >= requestCredit ? 0 : Math.ceil((requestCredit - credit) / requestsPerMinute)
}

/** A clock that ran backwards fills nothing. */
function fill(bucket: Bucket, nowMs: number): Bucket {
  const { requestsPerMinute, credit, atMs } = bucket
  // Without a limit there is nothing to count.
  if (requestsPerMinute === Infinity || !(nowMs > atMs)) return bucket
  const gained = (nowMs - atMs) * requestsPerMinute
  const most = requestsPerMinute * requestCredit
  return { requestsPerMinute, credit: Math.min(most, credit + gained), atMs: nowMs }
}
