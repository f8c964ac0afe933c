import { fail } from '../errors/error.ts'
import { type DiffOptions, type ShowOptions, type ShowView, showViews } from '../job/options.ts'
import { resolve } from './absolute.ts'
import type { FileProbe } from './file-probe.ts'
import type { Given } from './given.ts'

/** The options of the commands that look at images. */

export function showOptions(given: Given, files: FileProbe): ShowOptions {
  const request = requestOf(given, files)
  refuseUseless(request.kind, given)
  const output = given.text('output')
  return {
    command: 'show',
    request,
    json: given.flag('json'),
    output: output === undefined ? undefined : resolve(files.cwd(), output),
  }
}

export function diffOptions(given: Given, files: FileProbe): DiffOptions {
  if (given.has('images-dir')) {
    refuse(given.spelled('images-dir'), 'does not go with diff', 'name two directories')
  }
  const [before, after] = given.words.map((word) => directory(word, files))
  const output = given.text('output')
  return {
    command: 'diff',
    before: before!,
    after: after!,
    json: given.flag('json'),
    output: output === undefined ? undefined : resolve(files.cwd(), output),
  }
}

const refuse = (option: string, reason: string, remedy?: string): never =>
  fail({ code: 'option', option, reason, ...(remedy !== undefined && { remedy }) })

/** `decode FILE`, `encode FILE`, or a directory and a view in either order. */
function requestOf(given: Given, files: FileProbe): ShowOptions['request'] {
  const [first, second] = given.words
  if (first === 'decode' || first === 'encode') {
    if (second === undefined) return refuse(first, 'needs a FILE behind it')
    return { kind: first, file: file(second, files) }
  }
  // crit show FILE: one image as JSON.
  if (first !== undefined && second === undefined && files.isFile(resolve(files.cwd(), first))) {
    return { kind: 'decode', file: file(first, files) }
  }
  const views = given.words.filter(isView)
  const [place, surplus] = given.words.filter((word) => !isView(word))
  if (surplus !== undefined) return unknownWord(surplus)
  if (views[1] !== undefined) return refuse(views[1], 'is a second view', 'give one')
  if (place !== undefined && given.has('images-dir')) {
    return refuse(place, `contradicts ${given.spelled('images-dir')}`, 'name one directory')
  }
  const where = directory(place ?? given.text('images-dir') ?? '.', files)
  return directoryRequest(where, views[0], given, files)
}

function directoryRequest(
  where: string,
  view: ShowView | undefined,
  given: Given,
  files: FileProbe,
): ShowOptions['request'] {
  const page = given.text('html')
  const asked = [view, page && '--html', given.has('core') ? '--core' : undefined].filter(Boolean)
  if (asked[1] !== undefined) return refuse(asked[1], `does not go with ${asked[0]}`)
  if (page !== undefined) {
    return { kind: 'html', directory: where, page: resolve(files.cwd(), page) }
  }
  if (given.has('core')) return { kind: 'core', directory: where, pid: given.number('core') }
  return { kind: 'view', directory: where, view: view ?? 'tree' }
}

const isView = (word: string): word is ShowView => showViews.some((view) => view === word)

const unknownWord = (word: string): never =>
  refuse(word, 'is no view of criu show', `the views are ${showViews.join(', ')}`)

/** What would change nothing is an error, as everywhere. */
function refuseUseless(kind: ShowOptions['request']['kind'], given: Given): void {
  const json = kind !== 'view' && given.flag('json')
  if (json)
    refuse('--json', `does not go with ${kind === 'html' || kind === 'core' ? `--${kind}` : kind}`)
  if (kind === 'html' && given.has('output')) {
    refuse(given.spelled('output'), 'does not go with --html', 'that names the file itself')
  }
  for (const name of ['html', 'core', 'images-dir'] as const) {
    if (given.has(name) && (kind === 'decode' || kind === 'encode')) {
      refuse(given.spelled(name), `does not go with ${kind}`)
    }
  }
}

function file(path: string, files: FileProbe): string {
  const absolute = resolve(files.cwd(), path)
  return files.exists(absolute) ? absolute : refuse(path, 'does not exist')
}

function directory(path: string, files: FileProbe): string {
  const absolute = resolve(files.cwd(), path)
  if (files.isDirectory(absolute)) return absolute
  if (files.exists(absolute)) return refuse(path, 'is no directory')
  if (/^[a-z]+$/.test(path)) return refuse(path, 'is neither a view nor a directory')
  return refuse(path, 'does not exist')
}
