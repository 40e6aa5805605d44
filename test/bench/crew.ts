import { type Rover, startRover } from './rover.ts'

/** Rovers one after another, the next of which loads its modules while its forerunner still opens its board. */
export interface Crew {
  /** The next rover, loaded. */
  next(): Promise<Rover>
  /** Begins to load another, and resolves when it waits: then it takes no more time from whoever is measured. */
  prepare(): Promise<void>
  /** Ends the one that nobody has asked for. */
  dismiss(): Promise<void>
}

/** A crew that has nobody yet. */
export function makeCrew(): Crew {
  let spare: { readonly rover: Rover; readonly loaded: Promise<unknown> } | undefined
  const load = () => {
    const rover = startRover()
    return { rover, loaded: rover.hears('loaded') }
  }
  return {
    async next() {
      const { rover, loaded } = spare ?? load()
      spare = undefined
      await loaded
      return rover
    },
    async prepare() {
      spare ??= load()
      await spare.loaded
    },
    async dismiss() {
      const last = spare
      spare = undefined
      await last?.loaded
      await last?.rover.leave()
    },
  }
}
