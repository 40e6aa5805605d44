import type { Clock } from '../drivers/clock.ts'

/** Alarms by name, at most one each. */
export interface Alarms {
  /** Rings once, after so many ms. One that is set already stays as it is. */
  set(name: string, milliseconds: number, ring: () => void): void
  cancel(name: string): void
  cancelAll(): void
}

export function alarms(clock: Clock): Alarms {
  const ids = new Map<string, number>()
  const cancel = (name: string) => {
    const id = ids.get(name)
    if (id !== undefined) clock.clearTimeout(id)
    ids.delete(name)
  }
  return {
    set(name, milliseconds, ring) {
      if (ids.has(name)) return
      const fire = () => {
        ids.delete(name)
        ring()
      }
      ids.set(name, clock.setTimeout(fire, milliseconds))
    },
    cancel,
    cancelAll() {
      for (const name of ids.keys()) cancel(name)
    },
  }
}
