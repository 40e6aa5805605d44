const mask = '[secret]'

/**
 * A key or a password. Wherever it is printed, joined, inspected or made JSON of, it reads `[secret]`; a copy of it
 * holds nothing. `reveal` is the one way out, and belongs where the secret leaves the program.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
    Object.freeze(this)
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return mask
  }

  toJSON(): string {
    return mask
  }

  [Symbol.toPrimitive](): string {
    return mask
  }

  /** Node's `inspect`, and with it the console and `util.format`. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return mask
  }
}
