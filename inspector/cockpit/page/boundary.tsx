import { Component, type ComponentChildren } from 'preact'

/** A panel that fails takes no other with it, and HALT least of all. */
export class Boundary extends Component<{ readonly children: ComponentChildren }> {
  override state: { readonly failure?: string } = {}

  override componentDidCatch(error: unknown): void {
    this.setState({ failure: String(error) })
  }

  override render() {
    const { failure } = this.state
    return failure === undefined ? (
      this.props.children
    ) : (
      <p class="panel warm">This panel has failed: {failure}</p>
    )
  }
}
