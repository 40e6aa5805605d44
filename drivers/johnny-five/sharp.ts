import type { FirmataConfiguration } from '../../core/vocabulary/parts.ts'

/** Range finders that put out a voltage. */
export type SharpModel = Exclude<FirmataConfiguration['ranges'][number]['model'], 'HC-SR04'>

/** Metres are `scale * volts ^ exponent`; beyond `reachMetres` the sheet promises nothing. */
interface Curve {
  readonly scale: number
  readonly exponent: number
  readonly reachMetres: number
}

const curves: Record<SharpModel, Curve> = {
  GP2Y0A21: { scale: 0.27728, exponent: -1.2045, reachMetres: 0.8 },
  GP2Y0A02: { scale: 0.60374, exponent: -1.16, reachMetres: 1.5 },
  GP2Y0A41: { scale: 0.1208, exponent: -1.058, reachMetres: 0.3 },
}

const referenceVolts = 5
const countsMax = 1023
/** What all three models put out at the end of their reach; less means that nothing is there. */
const voltsMin = 0.4

/**
 * Metres from a Sharp range finder to what is before it, of a 10 bit analog reading with a reference of 5 V. `Infinity`
 * is nothing within reach: below 0.4 V, 0 V included, or beyond the model's reach. Nearer than the model's least
 * distance the voltage falls again, so that a thing which almost touches the sensor reads too far: mount it set back.
 * Throws TypeError for what is no such reading.
 * Source: power laws fitted to the Sharp data sheets, as in the Arduino library SharpIR; within 20 % of the sheets.
 */
export function sharpMetres(model: SharpModel, counts: number): number {
  if (!(counts >= 0 && counts <= countsMax)) {
    throw new TypeError(`an analog reading is 0 to ${countsMax}, not ${counts}`)
  }
  const volts = (counts / countsMax) * referenceVolts
  if (!(volts >= voltsMin)) return Infinity
  const { scale, exponent, reachMetres } = curves[model]
  const metres = scale * volts ** exponent
  return metres <= reachMetres ? metres : Infinity
}
