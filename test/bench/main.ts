import { budgetBench } from './budget.ts'
import { cockpitBench } from './cockpit.ts'
import { command } from './command.ts'
import { crashBench } from './crash.ts'
import { haltBench } from './halt.ts'
import { storeBench } from './store.ts'

/** Each bench by the name that `npm run bench -- NAME` takes. */
const benches = {
  budget: budgetBench,
  cockpit: cockpitBench,
  crash: crashBench,
  halt: haltBench,
  store: storeBench,
}

process.exitCode = await command(process.argv.slice(2), benches, {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
})
