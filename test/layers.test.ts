import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { machines } from '../inspector/charts.ts'
import { type Outline, outlineOf } from '../inspector/outline.ts'

interface Import {
  readonly from: string
  /** The file that is meant, from the root of the tree; undefined for a package. */
  readonly file: string | undefined
  readonly isTypeOnly: boolean
  readonly text: string
}

/** What a folder may reach for beside itself; of `types` it may import types only. DESIGN §3. */
interface Layer {
  readonly values: readonly string[]
  readonly types: readonly string[]
  readonly packages: readonly string[]
}

const observed = ['pino', '@opentelemetry/api']

const layers: Readonly<Record<string, Layer>> = {
  core: { values: [], types: [], packages: ['zod'] },
  machines: { values: ['core'], types: [], packages: ['xstate'] },
  drivers: {
    values: ['core'],
    types: [],
    packages: ['node', 'johnny-five', 'firmata-io', 'serialport', ...observed],
  },
  store: {
    values: ['core'],
    types: [],
    packages: ['node', 'level', 'lowdb', 'write-file-atomic', 'jiti', 'zod', ...observed],
  },
  actors: {
    values: ['core'],
    types: ['drivers', 'store', 'machines'],
    packages: [
      'xstate',
      'rxjs',
      'zod',
      'openai',
      'gpt-tokenizer',
      '@pydantic/genai-prices',
      ...observed,
    ],
  },
  inspector: {
    values: ['core'],
    types: ['drivers', 'store', 'machines', 'actors'],
    packages: ['xstate', 'node', 'ws', 'zod', 'elkjs', ...observed],
  },
}

/** The page of the cockpit runs in a browser; vite puts its packages into the files that are shipped. */
const page: Layer = {
  values: ['core'],
  types: ['inspector'],
  packages: ['preact', '@preact/signals', 'uplot'],
}

/** A program of its own, with an XState of its own: it reaches nothing of the robot but what is said over a socket. */
const legacy: Layer = { values: [], types: [], packages: ['@xstate/inspect', 'ws', 'node'] }

/** Where alone a package may be imported. */
const homes: Readonly<Record<string, RegExp>> = {
  'johnny-five': /^drivers\/johnny-five\//,
  'firmata-io': /^drivers\/johnny-five\//,
  serialport: /^drivers\//,
  level: /^store\//,
  lowdb: /^store\//,
  openai: /^actors\/chat\.ts$/,
  'gpt-tokenizer': /^actors\/tokenizer\.ts$/,
  '@pydantic/genai-prices': /^actors\/prices\.ts$/,
  commander: /^cli\.ts$/,
  '@xstate/inspect': /^inspector\/xstate-inspect\//,
  elkjs: /^inspector\/cockpit\/(drawing|graph)\.ts$/,
  preact: /^inspector\/cockpit\/page\//,
  '@preact/signals': /^inspector\/cockpit\/page\//,
  uplot: /^inspector\/cockpit\/page\//,
}

/** The files at the top, which know everybody. So does `robot/`, which belongs to robot.ts. */
const tops = readdirSync('.').filter((name) => /^\w+\.ts$/.test(name))
const shipped = [...tops, ...['robot', ...Object.keys(layers)].flatMap(sourcesIn)]
const dependencies = packagesIn('dependencies')
const devDependencies = packagesIn('devDependencies')
const legacyDependencies = packagesIn('dependencies', 'inspector/xstate-inspect/package.json')

