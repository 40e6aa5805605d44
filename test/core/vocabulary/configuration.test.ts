import { describe, expect, test } from 'vitest'
import { footprintOf, parseConfiguration } from '../../../core/vocabulary/configuration.ts'
import { MechosError } from '../../../core/vocabulary/errors.ts'
import { demoRover } from '../../../testing.ts'

const limits = { linear: 0.3, angular: 1.5 }
const wheels = {
  left: { pwm: 3, dir: 2 },
  right: { pwm: 11, dir: 12 },
  radiusMetres: 0.03,
  trackMetres: 0.15,
}
const robot = (more: object) => ({ name: 'rover', body: { kind: 'simulated' }, limits, ...more })
const board = (parts: object, kind: object = {}) =>
  robot({ body: { kind: 'firmata', ...kind, ...parts } })

function complaintAbout(value: unknown): string {
  try {
    parseConfiguration(value)
  } catch (error) {
    if (error instanceof MechosError && error.code === 'ERR_CONFIGURATION') return error.message
    throw error
  }
  return 'none'
}

describe('a configuration', () => {
  test('grants, and has approved, what the robot has', () => {
    const relays = [{ name: 'lamp', pin: 7, halt: 'low' }]
    for (const field of ['grants', 'approve']) {
      const parsed = parseConfiguration({
        ...board({ wheels, relays }),
        [field]: ['drive', 'relay:lamp'],
      })
      expect(parsed).toMatchObject({ [field]: ['drive', 'relay:lamp'] })
      expect(complaintAbout({ ...board({ wheels, relays }), [field]: ['drive', 'lamp'] })).toBe(
        `${field}[1]: "lamp" is not allowed; one of drive, relay:lamp`,
      )
    }
  })

  test('needs a name, a body and limits, and has defaults for the rest', () => {
    expect(parseConfiguration(robot({}))).toEqual({
      name: 'rover',
      body: {
        kind: 'simulated',
        imu: true,
        ranges: [],
        bumpers: [],
        relays: [],
        servos: [],
        cameras: [],
        stopButtons: [],
      },
      limits: {
        ...limits,
        linearAcceleration: 1,
        linearBraking: 2,
        angularAcceleration: 6,
        angularBraking: 12,
      },
      leaseMs: 500,
      grants: ['drive'],
      approve: [],
      acceptNoDeadman: false,
      blindCreep: false,
      brains: [{ url: 'explorer', deadlineMs: 10_000 }],
      budget: { tokensPerDay: 100_000, usdPerDay: 1, requestsPerMinute: 20, trustClock: false },
      record: { images: false, maxBytes: 2_147_483_648, maxHours: 4 },
      memory: {},
    })
  })

  test('that was parsed can be parsed again, and is the same', () => {
    for (const value of [demoRover, robot({ goal: 'home' }), board({ wheels })]) {
      const once = parseConfiguration(value)
      expect(parseConfiguration(once)).toEqual(once)
    }
  })

  test('is refused in one line: the field, the value, and what is allowed', () => {
    const numbers = [
      ['leaseMs', [0, -1, 49, 2001, Infinity, NaN, '500', null], 'a number from 50 to 2000 ms'],
      ['limits.linear', [0, 5.1, Infinity, NaN, -0.3], 'a number from 0.01 to 5 m/s'],
      ['limits.linearBraking', [0, 21, Infinity], 'a number from 0.05 to 20 m/s²'],
      ['budget.tokensPerDay', [0, Infinity, NaN], 'a number from 1 to 1000000000 tokens'],
      ['budget.usdPerRun', [0, Infinity, '1'], 'a number from 0.000001 to 1000000 USD'],
      ['budget.requestsPerMinute', [0, 6001], 'a number from 1 to 6000 requests a minute'],
    ] as const
    for (const [field, values, allowed] of numbers) {
      for (const value of values) {
        const [outer, inner] = field.split('.')
        const base = outer === 'limits' ? limits : {}
        const given = inner ? { [outer ?? '']: { ...base, [inner]: value } } : { [field]: value }
        const shown = typeof value === 'string' ? `"${value}"` : String(value)
        expect(complaintAbout(robot(given))).toBe(`${field}: ${shown} is not allowed; ${allowed}`)
      }
    }
  })

  test('has no field that nobody knows', () => {
    expect(complaintAbout(robot({ speed: 3 }))).toBe('speed: no such field')
    expect(complaintAbout(robot({ body: { kind: 'simulated', wheel: 3 } }))).toBe(
      'body.wheel: no such field',
    )
    expect(complaintAbout(robot({ limits: { ...limits, linaer: 1 } }))).toBe(
      'limits.linaer: no such field',
    )
  })

  test('is an object', () => {
    for (const value of [undefined, null, 3, 'rover', [], () => demoRover]) {
      expect(complaintAbout(value)).toMatch(/^configuration: [^\n]*; [^\n]*object/)
    }
    const endless: Record<string, unknown> = { limits, body: { kind: 'simulated' } }
    endless['name'] = endless
    expect(complaintAbout(endless)).toBe(
      'name: object is not allowed; a name of letters, digits, - and _',
    )
  })

  test('names its robot so that it can be the name of a folder', () => {
    for (const name of ['', '.', '..', 'a/b', 'a b', '-x', '1', 'x'.repeat(33), 'ä']) {
      expect(complaintAbout({ ...robot({}), name })).toMatch(
        /^name: .* a name of letters, digits, - and _$/,
      )
    }
  })

  test('names brains that can be asked, and where keys are safe', () => {
    const fault = (...brains: readonly object[]) => complaintAbout(robot({ brains }))
    for (const url of ['skynet', 'ftp://host/', 'file:///etc/passwd', '']) {
      expect(fault({ url, model: 'm' })).toMatch(
        /^brains\[0\]\.url: .* is not allowed; explorer, or an https address/,
      )
    }
    for (const url of ['http://host/v1', 'http://localhost@evil.example/v1', 'https://u:p@host/']) {
      expect(fault({ url, model: 'm' })).toMatch(/^brains\[0\]\.url: .* is not allowed; .*https/)
    }
    expect(fault({ url: 3 })).toMatch(/^brains\[0\]\.url: 3 is not allowed; explorer, or /)
    expect(fault({ url: 'https://host/v1' })).toBe(
      'brains[0].model: missing; the name of a model that https://host/v1 serves',
    )
    expect(fault({ url: 'explorer' }, { url: 'https://host/v1', model: 'm' })).toBe(
      'brains[0].url: explorer never fails, so whatever comes after it is never asked; put it last',
    )
    expect(fault()).toBe('brains: [] is not allowed; a list of 1 to 8 brains')
    expect(fault({ url: 'explorer', deadlineMs: 499 })).toBe(
      'brains[0].deadlineMs: 499 is not allowed; a number from 500 to 120000 ms',
    )
    expect(fault({ url: 'http://127.0.0.1:1/v1', model: 'm' }, { url: 'explorer' })).toBe('none')
  })

  test('names an endpoint of embeddings where keys are safe, or none', () => {
    const fault = (embeddings: object) => complaintAbout(robot({ memory: { embeddings } }))
    expect(fault({ url: 'http://127.0.0.1:1/v1', model: 'e' })).toBe('none')
    expect(fault({ url: 'http://u:p@host/v1', model: 'e' })).toMatch(
      /^memory\.embeddings\.url: "http:\/\/\[secret\]@host\/v1" is not allowed; an https address/,
    )
    expect(fault({ url: 'https://host/v1' })).toMatch(/^memory\.embeddings\.model: missing; /)
    expect(fault({ url: 'https://host/v1', model: 'e', keyEnv: 'sk-1' })).toMatch(
      /^memory\.embeddings\.keyEnv: is not the name of an environment variable/,
    )
  })

  test('has a fence of three corners and more, whose sides neither cross nor touch', () => {
    const corner = (x: number, y: number) => ({ x, y })
    const triangle = [corner(0, 0), corner(1, 0), corner(0, 1)]
    expect(complaintAbout(robot({ geofence: triangle }))).toBe('none')
    const allowed = 'a list of 3 to 64 corners {x, y} in metres'
    expect(complaintAbout(robot({ geofence: 'the garden' }))).toContain(allowed)
    expect(complaintAbout(robot({ geofence: triangle.slice(1) }))).toContain(allowed)
    expect(complaintAbout(robot({ geofence: [...triangle, corner(Number.NaN, 0)] }))).toContain(
      'a number from -10000 to 10000 m',
    )
    expect(complaintAbout(robot({ geofence: [...triangle, corner(2, 0)] }))).toBe(
      'geofence: 4 corners: is not allowed; a polygon whose sides neither cross nor touch',
    )
  })

  test('has a goal of some words, if any', () => {
    expect(complaintAbout(robot({ goal: '' }))).toBe(
      'goal: "" is not allowed; a text of 1 to 2000 characters',
    )
  })
})

