import type { Body } from './body.ts'

/** A body that is not there: it does nothing and says nothing, and has only those calls that it is said to have. */
export function absentBody(declared: {
  readonly kind: Body['kind']
  readonly senses?: Body['senses']
  readonly has: readonly string[]
}): Body {
  const { kind, senses, has } = declared
  const nowhere = { x: 0, y: 0, heading: 0 }
  return {
    kind,
    ...(senses && { senses }),
    open: () => Promise.resolve({ firmware: 'none', deadman: false }),
    arm() {},
    write() {},
    halt() {},
    confirm: () => Promise.resolve('none'),
    outputs: () => [],
    onReading: () => silence,
    ...(has.includes('onLost') && { onLost: () => silence }),
    ...(has.includes('beat') && { beat() {} }),
    ...(has.includes('onGuardian') && { onGuardian: () => silence }),
    ...(has.includes('step') && { step() {} }),
    ...(has.includes('truth') && {
      truth: () => ({ pose: nowhere, distanceMetres: 0, collisions: 0 }),
    }),
    close: () => Promise.resolve(),
  }
}

function silence(): void {}
