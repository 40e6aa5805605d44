/** Metres per second in dry air of 20 °C at sea level. */
const soundSpeed = 343.2
/** What the data sheet of an HC-SR04 promises, in metres. */
const reachMetres = 4

/**
 * Metres to what sent an echo back after so many microseconds. `Infinity` is nothing within reach: no echo, or one from
 * beyond four metres. Half of the way, since sound goes there and back; 6 °C more or less change it by one in a hundred.
 * Throws TypeError for what is no such time.
 */
export function pingMetres(echoUs: number | undefined): number {
  if (echoUs === undefined) return Infinity
  if (!(echoUs >= 0)) throw new TypeError(`an echo takes some microseconds, not ${echoUs}`)
  const metres = (echoUs / 1e6) * (soundSpeed / 2)
  return metres <= reachMetres ? metres : Infinity
}
