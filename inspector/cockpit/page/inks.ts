/** The colours of the style sheet, for what is painted on a canvas. */
export interface Inks {
  readonly text: string
  readonly faint: string
  readonly line: string
  readonly accent: string
  readonly warm: string
  readonly halt: string
}

/** As they are now: light or dark. */
export function inked(): Inks {
  const style = getComputedStyle(document.documentElement)
  const ink = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    text: ink('text'),
    faint: ink('faint'),
    line: ink('line'),
    accent: ink('accent'),
    warm: ink('warm'),
    halt: ink('halt'),
  }
}
