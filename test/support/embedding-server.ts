import { createServer } from 'node:http'
import { z } from 'zod'

/** A server of embeddings, and all the texts that it gave vectors. */
export interface EmbeddingServer {
  readonly url: string
  readonly texts: readonly string[]
  close(): Promise<void>
}

const requestSchema = z.object({
  model: z.string(),
  input: z.array(z.string()),
  encoding_format: z.literal('float'),
})

/** Knows what words mean: each group of synonyms is a direction. Bills a token for every four characters. */
export function startEmbeddings(
  synonyms: readonly (readonly string[])[],
): Promise<EmbeddingServer> {
  const texts: string[] = []
  const vectorOf = (text: string) => [
    ...synonyms.map((words) => words.filter((word) => text.toLowerCase().includes(word)).length),
    0.01,
  ]
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      const { input } = requestSchema.parse(JSON.parse(body))
      texts.push(...input)
      const data = input.map((text, index) => ({
        object: 'embedding',
        index,
        embedding: vectorOf(text),
      }))
      const tokens = Math.ceil(input.join('').length / 4)
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ object: 'list', data, usage: { prompt_tokens: tokens } }))
    })
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string')
        throw new TypeError('it listens on a port')
      resolve({
        url: `http://127.0.0.1:${address.port}/v1`,
        texts,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed())
            server.closeAllConnections()
          }),
      })
    })
  })
}
