import { normalised } from './vector.ts'

/** The name of this embedding. Whatever changes what it makes of a text changes its name. */
export const lexicalName = 'lexical-1'

export const lexicalDimensions = 384

/** The most characters of a text that are looked at. */
const charactersMax = 2_000

/**
 * What a text is about, by the words and pieces of words in it: hashed into 384 numbers, of length 1, the same on every
 * machine. Needs no network and no model, and knows no synonyms. A text without a letter or digit is nought everywhere.
 */
export function lexicalVector(text: string): Float32Array {
  const counts = new Map<string, Feature>()
  for (const word of wordsIn(text)) {
    add(counts, `w${word}`, weightOf(word))
    const padded = ` ${word} `
    for (let at = 0; at + gramLength <= padded.length; at++) {
      add(counts, `g${padded.slice(at, at + gramLength)}`, gramWeight * weightOf(word))
    }
  }
  const vector = new Float32Array(lexicalDimensions)
  for (const [feature, { weight, times }] of counts) {
    const hash = hashOf(feature)
    const index = hash % lexicalDimensions
    // Half of all features count backwards, so that those that share a number cancel rather than pile up.
    const sign = hash >= halfOfHashes ? -1 : 1
    vector[index] = (vector[index] ?? 0) + sign * weight * Math.sqrt(times)
  }
  return normalised(vector) ?? vector
}

interface Feature {
  readonly weight: number
  times: number
}

/** Three characters bear a word with another ending. */
const gramLength = 3
const gramWeight = 0.4

/** Words as short as these are mostly the mortar of a sentence. */
const shortLength = 3
const shortWeight = 0.3

function weightOf(word: string): number {
  return word.length <= shortLength && !/\p{N}/u.test(word) ? shortWeight : 1
}

function wordsIn(text: string): readonly string[] {
  const folded = text.slice(0, charactersMax).normalize('NFKC').toLowerCase()
  return folded.match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
}

function add(counts: Map<string, Feature>, feature: string, weight: number): void {
  const known = counts.get(feature)
  if (known) known.times += 1
  else counts.set(feature, { weight, times: 1 })
}

const halfOfHashes = 0x8000_0000

/** FNV-1a over the code units, with the end of MurmurHash3, which spreads it over all bits. */
function hashOf(text: string): number {
  let hash = 0x811c_9dc5
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
