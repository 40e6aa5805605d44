/** A hash function, as its digest in base64url. */
export type Hash = (text: string) => string

/** What stands before the first entry. */
export const chainStart = ''

/** An entry as it is kept: its hash, which covers the one before it, and its exact text. */
export interface Link {
  readonly hash: string
  readonly text: string
}

/** The next link of a chain: nobody changes a text without changing every hash from there on. */
export function linkAfter(previousHash: string, text: string, hash: Hash): Link {
  return { hash: hash(`${previousHash}\n${text}`), text }
}

export function isLinkAfter(previousHash: string, { hash: kept, text }: Link, hash: Hash): boolean {
  return linkAfter(previousHash, text, hash).hash === kept
}

/** A link as one text: hash, blank, text. */
export function writtenLink({ hash, text }: Link): string {
  return `${hash} ${text}`
}

/** The link in such a text; whatever it is, it has a hash and a text then, right or wrong. */
export function readLink(written: string): Link {
  const blank = written.indexOf(' ')
  return blank < 0
    ? { hash: '', text: written }
    : { hash: written.slice(0, blank), text: written.slice(blank + 1) }
}
