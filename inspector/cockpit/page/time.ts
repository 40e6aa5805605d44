/** Calls `act` every so many ms, until it is called back. */
export function every(milliseconds: number, act: () => void): () => void {
  const timer = setInterval(act, milliseconds)
  return () => clearInterval(timer)
}

/** Calls `act` once after so many ms, unless it is called back. */
export function after(milliseconds: number, act: () => void): () => void {
  const timer = setTimeout(act, milliseconds)
  return () => clearTimeout(timer)
}

/** Milliseconds of the browser, from an arbitrary zero. */
export function nowMs(): number {
  return performance.now()
}
