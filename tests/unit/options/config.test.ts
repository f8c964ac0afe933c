import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CriuError } from '../../../src/errors/error.ts'
import { sentence } from '../../../src/errors/sentence.ts'
import { configOptions, parseConfig } from '../../../src/options/config.ts'
import { normalise } from '../../../src/options/normalise.ts'
import { allOptions, configFiles } from '../../../src/options/sources.ts'

const pairs = (text: string) =>
  parseConfig(text, 'f').map(({ name, value }) => [name, value] as const)

function refusal(fn: () => unknown): string {
  try {
    fn()
  } catch (error) {
    if (error instanceof CriuError) return sentence(error)
    throw error
  }
  throw new Error('was taken')
}

describe('the syntax', () => {
  test('one option a line, by its long name; comments, blank lines, CRLF', () => {
    expect(
      pairs(
        `
# a comment
tcp-established
  work-dir /tmp/work\t
#another
no-restore-sibling # this is another comment
log-file=x.log#not in a value
`.replace('#not in a value', ''),
      ),
    ).toEqual([
      ['tcp-established', true],
      ['work-dir', '/tmp/work'],
      ['no-restore-sibling', true],
      ['log-file', 'x.log'],
    ])
    expect(pairs('shell-job\r\nghost-limit 2M\r\n')).toEqual([
      ['shell-job', true],
      ['ghost-limit', '2M'],
    ])
  })

  test.each([
    ['action-script "/some where/hook --all"', '/some where/hook --all'],
    ['action-script = "a \\"b\\" c" # why', 'a "b" c'],
    ['action-script "C:\\new\\table"', 'C:\\new\\table'],
    ['action-script "#1"#two', '#1'],
    ['action-script ""', ''],
    ['action-script /a=b', '/a=b'],
    ['action-script=/a # b', '/a'],
    ['action-script', undefined],
  ])('the value of %s', (line, value) => expect(pairs(line)).toEqual([['action-script', value]]))

  test('a value that may be left out', () => {
    expect(pairs('cpu-cap\nverbosity\next-unix-sk 12,13\nverbosity 4')).toEqual([
      ['cpu-cap', true],
      ['verbosity', true],
      ['ext-unix-sk', '12,13'],
      ['verbosity', '4'],
    ])
  })

  test.each([
    [
      '\n\ntcp-establishd',
      'f:3: tcp-establishd is no option of criu; did you mean --tcp-established?',
    ],
    [
      '--tcp-established',
      'f:1: --tcp-established is written without dashes; write tcp-established',
    ],
    ['-j', 'f:1: -j is written without dashes; write j'],
    ['work-dir "a', 'f:1: work-dir has a value that cannot be read: "a; put it in double quotes'],
    ['work-dir a b', 'f:1: work-dir has a value that cannot be read: a b; put it in double quotes'],
    ['work-dir a#b', 'f:1: work-dir has a value that cannot be read: a#b; put it in double quotes'],
    ['"work-dir" a', 'f:1: names no option'],
    ['= a', 'f:1: names no option'],
    ['config /etc/passwd', 'f:1: config cannot stand in a configuration file; give --config'],
    ['help', 'f:1: help cannot stand in a configuration file'],
    ['exec-cmd ls', 'f:1: exec-cmd cannot stand in a configuration file'],
  ])('%j is refused', (text, reason) => expect(refusal(() => pairs(text))).toContain(reason))
})

describe('what its options mean', () => {
  const tree = { name: 'tree', value: '1', spelled: '-t' }
  const dump = (text: string) => normalise('dump', [...parseConfig(text, 'f'), tree])

  test('the same checks, and the place in a refusal', () => {
    expect(dump('ghost-limit 2K\nleave-running').ghostLimit).toBe(2048)
    expect(refusal(() => dump('\nghost-limit much'))).toContain('f:2: ghost-limit must be a number')
    expect(refusal(() => dump('work-dir'))).toBe('f:1: work-dir needs a value')
    expect(refusal(() => dump('shell-job yes'))).toBe('f:1: shell-job takes no value')
    expect(refusal(() => dump('track-mem'))).toBe('f:1: track-mem is not supported yet')
  })

  test('what other commands have is passed over, on a command line it is refused', () => {
    expect(dump('extra\nstatus-fd 3\ndaemon').idle).toEqual(['--status-fd'])
    const extra = { name: 'extra', value: true, spelled: '--extra' }
    expect(refusal(() => normalise('dump', [tree, extra]))).toBe('--extra does not go with dump')
  })

  test('what comes later wins, and takes back', () => {
    const raw = [...parseConfig('shell-job\nleave-running\nghost-limit 1', 'f'), tree]
    const later = [
      { name: 'no-shell-job', value: true, spelled: '--no-shell-job' },
      { name: 'ghost-limit', value: '7', spelled: '--ghost-limit' },
    ]
    expect(normalise('dump', [...raw, ...later])).toMatchObject({
      shellJob: false,
      finalState: 'running',
      ghostLimit: 7,
    })
  })
})

describe('the files', () => {
  let home = ''
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'config-'))
  })
  afterEach(() => rmSync(home, { recursive: true }))

  const conf = (name: string, text: string): string => {
    const path = join(home, name)
    writeFileSync(path, text)
    return path
  }
  const config = (path: string) => ({ name: 'config', value: path, spelled: '--config' })

  test('the user’s, the one of the environment, --config, the command line, in this order', async () => {
    mkdirSync(join(home, '.criu'))
    conf('.criu/default.conf', 'ghost-limit 1')
    const env = { HOME: home, CRIU_CONFIG_FILE: conf('env.conf', 'ghost-limit 2') }
    const given = [
      { name: 'ghost-limit', value: '4', spelled: '--ghost-limit' },
      config(conf('named.conf', 'ghost-limit 3')),
    ]
    const all = await allOptions(given, env)
    const values = all.filter(({ name }) => name === 'ghost-limit').map(({ value }) => value)
    expect(values).toEqual(['1', '2', '3', '4'])
    const skip = { name: 'no-default-config', value: true, spelled: '--no-default-config' }
    expect(configFiles([...given, skip], env)).toEqual([
      env.CRIU_CONFIG_FILE,
      join(home, 'named.conf'),
    ])
  })

  test('without any, the command line as it is', async () => {
    const given = [{ name: 'tree', value: '1', spelled: '-t' }]
    const skip = { name: 'no-default-config', value: true, spelled: '--no-default-config' }
    expect(await allOptions([...given, skip], { HOME: home })).toEqual([...given, skip])
    // HOME tells no directory: that of the caller is not taken for it.
    expect(configFiles([skip], { HOME: '' })).toEqual([])
    expect(configFiles([], { HOME: '.' }).filter((path) => !path.startsWith('/etc/'))).toEqual([])
  })

  test('one that was named must be there; the RPC may say that it need not', () => {
    const path = join(home, 'none.conf')
    expect(refusal(() => configOptions(path))).toBe(`configuration file ${path} does not exist`)
    expect(configOptions(path, 'empty')).toEqual([])
    expect(refusal(() => configOptions(home, 'empty'))).toContain('cannot be read (EISDIR)')
  })
})
