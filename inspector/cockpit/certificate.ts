import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { MechosError, messageOf } from '../../core/vocabulary/errors.ts'
import { loopback } from './doorkeeper.ts'
import { ownPlace, type Place } from './place.ts'

/** Where a person wants the cockpit served, and the files that make that safe. */
export interface PlaceWish {
  /** An IP address of this computer. */
  readonly host: string | undefined
  /** Files in PEM. */
  readonly cert: string | undefined
  readonly key: string | undefined
}

/**
 * The place that was asked for: this computer alone unless another address was named, which takes a certificate and its
 * key. Browsers may then use that address and the names that stand in the certificate, and no others. Throws ERR_USAGE
 * that says which flag is wrong.
 */
export function placeFor({ host = loopback, cert, key }: PlaceWish): Place {
  const name = nameOf(host)
  const isOwn = name === loopback || name === '[::1]'
  if (cert === undefined && key === undefined) {
    if (name === loopback) return ownPlace
    if (isOwn) return { address: host, names: [name, 'localhost'] }
    throw refused(
      'cockpit-cert',
      `missing; ${host} can be reached by others, so that --cockpit-cert FILE and --cockpit-key FILE are needed`,
    )
  }
  if (cert === undefined) throw refused('cockpit-cert', 'missing; --cockpit-key needs it')
  if (key === undefined) throw refused('cockpit-key', 'missing; --cockpit-cert needs it')
  const certificate = { cert: read('cockpit-cert', cert), key: read('cockpit-key', key) }
  const shown = pairOf(certificate, { cert, key })
  const own = isOwn ? [name, 'localhost'] : [name]
  const names = [...own.filter((each) => isFor(shown, each)), ...hostNamesIn(shown)]
  if (names.length === 0) {
    const wanted = `a certificate whose subjectAltName has IP:${host}, or a DNS name of it`
    throw refused('cockpit-cert', `${cert} is not allowed; ${wanted}`)
  }
  return { address: host, names: [...new Set([...names, ...own])], certificate }
}

/** An address as browsers write it, which is one way only. Every address at once would let anybody in by any name. */
function nameOf(host: string): string {
  const literal = { 4: host, 6: `[${host}]` }[isIP(host)]
  const url = `https://${literal}`
  const name = literal !== undefined && URL.canParse(url) ? new URL(url).hostname : undefined
  const isEvery = name === '0.0.0.0' || name === '[::]' || name === '[::ffff:0:0]'
  if (name !== undefined && !isEvery) return name
  const wanted = 'the one IP address of this computer that is to be reached, such as 192.168.1.7'
  throw refused('cockpit-host', `${host} is not allowed; ${wanted}`)
}

function read(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw refused(flag, `${file} cannot be read: ${messageOf(error)}`)
  }
}

/** The certificate, once it is known that the key is its own. */
function pairOf(
  given: { readonly cert: string; readonly key: string },
  files: { readonly cert: string; readonly key: string },
): X509Certificate {
  const shown = parsed('cockpit-cert', files.cert, 'a certificate in PEM', () => {
    return new X509Certificate(given.cert)
  })
  const key: KeyObject = parsed(
    'cockpit-key',
    files.key,
    'a private key in PEM, without a passphrase',
    () => createPrivateKey(given.key),
  )
  if (shown.checkPrivateKey(key)) return shown
  throw refused('cockpit-key', `${files.key} is not allowed; the key of ${files.cert}`)
}

function parsed<T>(flag: string, file: string, wanted: string, parse: () => T): T {
  try {
    return parse()
  } catch {
    // What is wrong in it may quote it, and a key is quoted nowhere.
    throw refused(flag, `${file} is not allowed; ${wanted}`)
  }
}

function isFor(shown: X509Certificate, name: string): boolean {
  const address = name.replaceAll(/[[\]]/g, '')
  const found = isIP(address) ? shown.checkIP(address) : shown.checkHost(address)
  return found !== undefined
}

/** The names in its subjectAltName, without those that stand for many. */
function hostNamesIn({ subjectAltName = '' }: X509Certificate): readonly string[] {
  return [...subjectAltName.matchAll(/(?:^|, )DNS:([a-z0-9.-]+)(?=,|$)/gi)].map(([, name = '']) =>
    name.toLowerCase(),
  )
}

function refused(flag: string, message: string): MechosError {
  return new MechosError('ERR_USAGE', `${flag}: ${message}`)
}
