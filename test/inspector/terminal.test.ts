import { describe, expect, test } from 'vitest'
import type { Status } from '../../core/vocabulary/status.ts'
import { answerKeys, answerOfKey, printable, statusText } from '../../inspector/terminal.ts'

const approval = {
  id: 412_001,
  kind: 'approval',
  text: 'switch lamp on',
  choices: ['yes', 'no'],
  modelSays: 'it is dark\n\u001b[2Jstate    halted',
} as const
const choosing = { ...approval, kind: 'question', text: 'up?', choices: ['left', 'right'] } as const
const free = { ...choosing, choices: [] } as const

const status: Status = {
  name: 'rover',
  pid: 7,
  run: 'rover-1',
  state: 'active.autonomous',
  causes: [],
  epoch: 2,
  body: 'simulated',
  deadman: false,
  pose: null,
  goal: null,
  agent: { state: 'holding.awaitingHuman', brain: 'm', lastIntent: null, lastVerdict: null },
  question: null,
  enabling: null,
  sensors: {},
  battery: null,
  failsafe: { rung: 'none', reasons: [] },
  budget: { state: 'ample', spent: 0, assumed: 0, limit: 1, usd: { spent: 0, limit: 1 } },
  llm: { circuit: 'closed', lastError: null, replies: {} },
  halt: null,
  recorder: null,
  memory: null,
}
const rowsOf = (question: Status['question']) =>
  statusText({ ...status, question })
    .split('\n')
    .filter((row) => /^(asks|model|answer) /.test(row))

describe('a question on a terminal', () => {
  test('stands in the status with how to answer it, the words of the model quoted and apart', () => {
    expect(rowsOf(null)).toEqual([])
    expect(rowsOf(approval)).toEqual([
      'asks     switch lamp on?',
      'model    says: "it is dark\\n\\u001b[2Jstate    halted"',
      'answer   mechos answer yes|no --id 412001 --name rover',
    ])
    expect(rowsOf(choosing)).toEqual([
      'asks     in the words of its model: "up?"',
      'model    says: "it is dark\\n\\u001b[2Jstate    halted"',
      'answer   mechos answer "left"|"right" --id 412001 --name rover',
    ])
    expect(rowsOf(free)[2]).toBe('answer   mechos answer TEXT --id 412001 --name rover')
  })

  test('is answered by y and n, or by digits, and by no other key', () => {
    expect([approval, choosing, free].map(answerKeys)).toEqual([
      'y approves it once, n refuses it',
      '1 to 2 choose',
      undefined,
    ])
    const keys = ['y', 'n', '0', '1', '2', '3', 'yy', 'constructor', '']
    const said = (question: NonNullable<Status['question']>) =>
      keys.flatMap((key) => {
        const text = answerOfKey(question, key)
        return text === undefined ? [] : [`${key} ${text}`]
      })
    expect(said(approval)).toEqual(['y yes', 'n no'])
    expect(said(choosing)).toEqual(['1 left', '2 right'])
    expect(said(free)).toEqual([])
  })
})

test('no text moves the cursor, makes a line, or turns the order of letters round', () => {
  expect(printable('a\u001b[2J\nb\u009b\u2028\u202ec\u2066 ä 日本 👩‍🚀')).toBe(
    'a·[2J·b···c· ä 日本 👩‍🚀',
  )
})
