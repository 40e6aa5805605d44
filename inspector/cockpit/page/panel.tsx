import type { ComponentChildren } from 'preact'

/** A part of the cockpit with a heading. `area` names its place in the grid. */
export function Panel({
  area,
  title,
  aside,
  children,
}: {
  readonly area: string
  readonly title: string
  readonly aside?: ComponentChildren
  readonly children: ComponentChildren
}) {
  return (
    <section class={`panel ${area}`} aria-labelledby={`${area}-title`}>
      <header>
        <h2 id={`${area}-title`}>{title}</h2>
        {aside !== undefined && <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  )
}

/** What stands where there is nothing to show. */
export function Nothing({ children }: { readonly children: ComponentChildren }) {
  return <p class="nothing">{children}</p>
}
