/** The part of firmata-io 2.3.0 that we use; it ships no types. */
declare module 'firmata-io' {
  import type { EventEmitter } from 'node:events'

  interface FirmataOptions {
    /** How long to wait for a version that comes unasked, in milliseconds. */
    readonly reportVersionTimeout: number
    readonly samplingInterval: number
  }

  interface FirmataPin {
    readonly supportedModes: readonly number[]
  }

  interface FirmataIO extends EventEmitter {
    readonly isReady: boolean
    readonly pins: readonly FirmataPin[]
    /** The pin of each analog channel. */
    readonly analogPins: readonly number[]
    /** Levels that the library believes each port to have; the next digital write sends all eight of a port. */
    readonly ports: number[]
    readonly firmware: {
      readonly name?: string
      readonly version?: { readonly major: number; readonly minor: number }
    }
    readonly reportVersionTimeoutId: NodeJS.Timeout
    reportVersion(done: () => void): void
    queryFirmware(done: () => void): void
  }

  const bindings: {
    readonly Firmata: new (transport: EventEmitter, options: FirmataOptions) => FirmataIO
  }
  export = bindings
}
