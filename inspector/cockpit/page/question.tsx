import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { inquiryMs } from '../../../core/vocabulary/inquiry.ts'
import type { Status } from '../../../core/vocabulary/status.ts'
import { askedAtMs, isLive, mayDrive, status } from './known.ts'
import { say } from './link.ts'
import { every, nowMs } from './time.ts'

type Asked = NonNullable<Status['question']>

/** What a person is asked, in whose words, and for how long; nothing where nobody is asked. */
export function Question() {
  const asked = status.value?.question
  return asked ? <Open key={asked.id} asked={asked} /> : null
}

function Open({ asked }: { readonly asked: Asked }) {
  const { kind, text, choices, modelSays, id } = asked
  return (
    <section class="question" aria-labelledby="question-title" role="alert">
      <header>
        <h2 id="question-title">{kind === 'approval' ? 'May it?' : 'The model asks'}</h2>
        <Countdown kind={kind} />
      </header>
      <p class="asked">{kind === 'approval' ? text : `“${text}”`}</p>
      {modelSays !== '' && <p class="small">The model says: “{modelSays}”</p>}
      {mayDrive.value ? (
        <Answers id={id} words={kind === 'approval' ? ['yes', 'no'] : choices} />
      ) : (
        <p class="small">This page may watch, not answer.</p>
      )}
    </section>
  )
}

function Answers({ id, words }: { readonly id: number; readonly words: readonly string[] }) {
  const typed = useSignal('')
  const answer = (text: string) => say({ type: 'answer', id, text })
  if (words.length > 0) {
    return (
      <div class="answers">
        {words.map((word) => (
          <button type="button" key={word} disabled={!isLive.value} onClick={() => answer(word)}>
            {word}
          </button>
        ))}
      </div>
    )
  }
  return (
    <form
      class="answers"
      onSubmit={(event) => {
        event.preventDefault()
        if (typed.value.trim() !== '') answer(typed.value.trim())
      }}
    >
      <input
        type="text"
        aria-label="Answer"
        maxLength={500}
        value={typed.value}
        onInput={({ currentTarget }) => (typed.value = currentTarget.value)}
      />
      <button type="submit" disabled={!isLive.value}>
        Answer
      </button>
    </form>
  )
}

/** The page may have come in the middle: it is at most so long. */
function Countdown({ kind }: Pick<Asked, 'kind'>) {
  const leftMs = useSignal(0)
  useEffect(() => {
    const look = () => {
      leftMs.value = Math.max(0, inquiryMs[kind] - (nowMs() - (askedAtMs.value ?? nowMs())))
    }
    look()
    return every(200, look)
  }, [kind])
  const seconds = Math.ceil(leftMs.value / 1_000)
  return (
    <p class="countdown">
      <span aria-hidden="true">{seconds} s</span>
      <progress
        aria-label="Time left to answer; silence refuses"
        max={inquiryMs[kind]}
        value={leftMs.value}
      />
    </p>
  )
}
