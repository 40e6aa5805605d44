import { join } from 'node:path'
import { Level } from 'level'
import { chainStart, type Link, linkAfter, readLink, writtenLink } from '../../core/record/chain.ts'
import { entriesName, entryKey, hashOf } from '../../store/record-layout.ts'

/** Changes what a record keeps, as somebody would who has found its folder. What `change` gives is kept as it is. */
export async function tamper(
  folder: string,
  change: (links: readonly Link[]) => readonly Link[],
): Promise<void> {
  const database = new Level(join(folder, entriesName), {
    keyEncoding: 'utf8',
    valueEncoding: 'utf8',
  })
  await database.open()
  const links: Link[] = []
  for await (const written of database.values({ gte: entryKey(0), lt: 'f' })) {
    links.push(readLink(written))
  }
  await database.batch(
    change(links).map((link, number) => ({
      type: 'put',
      key: entryKey(number),
      value: writtenLink(link),
    })),
  )
  await database.close()
}

/** The same texts, each with the hash that it should have. */
export function chainedAnew(links: readonly Link[]): readonly Link[] {
  let hash = chainStart
  return links.map(({ text }) => {
    const link = linkAfter(hash, text, hashOf)
    hash = link.hash
    return link
  })
}
