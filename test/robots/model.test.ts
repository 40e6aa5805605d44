import { describe, expect } from 'vitest'
import { z } from 'zod'
import { expectSafe, reportOf, type RunReport, test } from '../support/mechos.ts'
import { driveSensibly, type Model, reply, startModel } from '../support/model-server.ts'

const wordsFor = (url: string, seconds: number) =>
  `run --headless --for ${seconds} --seed 7 --brain ${url} --model m --goal explore --report -`.split(
    ' ',
  )

describe.concurrent('a model behind an HTTP endpoint', { timeout: 120_000 }, () => {
  test('drives the rover, and costs what its server says', async ({ place, onTestFinished }) => {
    const model = await startModel(driveSensibly)
    onTestFinished(model.close)
    const ended = await place.run(...wordsFor(model.url, 6))
    expect([ended.code, ended.stderr]).toEqual([0, ''])
    const report = reportOf(ended)
    expect(report).toMatchObject({
      state: 'halted',
      exit: 0,
      causes: ['end of run'],
      goal: 'explore',
      collisions: 0,
      // The clock of a run with a model goes as fast as the wall's.
      seconds: 6,
    })
    expect(report.wallSeconds).toBeGreaterThan(5)
    expectSafe(report)
    expect(report.distanceM).toBeGreaterThan(0.5)
    expect(report.tokens.limit).toBe(100_000)
    expectCharged(report, model)
    expect(report.intents.permitted).toBeGreaterThan(3)
  })

  test('is told goal and state, the intents that there are, and a cap', async ({
    place,
    onTestFinished,
  }) => {
    const model = await startModel(() => reply('resting', { type: 'wait', durationMs: 300 }))
    onTestFinished(model.close)
    place.write(
      'robot.config.ts',
      `export default { name: 'rover', goal: 'find the cat',
         body: { kind: 'simulated', wheels: { radiusMetres: 0.03, trackMetres: 0.15 }, lidar: {},
           relays: [{ name: 'lamp', halt: 'low' }, { name: 'laser', halt: 'low' }] },
         limits: { linear: 0.2, angular: 1 }, grants: ['drive', 'relay:lamp'],
         brains: [{ url: '${model.url}', model: 'small' }] }`,
    )
    const report = reportOf(
      await place.run('run', '--headless', '--for', '2', '--seed', '7', '--report', '-'),
    )
    expect(report).toMatchObject({ exit: 0, goal: 'find the cat', distanceM: 0 })
    expectCharged(report, model)

    const [request] = model.requests
    expect(request?.model).toBe('small')
    expect(request?.max_tokens).toBeGreaterThanOrEqual(50)
    expect(request?.max_tokens).toBeLessThanOrEqual(400)
    expect(request?.messages.map(({ role }) => role)).toEqual(['system', 'user'])
    expect(request?.messages[0]?.content).toContain('base_link')
    expectStrict(request?.response_format.json_schema.schema)
    expect(relaysOf(request?.response_format.json_schema.schema)).toEqual(['lamp'])

    const later = model.briefings.at(-1)
    expect(later).toMatchObject({
      goal: 'find the cat',
      pose: { x: expect.any(Number), y: expect.any(Number), heading: expect.any(Number) },
      limits: { linear: 0.2, angular: 1 },
      blind: [],
      battery: expect.any(Number),
      may: ['drive', 'stop', 'wait', 'askHuman', 'remember', 'setRelay lamp'],
    })
    expect(later?.obstacles.length).toBeGreaterThan(3)
    expect(later?.last).toContainEqual({ intent: 'wait 300 ms', outcome: 'permitted' })
  })

  test('is told of a refusal in its next turn, and may do better', async ({
    place,
    onTestFinished,
  }) => {
    const tooFast = { type: 'drive', linear: 99, angular: 0, durationMs: 500 }
    const model = await startModel(({ last }) =>
      last.some(({ outcome }) => outcome.includes('beyond the limit of 0.4 m/s'))
        ? reply('slower', { type: 'drive', linear: 0.3, angular: 0, durationMs: 500 })
        : reply('fast', tooFast),
    )
    onTestFinished(model.close)
    const report = reportOf(await place.run(...wordsFor(model.url, 3)))
    expect(model.briefings[1]?.last).toEqual([
      {
        intent: JSON.stringify(tooFast),
        outcome: 'refused: linear 99 m/s is beyond the limit of 0.4 m/s',
      },
    ])
    expect(report.intents.refused).toBeGreaterThanOrEqual(1)
    expect(report.causes).toEqual(['end of run'])
    expect(report.distanceM).toBeGreaterThan(0.2)
  })

  test('switches the relay that it was granted, and the halt switches it off', async ({
    place,
    onTestFinished,
  }) => {
    const model = await startModel(({ last }) =>
      last.some(({ intent }) => intent === 'lamp on')
        ? reply('done', { type: 'wait', durationMs: 2_000 })
        : reply('light', { type: 'setRelay', relay: 'lamp', on: true }),
    )
    onTestFinished(model.close)
    const report = reportOf(await place.run(...wordsFor(model.url, 2)))
    expect(report.intents.permitted).toBeGreaterThanOrEqual(2)
    expect(report.actuators['lamp']).toEqual({ output: 0, safe: true })
  })
})

