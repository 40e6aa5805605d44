import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { WebSocket } from 'ws'
import { fieldsOf } from './chart.ts'
import { serveViewers, viewerOrigin } from './viewers.ts'

/**
 * `npm run inspect4 -- --robot NAME`: shows a running robot to viewers of `@xstate/inspect` 0.8.0 until one of both ends.
 * It is a client of `mechos run --stately`, and finds it as `mechos status` does.
 */
const { robot } = parseArgs({ options: { robot: { type: 'string' } } }).values

/** Another robot operating system process than this one: its XState is 5, and this one's is 4. */
const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

process.exitCode = await main()

async function main(): Promise<number> {
  const found = await shownRobots()
  if (typeof found === 'string') return complain(found)
  const [shown, another] = found
  if (!shown) return complain('robot: none is running')
  if (another) {
    const names = found.map(({ name }) => name).join(', ')
    return complain(`robot: missing; --robot NAME of one that runs: ${names}`)
  }
  if (shown.link === undefined) {
    return complain(`robot: ${shown.name} is not shown to anybody; mechos run --stately`)
  }
  return show(shown.name, shown.link)
}

/** The robots that run, by name; or what `mechos status` says instead. */
async function shownRobots(): Promise<
  readonly { name: string; link: string | undefined }[] | string
> {
  const words = ['status', ...(robot === undefined ? [] : [robot]), '--json']
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [cli, ...words])
    return stdout
      .trim()
      .split('\n')
      .map((line) => fieldsOf(JSON.parse(line)))
      .map(({ name, stately }) => ({
        name: String(name),
        link: typeof stately === 'string' ? stately : undefined,
      }))
  } catch (error) {
    const said = fieldsOf(error)['stderr']
    return typeof said === 'string' && said !== '' ? said.trim() : String(error)
  }
}

/** Resolves when the robot has ended, or somebody has ended this; to 1 when it could not be listened to. */
async function show(name: string, link: string): Promise<number> {
  const viewers = await serveViewers(0)
  const { host, search } = new URL(link)
  const line = new WebSocket(`ws://${host}/live${search}`)
  const ended = new Promise<number>((resolve) => {
    line.on('error', (error) => resolve(complain(`${name}: ${error.message}`)))
    line.on('close', () => resolve(0))
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => line.close())
  })
  line.on('message', (data: Buffer) => viewers.tell(fieldsOf(JSON.parse(data.toString('utf8')))))
  line.on('open', () => {
    process.stdout.write(
      [
        `${name} is shown to viewers of @xstate/inspect 0.8.0; nothing that they say reaches it`,
        `viewer: ${viewerOrigin}/viz?inspect&server=ws://${viewers.server}`,
        `or: createWebSocketReceiver({ server: '${viewers.server}' })`,
        '',
      ].join('\n'),
    )
  })
  const code = await ended
  await viewers.close()
  process.stdout.write(`${name} is not shown any more\n`)
  return code
}

function complain(line: string): number {
  process.stderr.write(`${line}\n`)
  return 1
}
