import { SerialPort } from 'serialport'
import { type Subscribe, until } from './until.ts'

/** A program that has opened the board's port and remembers every byte that it heard. */
export interface Host {
  readonly port: SerialPort
  /** Resolves when the system has taken the bytes; the board gets them at the speed of the line. */
  send(...bytes: number[]): Promise<void>
  /** All bytes since the port was opened. */
  heard(): readonly number[]
  /** How often a message has been heard. */
  count(message: readonly number[]): number
  /** Resolves when `message` was heard; `undefined` in it stands for any byte. */
  hears(message: readonly (number | undefined)[]): Promise<void>
  readonly onData: Subscribe
  /** Resolves when the port is closed, by whomever. */
  readonly closed: Promise<void>
  close(): Promise<void>
}

/** Opens `path` as a driver would. */
export async function openHost(path: string): Promise<Host> {
  const port = new SerialPort({ path, baudRate: 57_600, autoOpen: false })
  const bytes: number[] = []
  port.on('data', (chunk: Buffer) => bytes.push(...chunk))
  await new Promise<void>((resolve, reject) =>
    port.open((error) => (error ? reject(error) : resolve())),
  )

  const closed = new Promise<void>((resolve) => port.once('close', () => resolve()))
  // Whoever writes hears of his error; a port that hangs up would end the test with a second one.
  port.on('error', () => {})

  function onData(listener: () => void) {
    port.on('data', listener)
    return () => port.off('data', listener)
  }
  return {
    port,
    send(...message) {
      port.write(message)
      return new Promise((resolve, reject) =>
        port.drain((error) => (error ? reject(error) : resolve())),
      )
    },
    heard: () => bytes,
    count: (message) => bytes.filter((_, start) => isAt(bytes, start, message)).length,
    hears(message) {
      const condition = () => bytes.some((_, start) => isAt(bytes, start, message))
      const what = () =>
        `the host hears ${inWords(message)}, last ${inWords(bytes.slice(-heardLastMax))}`
      return until({ what, condition, on: onData })
    },
    onData,
    closed,
    close() {
      if (port.isOpen) port.close()
      return closed
    },
  }
}

const heardLastMax = 60

function inWords(message: readonly (number | undefined)[]) {
  return message.map((byte) => byte?.toString(16) ?? '..').join(' ')
}

function isAt(bytes: readonly number[], start: number, message: readonly (number | undefined)[]) {
  return message.every(
    (byte, index) =>
      bytes[start + index] === byte || (byte === undefined && start + index < bytes.length),
  )
}
