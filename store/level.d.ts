/** Mends the database in a folder, which must be closed, as far as it can. */
export type Repair = (location: string) => Promise<void>

/** On Node, `Level` is a `ClassicLevel`, which has a way to mend that its own types do not name. */
declare module 'level' {
  namespace Level {
    const repair: Repair
  }
}
