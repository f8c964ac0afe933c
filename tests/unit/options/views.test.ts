import { describe, expect, test } from 'bun:test'
import { CriuError } from '../../../src/errors/error.ts'
import { parseArgv } from '../../../src/options/argv.ts'
import type { FileProbe } from '../../../src/options/file-probe.ts'
import { normalise } from '../../../src/options/normalise.ts'

const directories = ['/here', '/here/a', '/here/b', '/here/ps']
const regular = ['/here/core-1.img', '/here/x.json']
const files: FileProbe = {
  cwd: () => '/here',
  exists: (path) => [...directories, ...regular].includes(path),
  isDirectory: (path) => directories.includes(path),
  isFile: (path) => regular.includes(path),
}

function optionsOf(...argv: string[]) {
  const request = parseArgv(argv)
  if (request.kind !== 'run') throw new Error(request.kind)
  const { command, options, words } = request
  if (command !== 'show' && command !== 'diff') throw new Error(command)
  return normalise(command, options, { words, files })
}

/** `OPTION: reason` of the refusal. */
function refusal(...argv: string[]): string {
  try {
    optionsOf(...argv)
  } catch (error) {
    if (error instanceof CriuError && error.detail.code === 'option') {
      return `${error.detail.option}: ${error.detail.reason}`
    }
    throw error
  }
  return 'taken'
}

describe('criu show', () => {
  const request = (...argv: string[]) => {
    const options = optionsOf('show', ...argv)
    return options.command === 'show' ? options.request : undefined
  }

  test('takes a directory and a view in any order, or either, or none', () => {
    const view = { kind: 'view', directory: '/here/a', view: 'fds' } as const
    for (const argv of ['a fds', 'fds a', '-D a fds', 'fds --images-dir=a']) {
      expect(request(...argv.split(' '))).toEqual(view)
    }
    expect(request()).toEqual({ kind: 'view', directory: '/here', view: 'tree' })
    expect(request('a')).toEqual({ ...view, view: 'tree' })
    // A directory of the name of a view: say that it is one.
    expect(request('./ps')).toEqual({ ...view, directory: '/here/ps', view: 'tree' })
  })

  test('decodes and encodes a file', () => {
    expect(request('decode', 'core-1.img')).toEqual({ kind: 'decode', file: '/here/core-1.img' })
    expect(request('core-1.img')).toEqual({ kind: 'decode', file: '/here/core-1.img' })
    expect(optionsOf('show', 'encode', 'x.json', '-o', 'out')).toMatchObject({
      request: { kind: 'encode', file: '/here/x.json' },
      output: '/here/out',
    })
  })

  test('makes a page or a core dump', () => {
    expect(request('a', '--html', 'p.html')).toEqual({
      kind: 'html',
      directory: '/here/a',
      page: '/here/p.html',
    })
    expect(request('--core', '7', '-D', 'a')).toEqual({
      kind: 'core',
      directory: '/here/a',
      pid: 7,
    })
  })

  test('refuses what it cannot use', () => {
    expect(refusal('show', 'nope')).toBe('nope: is neither a view nor a directory')
    expect(refusal('show', 'a', 'b')).toBe('b: is no view of criu show')
    expect(refusal('show', 'ps', 'fds')).toBe('fds: is a second view')
    expect(refusal('show', 'a', '-D', 'b')).toBe('a: contradicts -D')
    expect(refusal('show', './no')).toBe('./no: does not exist')
    expect(refusal('show', 'x.json', 'ps')).toBe('x.json: is no directory')
    expect(refusal('show', 'decode')).toBe('decode: needs a FILE behind it')
    expect(refusal('show', 'decode', 'no')).toBe('no: does not exist')
    expect(refusal('show', 'decode', 'x.json', '--json')).toBe('--json: does not go with decode')
    expect(refusal('show', 'decode', 'x.json', '--core', '1')).toBe(
      '--core: does not go with decode',
    )
    expect(refusal('show', 'ps', '--html', 'x')).toBe('--html: does not go with ps')
    expect(refusal('show', '--core', '1', '--html', 'x')).toBe('--core: does not go with --html')
    expect(refusal('show', '--html', 'x', '-o', 'y')).toBe('-o: does not go with --html')
    expect(refusal('show', '--html', 'x', '--json')).toBe('--json: does not go with --html')
    expect(refusal('show', '--core', '0')).toContain('--core: must be a pid')
    expect(refusal('show', '-v4')).toBe('-v: does not go with show')
    expect(refusal('show', '--leave-running')).toBe('--leave-running: does not go with show')
  })
})

describe('criu diff', () => {
  test('takes two directories', () => {
    expect(optionsOf('diff', 'a', 'b', '--json', '-o', 'out')).toEqual({
      command: 'diff',
      before: '/here/a',
      after: '/here/b',
      json: true,
      output: '/here/out',
    })
  })

  test('refuses anything else', () => {
    expect(refusal('diff', 'a')).toContain('diff: needs')
    expect(refusal('diff', 'a', 'b', 'c')).toContain('c: is not expected')
    expect(refusal('diff', 'a', 'x.json')).toBe('x.json: is no directory')
    expect(refusal('diff', 'a', 'b', '-D', 'a')).toBe('-D: does not go with diff')
  })
})
