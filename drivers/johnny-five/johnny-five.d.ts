// Without an export this would declare the module anew instead of adding to it.
// oxlint-disable-next-line unicorn/require-module-specifiers
export {}

/** What @types/johnny-five 2.1.11 forgot of johnny-five 2.1.0. */
declare module 'johnny-five' {
  interface BoardOption {
    /** False keeps the library from listening to SIGINT, which it would answer by ending the process. */
    sigint?: boolean
  }
  interface Board {
    removeAllListeners(): this
    emit(event: string, ...values: readonly unknown[]): boolean
  }
  namespace Board {
    /** Every board that this process ever made. */
    const cache: Board[]
  }
  interface Motor {
    /** Sets the duty, 0 to 255, and leaves the direction alone. */
    speed(duty: number): this
  }
  interface Button {
    readonly isDown: boolean
  }
  interface Sensor {
    disable(): this
  }
}
