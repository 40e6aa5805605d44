/** A vector file in which one expectation was changed, and the way to it. */
export interface ChangedCopy {
  readonly path: readonly string[]
  readonly text: string
}

/**
 * Copies of the vector file `text`, each with one expected value changed: every one of them, or at most `copiesMax`
 * spread over the whole file. A runner that passes such a copy checks nothing there.
 */
export function changedCopies(text: string, copiesMax: number): ChangedCopy[] {
  const content: unknown = JSON.parse(text)
  const paths = expectedIn(content, [], false)
  const stride = Math.max(1, paths.length / copiesMax)
  const count = Math.min(copiesMax, paths.length)
  return Array.from({ length: count }, (_, index) => paths[Math.floor(index * stride)] ?? []).map(
    (path) => ({ path, text: JSON.stringify(changedAt(content, path)) }),
  )
}

function expectedIn(value: unknown, path: readonly string[], isExpected: boolean): string[][] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) =>
      key.endsWith('tol') || key === 'conventions'
        ? []
        : expectedIn(
            inner,
            [...path, key],
            isExpected || /^(expect|reached|final|retry$|wait_ms)/.test(key),
          ),
    )
  }
  return isExpected ? [[...path]] : []
}

function changedAt(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return changed(value)
  if (Array.isArray(value)) {
    return value.map((inner: unknown, index) =>
      String(index) === key ? changedAt(inner, rest) : inner,
    )
  }
  return Object.fromEntries(
    Object.entries(Object(value)).map(([name, inner]) => [
      name,
      name === key ? changedAt(inner, rest) : inner,
    ]),
  )
}

function changed(value: unknown): unknown {
  if (typeof value === 'number') return value + 1
  if (typeof value === 'boolean') return !value
  return value === 'allow' ? 'unauthorized' : 'allow'
}
