import type { PageFiles } from '../cockpit/files.ts'

/** Whose page is shown in ours, and the only one that may be. */
export const inspectorOrigin = 'https://stately.ai'

/**
 * The page that hands on what the robot says to the Stately Inspector, a website that it shows in a frame. It listens to
 * the robot only once the inspector is there, and takes nothing from it but that.
 */
export const relayFiles: PageFiles = new Map([
  ['/', file('text/html; charset=utf-8', html())],
  ['/relay.css', file('text/css; charset=utf-8', css())],
  ['/relay.js', file('text/javascript; charset=utf-8', script())],
])

function file(type: string, text: string) {
  return { type, body: Buffer.from(text) }
}

function html(): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>MechOS in the Stately Inspector</title>
<link rel="stylesheet" href="/relay.css">
<p role="status">Waiting for the Stately Inspector.</p>
<iframe title="Stately Inspector" referrerpolicy="no-referrer"
  sandbox="allow-scripts allow-same-origin allow-popups allow-forms allow-downloads"></iframe>
<script type="module" src="/relay.js"></script>
</html>
`
}

function css(): string {
  return `html, body { height: 100%; margin: 0; color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; }
body { display: flex; flex-direction: column; }
p { margin: 0; padding: 6px 12px; }
iframe { flex: 1; border: 0; }
`
}

/** Whoever is in the frame is told only what is meant for it, and whatever it says moves nothing. */
function script(): string {
  return `const origin = '${inspectorOrigin}'
const unreachedMs = 8000
const againMs = 2000
const frame = document.querySelector('iframe')
const status = document.querySelector('p')
let line
let isThere = false

const say = (text) => { status.textContent = text }

const unreached = 'The Stately Inspector cannot be reached: it is a website, ' + origin +
  '/inspect, and needs a network. The cockpit of the robot needs none.'

function connect() {
  const own = new WebSocket('ws://' + location.host + '/live')
  line?.close()
  line = own
  own.addEventListener('open', () => say('The robot is shown as it is. Nothing here can move it.'))
  own.addEventListener('message', ({ data }) => {
    frame.contentWindow.postMessage(JSON.parse(data), origin)
  })
  own.addEventListener('close', () => {
    if (line !== own) return
    say('The robot is out of touch. If it was started anew, follow the link that it has printed.')
    window.setTimeout(() => { if (line === own) connect() }, againMs)
  })
}

window.addEventListener('message', (event) => {
  if (event.origin !== origin || event.source !== frame.contentWindow) return
  if (event.data?.type !== '@statelyai.connected') return
  isThere = true
  connect()
})

frame.src = origin + '/inspect'
if (!navigator.onLine) say(unreached)
window.setTimeout(() => { if (!isThere) say(unreached) }, unreachedMs)
`
}