describe('a part of a board', () => {
  test('may name its pin as a number or as printed', () => {
    const named = { ...wheels, left: { pwm: 'D3', dir: 'A0' }, right: { pwm: '11', dir: 'd12' } }
    expect(complaintAbout(board({ wheels: named, ranges: [{ name: 'front', pin: 'A5' }] }))).toBe(
      'none',
    )
  })

  test('has a pin that there is and that can do it', () => {
    const relay = (pin: unknown) => board({ relays: [{ name: 'lamp', halt: 'low', pin }] })
    const digital = 'a digital pin of the uno: 2 to 13, or A0 to A5'
    expect(complaintAbout(relay(undefined))).toBe('body.relays[0].pin: missing; a pin of the uno')
    for (const pin of [0, 1, 20, 99, -1]) {
      expect(complaintAbout(relay(pin))).toBe(
        `body.relays[0].pin: ${pin} is not allowed; ${digital}`,
      )
    }
    for (const pin of ['A6', 'B1', '', '3.5']) {
      expect(complaintAbout(relay(pin))).toBe(
        `body.relays[0].pin: "${pin}" is not allowed; ${digital}`,
      )
    }
    for (const pin of [3.5, NaN, null, {}])
      expect(complaintAbout(relay(pin))).toMatch(/^body\.relays\[0\]\.pin: /)
    expect(complaintAbout(board({ ranges: [{ name: 'front', pin: 3 }] }))).toBe(
      'body.ranges[0].pin: 3 is not allowed; an analog pin of the uno: A0 to A5',
    )
    const dim = { ...wheels, right: { pwm: 12, dir: 11 } }
    expect(complaintAbout(board({ wheels: dim }))).toBe(
      'body.wheels.right.pwm: 12 is not allowed; a PWM pin of the uno: 3, 5, 6, 9, 10, 11',
    )
  })

  test('needs a pin on a board and none in simulation', () => {
    const relays = [{ name: 'lamp', halt: 'low' }]
    expect(complaintAbout(robot({ body: { kind: 'simulated', relays } }))).toBe('none')
    expect(complaintAbout(board({ relays }))).toMatch(/^body\.relays\[0\]\.pin: missing/)
  })

  test('shares its pin with no other, however that is written', () => {
    const relays = [{ name: 'lamp', halt: 'low', pin: 'A0' }]
    expect(complaintAbout(board({ relays, ranges: [{ name: 'front', pin: 'A0' }] }))).toMatch(
      /^body\.relays\[0\]\.pin: pin "A0" is not allowed; ranges\.0 has it already$/,
    )
    expect(
      complaintAbout(board({ relays: [...relays, { name: 'horn', halt: 'low', pin: 14 }] })),
    ).toMatch(/^body\.relays\[1\]\.pin: pin 14 is not allowed/)
  })

  test('shares its name with no other', () => {
    const both = {
      relays: [{ name: 'lamp', halt: 'low', pin: 7 }],
      servos: [{ name: 'lamp', halt: 'hold', pin: 8 }],
    }
    expect(complaintAbout(board(both))).toBe(
      'body.servos[0].name: "lamp" is not allowed; another part has that name',
    )
    for (const name of ['left', 'right', 'encoders', 'lidar', 'imu', 'battery', 'motorPower']) {
      expect(complaintAbout(board({ relays: [{ name, halt: 'low', pin: 7 }] }))).toMatch(
        /has that name/,
      )
    }
  })

  test('may be a stop button or the contact of the motor supply, which need digital inputs of their own', () => {
    const stopButtons = [{ name: 'red', pin: 4 }]
    expect(complaintAbout(board({ stopButtons, motorPower: { pin: 'A1' } }))).toBe('none')
    expect(complaintAbout(board({ stopButtons, motorPower: { pin: 4 } }))).toBe(
      'body.motorPower.pin: pin 4 is not allowed; stopButtons.0 has it already',
    )
    expect(complaintAbout(board({ stopButtons, enabling: { pin: 4 } }))).toBe(
      'body.enabling.pin: pin 4 is not allowed; stopButtons.0 has it already',
    )
    expect(complaintAbout(board({ enabling: { pin: 5 } }))).toBe('none')
    expect(complaintAbout(board({ motorPower: {} }))).toBe(
      'body.motorPower.pin: missing; a pin of the uno',
    )
    expect(complaintAbout(board({ stopButtons: [{ name: 'red', pin: 1 }] }))).toBe(
      'body.stopButtons[0].pin: 1 is not allowed; a digital pin of the uno: 2 to 13, or A0 to A5',
    )
    expect(complaintAbout(board({ stopButtons: [...stopButtons, { name: 'red', pin: 5 }] }))).toBe(
      'body.stopButtons[1].name: "red" is not allowed; another part has that name',
    )
    const simulated = { kind: 'simulated', stopButtons: [{ name: 'red' }], motorPower: {} }
    expect(complaintAbout(robot({ body: simulated }))).toBe('none')
  })

  test('may be an encoder of each wheel, whose edges in one turn are known', () => {
    const left = { pwm: 3, dir: 2, encoder: { a: 4, b: 5 } }
    const right = { pwm: 11, dir: 12, encoder: { a: 6 } }
    const counted = { ...wheels, left, right, countsPerTurn: 40 }
    expect(complaintAbout(board({ wheels: counted }))).toBe('none')
    expect(complaintAbout(board({ wheels: { ...wheels, left, right } }))).toMatch(
      /^body\.wheels\.countsPerTurn: missing; the edges/,
    )
    expect(complaintAbout(board({ wheels: { ...wheels, left, countsPerTurn: 40 } }))).toMatch(
      /^body\.wheels\.right\.encoder: missing; both wheels/,
    )
    const clash = { ...counted, right: { ...right, encoder: { a: 4 } } }
    expect(complaintAbout(board({ wheels: clash }))).toMatch(
      /^body\.wheels\.right\.encoder\.a: pin 4 is not allowed/,
    )
  })

  test('may be an HC-SR04, which needs two digital pins', () => {
    const ping = { name: 'front', model: 'HC-SR04', pin: 8, echo: 4 }
    expect(complaintAbout(board({ ranges: [ping] }))).toBe('none')
    expect(complaintAbout(board({ ranges: [{ ...ping, echo: undefined }] }))).toBe(
      'body.ranges[0].echo: missing; a pin of the uno',
    )
    expect(complaintAbout(board({ ranges: [{ name: 'front', pin: 'A0', echo: 4 }] }))).toBe(
      'body.ranges[0].echo: 4 is not allowed; only an HC-SR04 has one',
    )
    const five = [2, 3, 4, 5, 6].map((pin) => {
      return { name: `r${pin}`, model: 'HC-SR04', pin, echo: pin + 6 }
    })
    expect(complaintAbout(board({ wheels: undefined, ranges: five }))).toContain(
      'body.ranges: 5 HC-SR04 are not allowed; at most 4',
    )
  })

  test('says what a halt makes of it, where there is no default', () => {
    expect(complaintAbout(board({ relays: [{ name: 'lamp', pin: 7 }] }))).toBe(
      'body.relays[0].halt: missing; one of low, high',
    )
    expect(complaintAbout(board({ servos: [{ name: 'arm', pin: 7 }] }))).toBe(
      'body.servos[0].halt: missing; one of hold, release',
    )
    const brake = { ...wheels, left: { pwm: 3, dir: 2, halt: 'brake' } }
    expect(complaintAbout(board({ wheels: brake }))).toMatch(
      /^body\.wheels\.left\.halt: "brake" is not allowed; coast/,
    )
    const threePins = { ...wheels, left: { pwm: 3, dir: 2, cdir: 4, halt: 'brake' } }
    expect(complaintAbout(board({ wheels: threePins }))).toBe('none')
  })

  test('is no servo where a wheel needs the timer that servos take', () => {
    const servos = [{ name: 'arm', pin: 8, halt: 'hold' }]
    const nine = { ...wheels, left: { pwm: 9, dir: 2 } }
    expect(complaintAbout(board({ wheels: nine, servos }))).toBe(
      'body.wheels.left.pwm: 9 is not allowed; a servo silences PWM on 9, 10 of the uno',
    )
    expect(complaintAbout(board({ wheels, servos }))).toBe('none')
    expect(complaintAbout(board({ wheels: nine, servos }, { board: 'mega' }))).toBe('none')
    expect(
      complaintAbout(board({ servos: [{ ...servos[0], minRadians: 1, maxRadians: 1 }] })),
    ).toBe('body.servos[0].minRadians: 1 is not allowed; less than maxRadians, 1')
  })
})

test('a robot needs half its track and 5 cm around it, or what it says', () => {
  expect(footprintOf(parseConfiguration(board({ wheels })).body)).toBeCloseTo(0.125, 9)
  expect(footprintOf(parseConfiguration(board({ wheels, footprintMetres: 0.3 })).body)).toBe(0.3)
  expect(footprintOf(parseConfiguration(robot({})).body)).toBeCloseTo(0.125, 9)
})
