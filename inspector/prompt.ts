import { createInterface } from 'node:readline'

/** The prompt of a bare `mechos`: reads a line, hands its words to `run`, and goes on until `quit` or the end of input. */
export async function converse(
  verbs: readonly string[],
  run: (words: readonly string[]) => Promise<void>,
): Promise<void> {
  const typedAhead: string[] = []
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a conversation goes one line at a time
    const line = typedAhead.shift() ?? (await ask(verbs, typedAhead))
    if (line === undefined) return
    const words = line
      .trim()
      .split(/\s+/)
      .filter((word) => word !== '')
    if (words[0] === 'quit' || words[0] === 'exit') return
    // oxlint-disable-next-line no-await-in-loop -- as above
    if (words.length > 0) await run(words)
  }
}

/**
 * One line, or undefined at the end of input. The terminal is let go of before this resolves: a run reads its keys from
 * it, and two readers would each get half of what is typed. Lines that came with it go to `typedAhead`.
 */
function ask(verbs: readonly string[], typedAhead: string[]): Promise<string | undefined> {
  const lines = createInterface({
    input: process.stdin,
    output: process.stdout,
    completer: (line: string): [string[], string] => [
      verbs.filter((verb) => verb.startsWith(line)),
      line,
    ],
  })
  return new Promise((resolve) => {
    const heard: string[] = []
    lines.on('line', (line) => {
      heard.push(line)
      if (heard.length > 1) return
      queueMicrotask(() => {
        lines.off('close', atEnd)
        lines.close()
        typedAhead.push(...heard.slice(1))
        resolve(heard[0])
      })
    })
    const atEnd = () => resolve(undefined)
    lines.on('close', atEnd)
    lines.setPrompt('mechos> ')
    lines.prompt()
  })
}
