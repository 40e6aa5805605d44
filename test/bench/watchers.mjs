// Pages that watch, in a thread of their own, so that what they cost themselves is not measured.
import { parentPort, workerData } from 'node:worker_threads'
import { WebSocket } from 'ws'

const { url, cookie, count } = workerData
let heard = 0

const pages = Array.from({ length: count }, () => {
  const page = new WebSocket(url, { headers: { cookie } })
  page.on('message', () => {
    heard += 1
  })
  return new Promise((resolve, reject) => {
    page.on('open', resolve)
    page.on('error', reject)
  })
})

await Promise.all(pages)
parentPort.postMessage('there')
parentPort.on('message', () => parentPort.postMessage(heard))