describe('imports point one way', () => {
  test.each(shipped)('%s', (path) => {
    const refused = importsOf(path).flatMap((found) => refusalOf(path, found) ?? [])
    expect(refused).toEqual([])
  })

  test('and never in a circle, at run time', () => {
    const passed = new Set<string>()
    const circles: string[] = []
    const visit = (path: string, way: readonly string[]) => {
      if (way.includes(path))
        circles.push([...way.slice(way.indexOf(path)), path].join(' imports '))
      if (passed.has(path)) return
      passed.add(path)
      for (const { file, isTypeOnly } of importsOf(path)) {
        if (file !== undefined && !isTypeOnly) visit(file, [...way, path])
      }
    }
    for (const path of shipped) visit(path, [])
    expect(circles).toEqual([])
  })

  test('frames.ts, which guardian and robot share, reaches nothing at run time', () => {
    const reach = (path: string): readonly string[] =>
      importsOf(path).flatMap(({ file, from, isTypeOnly }) => {
        // Types are gone when the program runs.
        if (isTypeOnly) return []
        return file?.startsWith('drivers/guardian/') ? reach(file) : [`${path} imports ${from}`]
      })
    expect(reach('drivers/guardian/frames.ts')).toEqual([])
  })

  test('the guardian reaches nothing at run time but serialport and what it is made of', () => {
    const own = /^drivers\/(guardian\/[\w-]+|clock)\.ts$|^core\/vocabulary\/errors\.ts$/
    const seen = new Set<string>()
    const strays: string[] = []
    const visit = (path: string) => {
      if (seen.has(path)) return
      seen.add(path)
      for (const { file, from, isTypeOnly } of importsOf(path)) {
        if (isTypeOnly) continue
        if (file !== undefined && own.test(file)) visit(file)
        else if (file !== undefined || !/^(node:|serialport$)/.test(from)) {
          strays.push(`${path} imports ${from}`)
        }
      }
    }
    visit('drivers/guardian/main.ts')
    expect(strays).toEqual([])
    expect([...seen]).toContain('drivers/guardian/warden.ts')
  })
})

