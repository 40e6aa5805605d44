import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MechosError, messageOf } from './core/vocabulary/errors.ts'
import type { Configuration } from './core/vocabulary/configuration.ts'
import { virtualClock } from './drivers/clock.ts'
import { machines } from './inspector/charts.ts'
import { complaintsOf, proofLine, proofTable } from './inspector/proof-table.ts'
import { type Proof, prove } from './machines/proof/prove.ts'
import { robotInputFor } from './robot.ts'

/** What `mechos prove` was asked for. */
export interface ProveOptions {
  readonly configuration: Configuration
  readonly json: boolean
  print(line: string): void
  /** For what does not hold: the rule, and the way there. */
  complain(line: string): void
}

/** What can be shown of a robot of this configuration. */
export function proofOf(configuration: Configuration): Proof {
  return prove({ input: robotInputFor(configuration), machines, clock: virtualClock })
}

/** Shows what was explored, and returns the exit code: 1 unless all is well. */
export function proveRobot(options: ProveOptions): number {
  try {
    requireFreshBuild()
    const proof = proofOf(options.configuration)
    if (options.json) options.print(proofLine(proof))
    else for (const line of proofTable(proof)) options.print(line)
    for (const line of complaintsOf(proof)) options.complain(line)
    return proof.holds ? 0 : 1
  } catch (error) {
    // A chart that cannot even be explored is not proven.
    options.complain(`nothing is proven: ${messageOf(error)}`)
    return 1
  }
}

/** In a clone the charts that run are built from sources beside them: whoever proves an old build proves nothing. */
function requireFreshBuild(): void {
  const built = fileURLToPath(new URL('machines/', import.meta.url))
  const source = fileURLToPath(new URL('../machines/', import.meta.url))
  if (!existsSync(join(source, 'robot.machine.ts'))) return
  for (const name of readdirSync(source).filter((each) => each.endsWith('.ts'))) {
    const runs = statSync(join(built, name.replace(/\.ts$/, '.js')), { throwIfNoEntry: false })
    if (runs && runs.mtimeMs >= statSync(join(source, name)).mtimeMs) continue
    throw new MechosError(
      'ERR_USAGE',
      `machines/${name} is newer than what was built of it: npm run build`,
    )
  }
}
