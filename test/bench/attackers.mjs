import { connect } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { WebSocket } from 'ws'

const { url, cookie, seconds, wordsPerSecond, connections } = workerData
const { hostname, port } = new URL(url)
const burstMs = 50
let words = 0
let hangUps = 0

const pages = new Set()
const join = () => {
  const page = new WebSocket(url, { headers: { cookie } })
  page.on('open', () => pages.add(page))
  page.on('error', () => {})
  page.on('close', () => {
    pages.delete(page)
    hangUps += 1
    setTimeout(join, 1)
  })
}
join()
const sockets = Array.from({ length: connections }, () => {
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  return socket
})
const burst = setInterval(() => {
  for (const page of pages) {
    for (let sent = 0; sent < (wordsPerSecond * burstMs) / 1_000; sent++) {
      page.send('{"type":"pause"}')
      words += 1
    }
  }
}, burstMs)
setTimeout(() => {
  clearInterval(burst)
  for (const socket of sockets) socket.destroy()
  parentPort.postMessage({ words, hangUps })
}, seconds * 1_000)