function refusalOf(path: string, found: Import): string | undefined {
  const layer = layerOf(path)
  const { file, from, isTypeOnly, text } = found
  if (file === undefined) {
    const name = from.startsWith('node:') ? 'node' : (/^(@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from)
    const home = homes[name]
    if (home && !home.test(path)) return `${path} imports ${name}: only ${home} may`
    if (layer && !layer.packages.includes(name)) return `${path} imports ${name}: its layer may not`
    const known =
      layer === page ? devDependencies : layer === legacy ? legacyDependencies : dependencies
    const isKnown = name === 'node' || known.includes(`"${name}"`)
    return isKnown ? undefined : `${path} imports ${name}: it is not among the dependencies`
  }
  const folder = file.split('/')[0] ?? ''
  if (layerOf(file) === legacy && layer !== legacy)
    return `${path} must not import ${file}: its XState is another one`
  if (layerOf(file) === page && layer !== page)
    return `${path} must not import ${file}: it runs in a browser`
  if (folder === 'test') return `${path} imports a test: shipped code never knows that it is tested`
  const isContract = file === 'robot/contract.ts' && isTypeOnly && tops.includes(path)
  if (folder === 'robot' && !/^robot(\.ts$|\/)/.test(path) && !isContract) {
    return `${path} must not import ${file}: robot.ts alone puts a robot together`
  }
  if (path.startsWith('robot/') && tops.includes(file)) {
    return `${path} must not import ${file}, which is above it (${text})`
  }
  // The pages are drawn from the machines themselves, and from what was proven of them.
  const isDrawing = ['inspector/charts.ts', 'inspector/write-safety.ts'].includes(path)
  if (!layer || layerOf(file) === layer || isDrawing) return undefined
  if (layer.values.includes(folder)) return undefined
  if (isTypeOnly && layer.types.includes(folder)) return undefined
  return `${path} must not import ${file}: hand it in from robot.ts, or ask for its type (${text})`
}

function layerOf(path: string): Layer | undefined {
  if (path.startsWith('inspector/xstate-inspect/')) return legacy
  return path.startsWith('inspector/cockpit/page/') ? page : layers[path.split('/')[0] ?? '']
}

function packagesIn(kind: string, file = 'package.json'): string {
  const manifest = readFileSync(file, 'utf8')
  return new RegExp(`"${kind}": \\{(.*?)\\}`, 's').exec(manifest)?.[1] ?? ''
}

interface Ban {
  readonly what: RegExp
  readonly where: RegExp
  readonly instead: string
}

/** What is not written, where, and what is written instead. */
const bans: readonly Ban[] = [
  {
    what: /(?<![.\w#])(setTimeout|setInterval|setImmediate)\s*\(|\bDate\b|\bperformance\b|AbortSignal\.timeout|node:timers/,
    where: /^(?!drivers\/|inspector\/cockpit\/page\/time\.ts$)/,
    instead: 'take the clock of drivers/clock.ts as an argument, or an `after` in a machine',
  },
  {
    what: /import [^']*\b(interval|timer|delay|debounceTime|throttleTime|auditTime|sampleTime|bufferTime|timeout)\b[^']*'rxjs'/,
    where: /^/,
    instead: 'derive it from the ticks of the reflex loop: these run on a clock of their own',
  },
  {
    what: /Math\.random/,
    where: /^(?!drivers\/)/,
    instead: 'take a stream of drivers/random.ts as an argument',
  },
  {
    what: /process\.env/,
    where: /^(?!cli\.ts$)/,
    instead: 'read it in cli.ts and hand it on: no hidden switches',
  },
  {
    what: /Math\.pow|\*\*/,
    where: /^(core|drivers\/simulated)\//,
    instead: 'multiply: powers differ between versions of Node, and a run must be repeatable',
  },
  {
    what: /'([\w.]+\.)?\*'/,
    where: /^machines\//,
    instead: 'name each event: a wildcard below shadows the halt above',
  },
  { what: /^export default/m, where: /^/, instead: 'export it by name' },
  { what: /^export \* from/m, where: /^/, instead: 'name what you export' },
  {
    what: /^export (type )?\{[^}]*\} from/m,
    where: /^(?!(index|testing)\.ts$)/,
    instead: 'import it from where it is: index.ts and testing.ts are the only barrels',
  },
  {
    what: /\brequire\(|createRequire/,
    where: /^/,
    instead: 'import it, so that this test sees it',
  },
]

test.each(bans)('$what is not written: $instead', ({ what, where, instead }) => {
  const found = shipped
    .filter((path) => where.test(path))
    .flatMap((path) => {
      const code = codeOf(path)
      const at = what.exec(code)
      if (!at) return []
      return `${path}:${code.slice(0, at.index).split('\n').length}: ${at[0]}: ${instead}`
    })
  expect(found).toEqual([])
})

test('a file is named after its one noun', () => {
  const heaps = shipped.filter((path) => /(utils?|common|misc|helpers?)\b/i.test(path))
  expect(heaps, 'name it after what is in it').toEqual([])
})

test('a passing state that waits for somebody has a way out on failure, and on time', () => {
  const stuck = machines
    .flatMap((machine) => statesOf(outlineOf(machine)))
    .filter(({ state: { key, invokes } }) => key.endsWith('ing') && invokes.length > 0)
    .flatMap(({ state: { id, invokes, reactions }, hasAfter }) => {
      const events = reactions.map(({ event }) => event)
      return [
        ...invokes.flatMap((actor) =>
          events.includes(`${actor} failed`) ? [] : `${id}: onError of ${actor}`,
        ),
        ...(hasAfter ? [] : [`${id}: an after`]),
      ]
    })
  expect(stuck).toEqual([])
})

interface Timed {
  readonly state: Outline
  /** It, or a state that it is in, is left when its time is over. */
  readonly hasAfter: boolean
}

function statesOf(state: Outline, isTimed = false): readonly Timed[] {
  const hasAfter = isTimed || state.reactions.some(({ event }) => event.startsWith('after '))
  return [{ state, hasAfter }, ...state.states.flatMap((inner) => statesOf(inner, hasAfter))]
}

function importsOf(path: string): readonly Import[] {
  const statements =
    /^(?:import|export)\s[^'"`;]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm
  return [...codeOf(path).matchAll(statements)].map(([text, named, bare, dynamic]) => {
    const from = named ?? bare ?? dynamic ?? ''
    const file = from.startsWith('.') ? normalize(join(dirname(path), from)) : undefined
    const names = /\{([^}]*)\}/
      .exec(text)?.[1]
      ?.split(',')
      .filter((name) => name.trim() !== '')
    const isEachType = names?.every((name) => name.trim().startsWith('type ')) === true
    const isTypeOnly =
      /^(import|export) type\b/.test(text) || (isEachType && !/^import \w/.test(text))
    return { from, file, isTypeOnly, text: text.replaceAll(/\s+/g, ' ') }
  })
}

/** A file without its comments, line for line. */
function codeOf(path: string): string {
  return readFileSync(path, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/.*$/gm, (comment) =>
    comment.replaceAll(/[^\n]/g, ''),
  )
}

function sourcesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !/\.(d|config)\.ts$|node_modules\//.test(name))
    .map((name) => `${folder}/${name}`)
    .toSorted()
}
