import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { connect } from './connection.ts'
import type { Firmware } from './firmware.ts'
import type { Uno } from './uno.ts'

/** A board in a process of its own: each method of `Uno`, answered a moment later. */
export type RemoteUno = Pick<Uno, 'path' | 'onDuty' | 'close'> & {
  readonly [Method in Exclude<keyof Uno, 'path' | 'onDuty' | 'close'>]: (
    ...args: Parameters<Uno[Method]>
  ) => Promise<ReturnType<Uno[Method]>>
}

const mainScript = fileURLToPath(new URL('main.ts', import.meta.url))

/**
 * Starts a board that takes no time from this process and waits for none of it. It ends with `close`, and with this
 * process however that ends. A call that cannot be answered any more rejects.
 */
export async function startRemoteUno({
  firmware,
  isUrgent = false,
}: {
  firmware: Pick<Firmware, 'path'>
  /** Lets the board go before whatever else this machine is busy with, as far as the system permits that. */
  isUrgent?: boolean
}): Promise<RemoteUno> {
  const child = spawn(process.execPath, ['--import', 'tsx', mainScript, firmware.path], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Linux weighs sessions against each other before it looks at the processes in them.
    detached: isUrgent,
  })
  const closed = once(child, 'close')
  if (isUrgent && child.pid !== undefined) hurry(child.pid)
  const { path, call, onDuty } = await connect(child)
  return {
    path,
    onDuty,
    dutyOf: async (pin) => z.number().parse(await call({ call: 'dutyOf', pin })),
    levelOf: async (pin) => z.literal([0, 1]).parse(await call({ call: 'levelOf', pin })),
    isOutput: async (pin) => z.boolean().parse(await call({ call: 'isOutput', pin })),
    servoPulseUs: async (pin) =>
      z
        .number()
        .optional()
        .parse(await call({ call: 'servoPulseUs', pin })),
    setAnalog: async (channel, volts) => void (await call({ call: 'setAnalog', channel, volts })),
    setInput: async (pin, level) => void (await call({ call: 'setInput', pin, level })),
    reset: async () => void (await call({ call: 'reset' })),
    chipMs: async () => z.number().parse(await call({ call: 'chipMs' })),
    slipMs: async () => z.number().parse(await call({ call: 'slipMs' })),
    hang: async () => void (await call({ call: 'hang' })),
    resume: async () => void (await call({ call: 'resume' })),
    garble: async (bytes) => void (await call({ call: 'garble', bytes: [...bytes] })),
    unplug: async () => void (await call({ call: 'unplug' })),
    async close() {
      child.stdin.end()
      await closed
    },
  }
}

const urgentNice = -15

function hurry(pid: number) {
  try {
    setPriority(pid, urgentNice)
    writeFileSync(`/proc/${pid}/autogroup`, `${urgentNice}`)
  } catch {
    // Not everybody may, and only Linux has sessions that are weighed: then the board waits like everybody else.
  }
}
