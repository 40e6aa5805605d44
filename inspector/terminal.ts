import type { Status } from '../core/vocabulary/status.ts'

/**
 * One line of what a robot is doing: state, pose, intent, verdict. Where it stands still, why: before anything that a
 * narrow terminal may cut off.
 */
export function statusLine(status: Status): string {
  const { pose, agent, battery, causes } = status
  const isStanding = causes.length > 0
  const parts = [
    status.state.replace('active.', ''),
    isStanding && causes.join('; '),
    pose && `x ${pose.x.toFixed(2)} y ${pose.y.toFixed(2)} θ ${degrees(pose.heading)}°`,
    !isStanding && (agent.lastIntent ?? agent.state),
    !isStanding && agent.lastVerdict,
    battery !== null && `battery ${Math.round(battery * 100)} %`,
  ]
  return printable(parts.filter((part) => typeof part === 'string').join(' · '))
}

/** Many lines, for `mechos status`. A link into the cockpit is not among them: terminals are looked at by others. */
export function statusText(
  status: Status,
  cockpit?: { readonly address: string | undefined; readonly fault: string | undefined },
): string {
  const rows: [string, string | null][] = [
    ['robot', `${status.name} (process ${status.pid}, ${status.body} body)`],
    ['state', status.state],
    ['causes', status.causes.join('; ') || null],
    ['epoch', String(status.epoch)],
    ['goal', status.goal],
    [
      'pose',
      status.pose &&
        `x ${status.pose.x.toFixed(2)} m, y ${status.pose.y.toFixed(2)} m, heading ${degrees(status.pose.heading)}°, in odom`,
    ],
    ['agent', `${status.agent.state} (${status.agent.brain})`],
    ['intent', status.agent.lastIntent],
    ['verdict', status.agent.lastVerdict],
    ...questionRows(status),
    [
      'sensors',
      Object.entries(status.sensors)
        .map(([name, state]) => `${name} ${state}`)
        .join(', '),
    ],
    ['battery', status.battery === null ? null : `${Math.round(status.battery * 100)} %`],
    ['budget', budgetText(status.budget)],
    ['model', status.llm.lastError],
    ['halt', status.halt && `${status.halt.evidence}, ${status.halt.ms} ms`],
    ['recorder', recorderText(status.recorder)],
    ['cockpit', cockpitText(cockpit)],
  ]
  return rows
    .filter(([, text]) => text !== null && text !== '')
    .map(([name, text]) => printable(`${name.padEnd(8)} ${text}`))
    .join('\n')
}

function recorderText(recorder: Status['recorder']): string {
  if (!recorder) return 'none: no record is kept of this run'
  const { cause, folder, state } = recorder
  return `${state}${cause === null ? '' : `: ${cause}`}${folder === null ? '' : `, in ${folder}`}`
}

function cockpitText(cockpit: Parameters<typeof statusText>[1]): string | null {
  if (!cockpit) return null
  const { address, fault } = cockpit
  if (address !== undefined) return `${address} (mechos status --json makes a link into it)`
  return fault === undefined ? null : `not served: ${fault}`
}

function questionRows({ name, question }: Status): [string, string | null][] {
  if (!question) return []
  const { id, kind, text, choices, modelSays } = question
  const words =
    choices.length > 0 ? choices.map((choice) => JSON.stringify(choice)).join('|') : 'TEXT'
  return [
    [
      'asks',
      kind === 'approval' ? `${text}?` : `in the words of its model: ${JSON.stringify(text)}`,
    ],
    ['model', `says: ${JSON.stringify(modelSays)}`],
    ['answer', `mechos answer ${kind === 'approval' ? 'yes|no' : words} --id ${id} --name ${name}`],
  ]
}

/** The keys that answer a question on a terminal, in words; undefined where no key does. */
export function answerKeys({ kind, choices }: NonNullable<Status['question']>): string | undefined {
  if (kind === 'approval') return 'y approves it once, n refuses it'
  return choices.length > 0 ? `1 to ${choices.length} choose` : undefined
}

/** What a key says to a question, or undefined when it says nothing to it. */
export function answerOfKey(
  { kind, choices }: NonNullable<Status['question']>,
  key: string,
): string | undefined {
  if (kind === 'approval') return key === 'y' ? 'yes' : key === 'n' ? 'no' : undefined
  return /^\d$/.test(key) ? choices[Number(key) - 1] : undefined
}

/** What was charged, by whoever's word: servers', or the worst. */
function budgetText({ spent, assumed, limit, usd, state }: Status['budget']): string {
  const doubt = assumed > 0 ? `, ${assumed} of them assumed` : ''
  return `${spent + assumed} of ${limit} tokens${doubt}, and ${usd.spent} of ${usd.limit} USD, for this day (UTC): ${state}`
}

/** A place where lines go: one that updates on a terminal, plain lines where it is piped. */
export interface Screen {
  update(line: string): void
  /** A line that stays. */
  say(line: string): void
  end(): void
}

interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** Plain lines are written only when they differ from the last in more than a number. */
export function screen(output: Output): Screen {
  let shown = ''
  const isTerminal = output.isTTY === true
  const clear = () => (isTerminal && shown !== '' ? '\r\u001B[2K' : '')
  return {
    update(line) {
      if (isTerminal) {
        output.write(`\r\u001B[2K${line.slice(0, (output.columns ?? 80) - 1)}`)
        shown = line
        return
      }
      if (withoutNumbers(line) === withoutNumbers(shown)) return
      shown = line
      output.write(`${line}\n`)
    },
    say(line) {
      output.write(`${clear()}${line}\n`)
      if (isTerminal) shown = ''
    },
    end() {
      if (isTerminal && shown !== '') output.write('\n')
      shown = ''
    },
  }
}

/** Text from a model may hold codes that move the cursor, forge a line or turn its order round: none reaches a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '·')
}

function withoutNumbers(line: string): string {
  return line.replaceAll(/-?\d+(\.\d+)?/g, '')
}

function degrees(radians: number): string {
  return ((radians * 180) / Math.PI).toFixed(0)
}
