/** Adds a listener, wrapped, so that one that is added twice is called twice and taken away once. Returns how to stop. */
export function subscribe<T>(
  listeners: Set<(value: T) => void>,
  listener: (value: T) => void,
): () => void {
  const entry = (value: T) => listener(value)
  listeners.add(entry)
  return () => void listeners.delete(entry)
}
