/**
 * A key that an object anywhere in a JSON text has twice, or undefined. Parsers keep the last of them and say nothing, so
 * that one text could mean one thing to its writer and another to its reader. `text` must be valid JSON.
 */
export function repeatedKey(text: string): string | undefined {
  const objects: (Set<string> | undefined)[] = []
  const tokens = text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g)
  for (const [token, string, colon] of tokens) {
    if (token === '{') objects.push(new Set())
    else if (token === '[') objects.push(undefined)
    else if (token === '}' || token === ']') objects.pop()
    else if (string !== undefined && colon !== undefined) {
      const keys = objects.at(-1)
      // However its characters are written, it is the same key.
      const key = String(JSON.parse(string))
      if (keys?.has(key)) return key
      keys?.add(key)
    }
  }
  return undefined
}
