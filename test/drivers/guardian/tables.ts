import type { RobotConfiguration } from '../../../core/vocabulary/configuration.ts'
import { parseConfiguration } from '../../../core/vocabulary/configuration.ts'
import type { PinTable } from '../../../drivers/guardian/pin-table.ts'
import { pinTableOf } from '../../../drivers/guardian/pin-table.ts'

type FirmataBody = Extract<RobotConfiguration['body'], { kind: 'firmata' }>

/** The table of a body that is given as a person would write it. */
export function tableOf(body: Omit<FirmataBody, 'kind'>): PinTable {
  const parsed = parseConfiguration({
    name: 'rover',
    body: { kind: 'firmata', ...body },
    limits: { linear: 0.3, angular: 1.5 },
  })
  if (parsed.body.kind !== 'firmata') throw new TypeError('not a Firmata body')
  return pinTableOf(parsed.body)
}

/** Two two-pin wheels, of radius 3 cm. */
export function wheelsOn(
  left: { pwm: number; dir: number | string },
  right: { pwm: number; dir: number | string },
) {
  return { left, right, radiusMetres: 0.03, trackMetres: 0.15 }
}

/** Bytes as FIRMATA.md writes them: `F7 E3 00 00`. */
export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ')
}
