import { closeSync, constants, openSync, writeSync } from 'node:fs'
import type { ReadStream } from 'node:tty'
import * as nodePty from '@lydell/node-pty'

declare module '@lydell/node-pty' {
  /** Left out of the package's own types. */
  export function open(options: { encoding: null }): {
    readonly ptsName: string
    readonly fd: number
    readonly master: ReadStream
    readonly slave: ReadStream
  }
}

/** The board's end of a serial line whose other end `path` any program can open, close, and open again. */
export interface SerialLine {
  readonly path: string
  /** Writes what fits: a line does not wait for a reader who does not read, what he missed is lost. */
  write(bytes: Uint8Array): void
  /** Stops and goes on taking bytes; those that nobody takes stay with the system, which makes the writer wait. */
  pause(): void
  resume(): void
  /** Pulls the plug: whoever has `path` open sees it hang up. */
  unplug(): void
}

/** Opens a new line; `received` gets what the other end sends. */
export function openSerialLine(received: (bytes: Uint8Array) => void): SerialLine {
  const { ptsName: path, fd, master, slave } = nodePty.open({ encoding: null })
  // Without raw mode the line would send the board its own words back.
  slave.setRawMode(true)
  // As long as one end is open here, a host that closes the port does not end the line for the next. It must not be
  // the stream that came with the line, which reads, and so would take bytes away from the host.
  const held = openSync(path, constants.O_RDWR | constants.O_NOCTTY)
  slave.destroy()
  let plugged = true
  master.on('data', received)
  master.on('error', unplug)

  function unplug() {
    if (!plugged) return
    plugged = false
    master.destroy()
    closeSync(held)
  }

  return {
    path,
    write(bytes) {
      if (plugged) writeWhatFits(fd, bytes)
    },
    pause() {
      master.pause()
    },
    resume() {
      if (plugged && master.isPaused()) master.resume()
    },
    unplug,
  }
}

function writeWhatFits(fd: number, bytes: Uint8Array) {
  try {
    writeSync(fd, bytes)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
  }
}
