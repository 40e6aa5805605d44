import { command } from './command.ts'
import { haltBench } from './halt.ts'

/** Each bench by the name that `npm run bench -- NAME` takes. */
const benches = { halt: haltBench }

process.exitCode = await command(process.argv.slice(2), benches, {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
})
