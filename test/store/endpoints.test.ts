import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { createProfiles } from '../../actors/profile.ts'
import { endpointNotesIn } from '../../store/endpoints.ts'

const served = { url: 'http://127.0.0.1:1/v1', model: 'm' }

test('what an endpoint takes is known to the next run, and damaged notes are as none', async ({
  onTestFinished,
}) => {
  const folder = mkdtempSync(join(tmpdir(), 'mechos-endpoints-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const open = () => {
    const { before, keep } = endpointNotesIn(folder, (error) => {
      throw error
    })
    return createProfiles(before, keep)
  }
  const first = open()
  first.learn(served, { ...first.of(served), stream: false })
  await vi.waitFor(() => expect(open().of(served).stream).toBe(false))
  writeFileSync(join(folder, 'endpoints.json'), '{"m at')
  expect(open().of(served).stream).toBe(true)
})

test('what the disk refuses is told, and lost', async ({ onTestFinished }) => {
  const folder = mkdtempSync(join(tmpdir(), 'mechos-endpoints-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'endpoints.json'))
  const faults: unknown[] = []
  endpointNotesIn(folder, (error) => faults.push(error)).keep({})
  await vi.waitFor(() => expect(faults).toHaveLength(1))
})
