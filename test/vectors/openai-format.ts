import { z } from 'zod'
import { createProfiles } from '../../actors/profile.ts'
import { requestFor } from '../../actors/request.ts'
import { replyJsonSchema } from '../../core/vocabulary/intent.ts'
import { same, strictly } from './binding.ts'

const format = z.strictObject({
  type: z.literal('json_schema'),
  json_schema: z.strictObject({
    name: z.string(),
    strict: z.literal(true),
    schema: z.record(z.string(), z.unknown()),
  }),
})
type Format = z.output<typeof format>

/**
 * The rules of a response format, for what is sent: with the schema of the file, which has to come to the format that
 * the file requires, and with that of a reply of ours. Words that nobody has bound fail.
 */
export const checkFormat = strictly(z.string(), (rule, { file, neighbours }) => {
  const judged = demands.get(rule)
  if (!judged) return [`nobody has bound "${rule}"`]
  const required = format.parse(neighbours['required'])
  const used = format.parse(file['schema_used_in_cases'])
  const sent = sentWith(required.json_schema.schema)
  const { name } = sent.json_schema
  const named = { ...required, json_schema: { ...required.json_schema, name } }
  return [
    ...same('schema_used_in_cases', JSON.stringify(used), JSON.stringify(required)),
    ...same('what is sent', JSON.stringify(sent), JSON.stringify(named)),
    ...[required, sent, sentWith(replyJsonSchema(everything))].flatMap(judged),
  ]
})

const everything = { canDrive: true, relays: ['lamp', 'horn'] }

function sentWith(schema: object): Format {
  const question = { id: 1, messages: [], schema }
  const profile = createProfiles().of({ url: 'https://model.invalid', model: 'm' })
  const request = requestFor('m', profile, { question, endpoint: 0, capTokens: 100 })
  return format.parse(request.response_format)
}

const demands: ReadonlyMap<string, (sent: Format) => string[]> = new Map([
  [
    'name is mandatory, [a-zA-Z0-9_-], at most 64 characters',
    ({ json_schema: { name } }: Format) =>
      same(`name ${name}`, /^[a-zA-Z0-9_-]{1,64}$/.test(name), true),
  ],
  [
    'strict mode: every object has additionalProperties false and lists all its keys in required',
    ({ json_schema: { schema } }: Format) => looseIn(schema, 'schema'),
  ],
  [
    'the root is an object',
    ({ json_schema: { schema } }: Format) => same('root', String(schema['type']), 'object'),
  ],
])

const node = z.record(z.string(), z.unknown())

/** Where in a schema an object lets more in than it names, or less. */
function looseIn(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((inner, at) => looseIn(inner, `${path}[${at}]`))
  const { data: schema } = node.safeParse(value)
  if (!schema) return []
  const inner = Object.entries(schema).flatMap(([key, each]) => looseIn(each, `${path}.${key}`))
  const { data: properties } = node.safeParse(schema['properties'])
  if (schema['type'] !== 'object' && !properties) return inner
  const required = z.array(z.string()).catch([]).parse(schema['required'])
  return [
    ...inner,
    ...same(`${path} takes others`, schema['additionalProperties'] !== false, false),
    ...same(
      `${path}.required`,
      required.toSorted().join(', '),
      Object.keys(properties ?? {})
        .toSorted()
        .join(', '),
    ),
  ]
}
