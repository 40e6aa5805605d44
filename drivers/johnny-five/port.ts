import { readFile, stat } from 'node:fs/promises'
import { MechosError, messageOf } from '../../core/vocabulary/errors.ts'

/** An open serial port. It is opened once and, once closed, neither written nor opened again. */
export interface Port {
  /** Writes in order. Never throws. `done` says whether the bytes have left this machine; it may never be called. */
  write(bytes: Uint8Array, done?: (written: boolean) => void): void
  isOpen(): boolean
  /** Bytes that the machine has not taken yet. */
  backlog(): number
  onData(listener: (bytes: Uint8Array) => void): void
  /** Called once when the port closes without having been asked to, with the reason in words. */
  onLost(listener: (cause: string) => void): void
  /** Closes and lets go of the port, whatever state it is in. Idempotent, never rejects. */
  close(): Promise<void>
}

const baudRate = 57_600

/**
 * Opens the serial port at `path` with 57 600 baud for us alone. Opening resets most boards.
 * Rejects with ERR_PORT_UNAVAILABLE, which names the port and says in words why.
 */
export async function openPort(path: string): Promise<Port> {
  const { SerialPort } = await import('serialport')
  const serial = new SerialPort({ path, baudRate, autoOpen: false, lock: true })
  const dataListeners = new Set<(bytes: Uint8Array) => void>()
  const lostListeners = new Set<(cause: string) => void>()
  let isClosed = false
  let isDraining = false
  let waitingForDrain: ((written: boolean) => void) | undefined

  const lose = (cause: string) => {
    if (isClosed) return
    isClosed = true
    for (const listener of lostListeners) listener(cause)
  }
  // A drain blocks a thread of the process for as long as the device does not take its bytes: one at a time.
  const drain = (done: (written: boolean) => void) => {
    if (isDraining) {
      waitingForDrain?.(false)
      waitingForDrain = done
      return
    }
    isDraining = true
    serial.drain((error) => {
      isDraining = false
      done(!error)
      const next = waitingForDrain
      waitingForDrain = undefined
      if (!next) return
      if (isClosed) next(false)
      else drain(next)
    })
  }

  await new Promise<void>((resolve, reject) => {
    serial.open((error) => {
      if (error) void explained(path, error).then(reject)
      else resolve()
    })
  })
  serial.on('data', (bytes: Uint8Array) => {
    for (const listener of dataListeners) listener(bytes)
  })
  serial.on('error', (error) => lose(`port ${path} failed: ${error.message}`))
  serial.on('close', () => lose(`port ${path} closed: was the cable pulled?`))

  return {
    write(bytes, done) {
      if (isClosed || !serial.isOpen) {
        done?.(false)
        return
      }
      serial.write(Buffer.from(bytes), (error) => {
        if (!done) return
        if (error || isClosed) done(false)
        else drain(done)
      })
    },
    isOpen: () => !isClosed && serial.isOpen,
    backlog: () => serial.writableLength,
    onData: (listener) => void dataListeners.add(listener),
    onLost: (listener) => void lostListeners.add(listener),
    async close() {
      isClosed = true
      dataListeners.clear()
      if (serial.isOpen) await new Promise<void>((resolve) => serial.close(() => resolve()))
      serial.removeAllListeners()
      // A late error of a port that nobody holds any more must not end the process.
      serial.on('error', () => undefined)
      serial.destroy()
    },
  }
}

async function explained(path: string, error: Error): Promise<MechosError> {
  if (/lock/i.test(messageOf(error))) {
    const { execSync } = await import('node:child_process')
    console.error('LOCKDBG', process.pid, execSync(`for f in /proc/[0-9]*/fd/*; do l=$(readlink $f 2>/dev/null); [ "$l" = "${path}" ] && echo $f $(tr '\\0' ' ' < $(dirname $(dirname $f))/cmdline | cut -c1-200); done; cat /proc/locks; true`).toString())
  }
  const reason = reasonOf(messageOf(error), await groupOf(path))
  return new MechosError('ERR_PORT_UNAVAILABLE', `cannot open ${path}: ${reason}`, { cause: error })
}

/** What a person can do about a port that does not open, from the message of the driver and the port's owning group. */
export function reasonOf(message: string, group: string | undefined): string {
  if (/no such (file|device)|file not found/i.test(message))
    return 'no such file; is the board plugged in?'
  if (/cannot lock|busy|temporarily unavailable|access denied/i.test(message)) {
    return 'it is locked by another program'
  }
  if (/permission denied|not permitted/i.test(message)) {
    return group === undefined
      ? 'no permission'
      : `no permission; it belongs to the group ${group}: run "sudo usermod -aG ${group} $USER" and log in again`
  }
  if (/inappropriate ioctl|not a tty|is a directory/i.test(message))
    return 'it is not a serial port'
  return message.replace(/^Error:?\s*/, '')
}

async function groupOf(path: string): Promise<string | undefined> {
  try {
    const { gid } = await stat(path)
    const groups = await readFile('/etc/group', 'utf8')
    const line = groups.split('\n').find((each) => each.split(':')[2] === String(gid))
    return line?.split(':')[0] ?? String(gid)
  } catch {
    return undefined
  }
}
