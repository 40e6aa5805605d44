/** What an endpoint's address may be. */
const allowed =
  'an https address without user, password, query and fragment; http only to 127.0.0.1, [::1] or localhost'

/**
 * Why an address is none that a key or a prompt may be sent to: what would be allowed, in words. Undefined when it is
 * one. Decided on the parsed address, so that nothing that merely looks like this machine passes for it.
 */
export function addressProblem(address: string): string | undefined {
  const url = parseUrl(address)
  if (!url) return allowed
  const isTransportSafe =
    url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(address))
  // An empty query or fragment leaves no trace but its mark, and would swallow the path that is added to the address.
  const isPlain = url.username === '' && url.password === '' && !/[?#]/.test(url.href)
  return isTransportSafe && isPlain ? undefined : allowed
}

/** Whether the host of an address is this very machine, by its parsed name. What is no address is not. */
export function isLoopback(address: string | URL): boolean {
  const url = typeof address === 'string' ? parseUrl(address) : address
  if (!url) return false
  // The parser has brought every way to write an IPv4 address into this one.
  const isIpv4 = /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(url.hostname)
  return isIpv4 || url.hostname === '[::1]' || url.hostname === 'localhost'
}

function parseUrl(address: string): URL | undefined {
  // The parser would drop blanks and line breaks, and read \ as /: whoever writes those means something else.
  if (/[\s\\\p{Cc}]/u.test(address)) return undefined
  return URL.canParse(address) ? new URL(address) : undefined
}
