import { halt } from './link.ts'

/**
 * Escape halts wherever one is, space wherever nobody writes. Neither does anything else: a button that has the focus is
 * not pressed by it, so that nobody resets or arms who wanted to halt.
 */
export function useHaltKeys(): void {
  addEventListener('keydown', heed, { capture: true })
  addEventListener('keyup', swallow, { capture: true })
}

function heed(event: KeyboardEvent): void {
  if (!isHaltKey(event)) return
  swallow(event)
  if (!event.repeat) halt()
}

/** A button takes a space when it is let go. */
function swallow(event: KeyboardEvent): void {
  if (!isHaltKey(event)) return
  event.preventDefault()
  event.stopImmediatePropagation()
}

function isHaltKey({ key, code, target }: KeyboardEvent): boolean {
  if (key === 'Escape') return true
  return (key === ' ' || code === 'Space') && !isWritten(target)
}

/** True where a space is a letter. */
function isWritten(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return ['text', 'search'].includes(target.type)
  return target instanceof HTMLTextAreaElement
}
