import { expect, test } from 'vitest'
import { wallClock } from '../../../drivers/clock.ts'
import { openPort, reasonOf } from '../../../drivers/guardian/port.ts'

test('a port that does not exist is named, with the reason', async () => {
  await expect(openPort('/dev/no-such-port', wallClock())).rejects.toMatchObject({
    code: 'ERR_PORT_UNAVAILABLE',
    message: 'cannot open /dev/no-such-port: no such file; is the board plugged in?',
  })
})

test('what is no serial port is named too', async () => {
  await expect(openPort('/dev/null', wallClock())).rejects.toMatchObject({
    code: 'ERR_PORT_UNAVAILABLE',
    message: expect.stringMatching(/^cannot open \/dev\/null: /),
  })
})

test.for([
  {
    message: 'Error: Permission denied, cannot open /dev/ttyACM0',
    group: 'dialout',
    reason:
      'no permission; it belongs to the group dialout: run "sudo usermod -aG dialout $USER" and log in again',
  },
  {
    message: 'Error: Permission denied, cannot open /dev/ttyACM0',
    group: undefined,
    reason: 'no permission',
  },
  {
    message: 'Error Resource temporarily unavailable Cannot lock port',
    group: 'dialout',
    reason: 'it is locked by another program',
  },
  {
    message: 'Error: Inappropriate ioctl for device, cannot open',
    group: undefined,
    reason: 'it is not a serial port',
  },
  { message: 'Error: the roof fell in', group: undefined, reason: 'the roof fell in' },
])('"$message" means "$reason"', ({ message, group, reason }) => {
  expect(reasonOf(message, group)).toBe(reason)
})
