/**
 * The data of each event of a `text/event-stream`, in the order in which they were sent. Names, ids and comments are
 * passed over; an event that its stream breaks off in is none. The work grows with the bytes alone, however small the
 * pieces that they come in.
 */
export async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let data: string[] = []
  for await (const line of linesOf(body)) {
    if (line.startsWith('data:')) data.push(line.slice(line.startsWith('data: ') ? 6 : 5))
    if (line !== '' || data.length === 0) continue
    yield data.join('\n')
    data = []
  }
}

/** Lines end with \n, \r or both. What has no end is no line. */
async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let open: string[] = []
  let isAfterReturn = false
  for await (const bytes of body) {
    const text = decoder.decode(bytes, { stream: true })
    if (text === '') continue
    const pieces = (isAfterReturn ? text.replace(/^\n/, '') : text).split(/\r\n|\r|\n/)
    isAfterReturn = text.endsWith('\r')
    const rest = pieces.pop() ?? ''
    for (const piece of pieces) {
      yield [...open, piece].join('')
      open = []
    }
    open.push(rest)
  }
}
