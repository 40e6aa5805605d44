import { readFile, stat } from 'node:fs/promises'
import type { SerialPort } from 'serialport'
import { MechosError, messageOf } from '../../core/vocabulary/errors.ts'
import type { Clock } from '../clock.ts'

/** An open serial port. It is opened once and, once closed, neither written nor opened again. */
export interface Port {
  /** Writes in order. Never throws. `done` says whether the bytes have left this machine; it may never be called. */
  write(bytes: Uint8Array, done?: (written: boolean) => void): void
  isOpen(): boolean
  /** Resets the board by its DTR line. False where the line has none, as a PTY. Never rejects. */
  reset(): Promise<boolean>
  /** Bytes that the machine has not taken yet. */
  backlog(): number
  onData(listener: (bytes: Uint8Array) => void): void
  /** Called once when the port closes without having been asked to, with the reason in words. */
  onLost(listener: (cause: string) => void): void
  /** Closes and lets go of the port, whatever state it is in. Idempotent, never rejects. */
  close(): Promise<void>
}

const baudRate = 57_600
/** A guardian holds its port for up to two seconds after its robot has died; the next one waits for that. */
const lockRetriesMax = 40
const lockRetryMs = 50
/** How long DTR is held for a reset. */
const dtrPulseMs = 20

/**
 * Opens the serial port at `path` with 57 600 baud for us alone. Opening resets most boards.
 * Rejects with ERR_PORT_UNAVAILABLE, which names the port and says in words why.
 */
export async function openPort(path: string, clock: Clock): Promise<Port> {
  const serial = await openSerial(path, clock, lockRetriesMax)
  const dataListeners = new Set<(bytes: Uint8Array) => void>()
  const lostListeners = new Set<(cause: string) => void>()
  let isClosed = false
  let isDraining = false
  let waitingForDrain: ((written: boolean) => void) | undefined

  // A port that failed may still be open, and then takes the halt that its loss brings about.
  const lose = (cause: string) => {
    if (isClosed) return
    for (const listener of lostListeners) listener(cause)
    lostListeners.clear()
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
      if (serial.isOpen) drain(next)
      else next(false)
    })
  }

  serial.on('data', (bytes: Uint8Array) => {
    for (const listener of dataListeners) listener(bytes)
  })
  serial.on('error', (error) => lose(`port ${path} failed: ${error.message}`))
  serial.on('close', () => {
    lose(`port ${path} closed: was the cable pulled?`)
    isClosed = true
  })

  return {
    write(bytes, done) {
      if (isClosed || !serial.isOpen) {
        done?.(false)
        return
      }
      serial.write(Buffer.from(bytes), (error) => {
        if (!done) return
        if (error || !serial.isOpen) done(false)
        else drain(done)
      })
    },
    isOpen: () => !isClosed && serial.isOpen,
    async reset() {
      if (isClosed || !(await setDtr(serial, false))) return false
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, dtrPulseMs)
      })
      return setDtr(serial, true)
    },
    backlog: () => serial.writableLength,
    onData: (listener) => void dataListeners.add(listener),
    onLost: (listener) => void lostListeners.add(listener),
    async close() {
      isClosed = true
      dataListeners.clear()
      // What is still undelivered by now never will be, and would keep the port from closing.
      if (isDraining && serial.isOpen) serial.flush(() => undefined)
      if (serial.isOpen) await new Promise<void>((resolve) => serial.close(() => resolve()))
      serial.removeAllListeners()
      // A late error of a port that nobody holds any more must not end the process.
      serial.on('error', () => undefined)
      serial.destroy()
    },
  }
}

function setDtr(serial: SerialPort, dtr: boolean): Promise<boolean> {
  return new Promise((resolve) => serial.set({ dtr }, (error) => resolve(!error)))
}

async function openSerial(path: string, clock: Clock, retries: number): Promise<SerialPort> {
  const { SerialPort: Serial } = await import('serialport')
  const serial = new Serial({ path, baudRate, autoOpen: false, lock: true })
  const error = await new Promise<Error | null>((resolve) => {
    serial.open(resolve)
  })
  if (!error) return serial
  if (!isLocked.test(error.message) || retries <= 0) throw await explained(path, error)
  await new Promise<void>((resolve) => {
    clock.setTimeout(resolve, lockRetryMs)
  })
  return openSerial(path, clock, retries - 1)
}

async function explained(path: string, error: Error): Promise<MechosError> {
  const reason = reasonOf(messageOf(error), await groupOf(path))
  return new MechosError('ERR_PORT_UNAVAILABLE', `cannot open ${path}: ${reason}`, { cause: error })
}

const isLocked = /cannot lock|busy|temporarily unavailable|access denied/i

/** What a person can do about a port that does not open, from the message of the driver and the port's owning group. */
export function reasonOf(message: string, group: string | undefined): string {
  if (/no such (file|device)|file not found/i.test(message))
    return 'no such file; is the board plugged in?'
  if (isLocked.test(message)) return 'it is locked by another program'
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