/** What was spent is what the server billed; a call that is under way at the end is charged at its worst instead. */
function expectCharged({ tokens }: RunReport, { usedTokens }: Model): void {
  if (tokens.assumed === 0) expect(tokens.spent).toBe(usedTokens)
  else expect(tokens.spent + tokens.assumed).toBeGreaterThanOrEqual(usedTokens)
}

/** Turns on the spot, which is never the same place twice, and soon asks again. */
function lookAround(): object {
  return reply('to look', { type: 'drive', linear: 0, angular: 1, durationMs: 200 })
}

describe.concurrent('a budget of tokens', { timeout: 120_000 }, () => {
  const cases = [
    { budget: 2_000, title: 'that is too small for one call buys none' },
    { budget: 7_000, title: 'that is enough for a few calls is not overspent' },
  ]
  for (const { budget, title } of cases) {
    test(title, async ({ place, onTestFinished }) => {
      const model = await startModel(lookAround)
      onTestFinished(model.close)
      const ended = await place.run(...wordsFor(model.url, 6), '--budget-tokens', String(budget))
      const told =
        /the budget is exhausted: \d+ of \d+ tokens are left for this day, .*; a larger limit would lift that, or the next day/
      expect([ended.code, ended.stderr.match(new RegExp(told, 'g'))?.length]).toEqual([0, 1])
      const report = reportOf(ended)
      expect(model.usedTokens).toBeLessThanOrEqual(budget)
      expect(report.tokens).toEqual({ limit: budget, spent: model.usedTokens, assumed: 0, held: 0 })
      expect(report.causes).toEqual(['end of run', expect.stringMatching(told)])
      if (budget > 2_000) expect(model.requests.length).toBeGreaterThan(1)
    })
  }
})

test('a budget of the day outlives the run, and a larger one lifts what it forbids', async ({
  place,
  onTestFinished,
}) => {
  const model = await startModel(lookAround)
  onTestFinished(model.close)
  const run = (seconds: number, budget: number) =>
    place.run(
      ...`run --headless --for ${seconds} --brain ${model.url} --model m --report -`.split(' '),
      ...`--budget-tokens ${budget}`.split(' '),
    )
  const first = reportOf(await run(6, 7_000))
  expect(first.causes[1]).toMatch(/the budget is exhausted/)
  const asked = model.requests.length
  expect(asked).toBeGreaterThan(1)

  const second = await run(1, 7_000)
  expect(second.stderr).toMatch(/^rover: the budget is exhausted: .* tokens are left for this day/)
  expect(reportOf(second)).toMatchObject({ exit: 0, tokens: { spent: 0, assumed: 0, held: 0 } })
  expect(model.requests.length).toBe(asked)

  const third = reportOf(await run(2, 20_000))
  expect(third.tokens.spent).toBeGreaterThan(0)
  expect(model.usedTokens).toBeLessThanOrEqual(20_000)
})

/** JSON Schema as far as OpenAI's strict mode takes it (Structured Outputs, supported schemas). */
const node: z.ZodType<SchemaNode> = z.lazy(() =>
  z.strictObject({
    description: z.string().optional(),
    type: z.enum(['object', 'string', 'number', 'integer', 'boolean', 'array']).optional(),
    const: z.string().optional(),
    enum: z.array(z.string()).min(1).optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    items: node.optional(),
    maxItems: z.number().optional(),
    anyOf: z.array(node).min(1).optional(),
    properties: z.record(z.string(), node).optional(),
    required: z.array(z.string()).optional(),
    additionalProperties: z.literal(false).optional(),
  }),
)

interface SchemaNode {
  readonly type?: string | undefined
  readonly const?: string | undefined
  readonly enum?: string[] | undefined
  readonly items?: SchemaNode | undefined
  readonly anyOf?: SchemaNode[] | undefined
  readonly properties?: Record<string, SchemaNode> | undefined
  readonly required?: string[] | undefined
  readonly additionalProperties?: false | undefined
}

function expectStrict(schema: unknown): void {
  const root = node.parse(schema)
  expect([root.type, root.anyOf]).toEqual(['object', undefined])
  expectClosed(root)
}

function expectClosed(at: SchemaNode): void {
  for (const option of at.anyOf ?? []) expectClosed(option)
  if (at.type !== 'object') return
  expect(at.additionalProperties).toBe(false)
  expect(at.required?.toSorted()).toEqual(Object.keys(at.properties ?? {}).toSorted())
  for (const property of Object.values(at.properties ?? {})) expectClosed(property)
}

/** The relays that the schema lets a model name. */
function relaysOf(schema: unknown): readonly string[] {
  const options = node.parse(schema).properties?.['intent']?.anyOf ?? []
  return options.flatMap(({ properties }) => properties?.['relay']?.enum ?? [])
}
