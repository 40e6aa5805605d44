import { createInterface } from 'node:readline/promises'

/** The prompt of a bare `mechos`: reads a line, hands its words to `run`, and goes on until `quit` or the end of input. */
export async function converse(
  verbs: readonly string[],
  run: (words: readonly string[]) => Promise<void>,
): Promise<void> {
  const lines = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt: 'mechos> ',
    completer: (line: string): [string[], string] => [
      verbs.filter((verb) => verb.startsWith(line)),
      line,
    ],
  })
  lines.prompt()
  for await (const line of lines) {
    const words = line
      .trim()
      .split(/\s+/)
      .filter((word) => word !== '')
    if (words[0] === 'quit' || words[0] === 'exit') break
    if (words.length > 0) {
      lines.pause()
      await run(words)
      lines.resume()
    }
    lines.prompt()
  }
  lines.close()
}
