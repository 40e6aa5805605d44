/** What a person is asked, by the model or by the kernel. The robot stands still until it is answered, or for as long as it may take. */
export interface Inquiry {
  /** Told apart from every other one of this run. */
  readonly id: number
  /** A `question` is in the words of the model, an `approval` in those of the kernel. */
  readonly kind: 'question' | 'approval'
  readonly text: string
  /** What may be answered; empty where anything may. */
  readonly choices: readonly string[]
  /** The reason that the model gives, in its words, which prove nothing. */
  readonly modelSays: string
  readonly askedAtEpoch: number
}

/** What a person was asked, and what became of it. */
export interface Answered {
  readonly question: string
  readonly answer: string
}

/** How long a person may take, in ms; silence is a refusal (DESIGN §6). */
export const inquiryMs = { question: 60_000, approval: 10_000 } as const

/** The number above which a run numbers its inquiries: six digits that differ from run to run, by its name. */
export function numberedAbove(run: string): number {
  let sum = 0
  for (const character of run) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 900
  return (100 + sum) * 1_000
}

/** The longest of what may be asked and answered, and of how many answers the model is told. */
export const inquiryMax = {
  questionCharacters: 300,
  choices: 6,
  choiceCharacters: 60,
  answerCharacters: 500,
  answers: 4,
} as const
