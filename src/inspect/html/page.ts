import type { Json } from '../json/values.ts'
import { type Mapping, mappingKinds, PAGE, type Process, type Snapshot } from '../snapshot/model.ts'
import { toJson } from '../views/result.ts'
import program from './client.js' with { type: 'text' }
import style from './page.css' with { type: 'text' }

/** Nothing of another place, not even by mistake. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"

/** One page that needs no other file and no network, piece by piece. */
export function* htmlPage(snapshot: Snapshot): Generator<string> {
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>criu</title>
<link rel="icon" href="data:,">
<style>
${style}</style>
</head>
<body>
<header></header>
<nav aria-label="Processes"></nav>
<main></main>
<script type="application/json" id="data">`
  yield inScript(JSON.stringify(pageData(snapshot)))
  yield `</script>
<script>
${program}</script>
</body>
</html>
`
}

/** Names of files come from strangers: none of them may end the element. */
const inScript = (json: string): string => json.replaceAll('<', '\\u003c')

/** What client.js reads: the snapshot, with mappings as rows, whose names stand in a list once each. */
export function pageData(snapshot: Snapshot): Json {
  const names = new Names()
  const processes = snapshot.processes.map((process) => processData(process, names))
  const { directory, sockets, mounts, statistics, stages, images, sharedMemory } = snapshot
  const files = snapshot.files.map(({ id, type, name, flags }) => ({ id, type, name, flags }))
  const saved =
    snapshot.processes.reduce((sum, { memory }) => sum + (memory?.saved ?? 0), 0) +
    sharedMemory.reduce((sum, one) => sum + one.saved, 0)
  return toJson({
    directory,
    saved,
    kinds: mappingKinds,
    processes,
    files,
    sockets,
    mounts,
    statistics,
    images,
    // Of these the start is a time.
    stages,
    names: names.list,
  })
}

/** Each name once, known by its number. */
class Names {
  readonly list: string[] = []
  readonly #numbers = new Map<string, number>()

  numberOf(name: string): number {
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    this.#numbers.set(name, this.list.length)
    return this.list.push(name) - 1
  }
}

function processData(process: Process, names: Names) {
  const { memory, ...rest } = process
  if (memory === undefined) return rest
  const { size, saved, mappings } = memory
  return { ...rest, size, saved, mappings: mappings.map((one) => mappingData(one, names)) }
}

function mappingData(mapping: Mapping, names: Names): Json {
  const { start, end, access, kind, name, offset, present, inParent, shared } = mapping
  return [
    `0x${start.toString(16)}`,
    (end - start) / PAGE,
    access,
    mappingKinds.indexOf(kind),
    names.numberOf(name),
    offset,
    present,
    inParent,
    shared ? 1 : 0,
  ]
}
