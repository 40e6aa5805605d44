import type { Proof } from '../machines/proof/prove.ts'

/** A proof as one line of JSON, for programs (DESIGN §5). */
export function proofLine(proof: Proof): string {
  const { states, edges, haltFailures, escapes, errorStates, machines, mutants, livePaths } = proof
  const list = mutants.map(({ name, by }) => ({ name, caught: by !== undefined }))
  return JSON.stringify({
    states,
    edges,
    haltFailures,
    escapes,
    errorStates,
    machines: machines.map(({ unvisited: _, ...counts }) => counts),
    mutants: { seeded: list.length, caught: list.filter(({ caught }) => caught).length, list },
    livePaths: { replayed: livePaths.replayed, mismatches: livePaths.mismatches.length },
  })
}

/** A proof for people, line by line. */
export function proofTable(proof: Proof): readonly string[] {
  const { machines, mutants, livePaths } = proof
  const width = Math.max(...machines.map(({ id }) => id.length), 'chart'.length)
  return [
    `${proof.states} states of the whole robot, ${proof.edges} steps between them`,
    `${proof.haltFailures} halts that failed, ${proof.escapes} escapes, ${proof.errorStates} errors`,
    `${livePaths.replayed} shortest paths lived through, ${livePaths.mismatches.length} went elsewhere`,
    '',
    `${'chart'.padEnd(width)}  states visited  transitions visited`,
    ...machines.map(
      ({ id, states, statesVisited, transitions, transitionsVisited }) =>
        `${id.padEnd(width)}  ${share(statesVisited, states, 14)}  ${share(transitionsVisited, transitions, 19)}`,
    ),
    '',
    `${mutants.filter(({ by }) => by !== undefined).length} of ${mutants.length} mistakes caught that were made on purpose`,
    ...mutants.map(({ name, by }) => `  ${by === undefined ? 'MISSED' : 'caught'}  ${name}`),
    '',
    proof.holds ? 'All of it holds.' : 'IT DOES NOT HOLD.',
  ]
}

/** What does not hold, a line each: the rule, and the shortest way to where it is broken. */
export function complaintsOf({ breaches, machines, mutants, livePaths }: Proof): readonly string[] {
  return [
    ...breaches.map(({ says, way }) => `broken: ${says}\n    ${way}`),
    ...machines.flatMap(({ unvisited }) => unvisited.map((name) => `not visited: ${name}`)),
    ...mutants.flatMap(({ name, by }) => (by === undefined ? `not caught: ${name}` : [])),
    ...livePaths.mismatches.slice(0, mismatchesMax).map((way) => `lived elsewhere:\n    ${way}`),
  ]
}

/** The most paths that are told of when many go elsewhere. */
const mismatchesMax = 5

function share(visited: number, all: number, width: number): string {
  return `${visited} of ${all}`.padStart(width)
}
