import { describe, expect, test } from 'bun:test'
import { CriuError } from '../../../src/errors/error.ts'
import { sentence } from '../../../src/errors/sentence.ts'
import { parseArgv } from '../../../src/options/argv.ts'
import type { FileProbe } from '../../../src/options/file-probe.ts'
import { normalise } from '../../../src/options/normalise.ts'

const directories = ['/home', '/home/img', '/home/work', '/cg/box', '/img']
const plainFiles = ['/home/hook.sh', '/home/img/old.pid']
const files: FileProbe = {
  cwd: () => '/home',
  exists: (path) => directories.includes(path) || plainFiles.includes(path),
  isDirectory: (path) => directories.includes(path),
  isFile: (path) => plainFiles.includes(path),
}

function run(line: string) {
  const request = parseArgv(line.split(' '))
  if (request.kind !== 'run') throw new Error(`not a command: ${request.kind}`)
  return { command: request.command, raw: request.options }
}
const dump = (line: string) => normalise('dump', run(`dump ${line}`).raw, { files })
const restore = (line: string) => normalise('restore', run(`restore ${line}`).raw, { files })

function refusal(fn: () => unknown): string {
  try {
    fn()
  } catch (error) {
    if (error instanceof CriuError) return sentence(error)
    throw error
  }
  throw new Error('was taken')
}

describe('dump', () => {
  test('needs a tree and fills in all else', () => {
    expect(dump('-t 12')).toEqual({
      command: 'dump',
      tree: 12,
      imagesDir: '/home',
      workDir: '/home',
      verbosity: 2,
      logFile: undefined,
      actionScripts: [],
      shellJob: false,
      evasiveDevices: false,
      cpuCap: { fpu: true, cpu: false, ins: false, image: false },
      displayStats: false,
      libdir: undefined,
      idle: [],
      finalState: 'killed',
      linkRemap: false,
      ghostFiemap: false,
      ghostLimit: 1_048_576,
      timeout: 10,
      freezeCgroup: undefined,
      skipInFlight: false,
      forceIrmap: false,
      irmapScanPaths: [],
      tcpEstablished: false,
      tcpClose: false,
      networkLock: undefined,
      extUnixSk: { allowed: false, inodes: [] },
      fileLocks: false,
      fileValidation: 'buildid',
      external: [],
    })
    expect(refusal(() => dump('-R'))).toBe(
      '--tree is needed for a dump; give the pid of the root process with -t PID',
    )
  })

  test('is frozen', () => expect(Object.isFrozen(dump('-t 1'))).toBe(true))

  test('makes paths absolute: images from here, the log from the work directory', () => {
    const options = dump('-t 1 -D img -W work -o dump.log')
    expect(options).toMatchObject({
      imagesDir: '/home/img',
      workDir: '/home/work',
      logFile: '/home/work/dump.log',
    })
    expect(dump('-t 1 -D /img').workDir).toBe('/img')
    expect(dump('-t 1 -o -').logFile).toBe('-')
  })

  test.each([
    ['-t 1', 'killed'],
    ['-t 1 -R', 'running'],
    ['-t 1 -s', 'stopped'],
    ['-t 1 -R --no-leave-running', 'killed'],
  ])('%s leaves the tasks %s', (line, state) => expect(dump(line).finalState).toBe(state as never))

  test.each([
    ['-v0', 0],
    ['-v4', 4],
    ['-v9', 4],
    ['-v', 3],
    ['-vv', 4],
    ['-vvv', 4],
    ['-v -v', 4],
    ['-v1 -v', 2],
    ['--verbosity=3', 3],
    ['--verbosity', 3],
  ])('%s is log level %d', (line, level) =>
    expect(dump(`-t 1 ${line}`).verbosity).toBe(level as never))

  test.each([
    ['0', 0],
    ['4096', 4096],
    ['4k', 4096],
    ['2M', 2 ** 21],
    ['1G', 2 ** 30],
  ])('--ghost-limit %s is %d bytes', (text, bytes) =>
    expect(dump(`-t 1 --ghost-limit ${text}`).ghostLimit).toBe(bytes))

  test.each([
    ['--cpu-cap', { fpu: true, cpu: true, ins: true, image: true }],
    ['--cpu-cap=none', { fpu: false, cpu: false, ins: false, image: false }],
    ['--cpu-cap=cpu', { fpu: false, cpu: true, ins: false, image: true }],
    ['--cpu-cap=fpu', { fpu: true, cpu: false, ins: false, image: false }],
    ['--cpu-cap=fpu,ins', { fpu: true, cpu: false, ins: true, image: true }],
    ['--cpu-cap=all,^fpu', { fpu: false, cpu: true, ins: true, image: true }],
    ['--cpu-cap=^cpu', { fpu: true, cpu: false, ins: true, image: true }],
    ['--cpu-cap=4294967295', { fpu: true, cpu: true, ins: true, image: true }],
  ])('%s', (line, cap) => expect(dump(`-t 1 ${line}`).cpuCap).toEqual(cap))

  test('an action script is a file, or a line for the shell', () => {
    const line = ['dump', '-t', '1', '--action-script', 'hook.sh', '--action-script', 'echo hi']
    const request = parseArgv(line)
    if (request.kind !== 'run') throw new Error(request.kind)
    expect(normalise('dump', request.options, { files }).actionScripts).toEqual([
      { file: '/home/hook.sh' },
      { shell: 'echo hi' },
    ])
  })

  test('takes what only a restore uses, and says so', () => {
    expect(dump('-t 1 -d --pidfile x --root /nowhere').idle).toEqual([
      '--restore-detached',
      '--pidfile',
      '--root',
    ])
  })

  test.each([
    ['-t 0', '-t must be a pid from 1 to 4194303, not 0'],
    ['-t -5', '-t must be a whole number, 0 or more, not -5'],
    ['-t 5x', '-t must be a whole number, 0 or more, not 5x'],
    ['-t', '-t needs a number'],
    ['-t 1 --ghost-limit 5T', 'must be a number of bytes, with K, M or G'],
    ['-t 1 --timeout soon', '--timeout must be a whole number'],
    ['-t 1 -D gone', '--images-dir names /home/gone, which does not exist'],
    ['-t 1 -D hook.sh', '--images-dir names /home/hook.sh, which is no directory'],
    ['-t 1 -R -s', '--leave-stopped contradicts --leave-running'],
    ['-t 1 --dry-run', '--dry-run does not go with dump'],
    ['-t 1 --track-mem', '--track-mem is not supported yet'],
    ['-t 1 --network-lock none', '--network-lock knows nftables, iptables and skip, not none'],
    ['-t 1 --ext-unix-sk=1,x', '--ext-unix-sk takes inodes with commas between, not x'],
    ['-t 1 --external pipe[1]', '--external knows dev, file, tty and unix, not pipe'],
    ['-t 1 --external mnt[/x]:y', '--external with mnt[…] is not supported yet'],
    ['-t 1 --external unix[0x1f]', '--external of this kind is written unix[INODE]'],
    ['-t 1 --external unix', '--external is written TYPE[ID]:NAME, not unix'],
    ['-t 1 --manage-cgroups=soft', '--manage-cgroups is not supported yet'],
    ['-t 1 --leave-runing', '--leave-runing is no option of criu; did you mean --leave-running?'],
    ['-t 1 --tree=2=3', '--tree must be a whole number'],
    ['-t 1 --shell-job=yes', '--shell-job takes no value'],
    ['-t 1 -q', '-q is no option of criu; see criu --help'],
    ['-t 1 --cpu-cap=mmx', '--cpu-cap knows all, cpu, fpu, ins and none'],
    ['-t 1 --action-script ./gone.sh', '--action-script names no file: /home/gone.sh'],
    ['-t 1 extra', 'extra is not expected behind dump'],
    ['-t 1 -- ls', 'ls is not expected behind --'],
    [`-t ${process.pid}`, '--tree names criu itself'],
  ])('%s is refused', (line, text) => expect(refusal(() => dump(line))).toContain(text))

  test('objects outside of the tree', () => {
    const { external, extUnixSk } = dump(
      '-t 1 --external tty[8803:1a] --external file[1f:2b] --external unix[77] --external dev[8/1]:disk -x',
    )
    expect(extUnixSk).toEqual({ allowed: true, inodes: [] })
    expect(external).toEqual([
      { kind: 'tty', rdev: 0x8803, dev: 0x1a },
      { kind: 'file', mount: 0x1f, inode: 0x2bn },
      { kind: 'unix', inode: 77n },
      { kind: 'dev', id: '8/1', name: 'disk' },
    ])
    expect(dump('-t 1 --ext-unix-sk=12,34').extUnixSk.inodes).toEqual([12n, 34n])
  })

  test('an option that is not there yet may be switched off', () => {
    expect(dump('-t 1 --no-track-mem').tree).toBe(1)
  })
})

describe('restore', () => {
  test('fills in all', () => {
    expect(restore('-d -S --pidfile new.pid -D img --log-pid -o r.log')).toMatchObject({
      command: 'restore',
      detached: true,
      sibling: true,
      pidfile: '/home/img/new.pid',
      logPid: true,
      leaveStopped: false,
      root: undefined,
      execCommand: undefined,
      dryRun: false,
    })
  })

  test('--exec-cmd takes the words behind --', () => {
    expect(restore('--exec-cmd -- ls -l --tree').execCommand).toEqual(['ls', '-l', '--tree'])
    expect(refusal(() => restore('--exec-cmd'))).toContain('--exec-cmd needs a command behind --')
  })

  test('--log-pid without a log file has no file to name', () => {
    expect(restore('--log-pid').logPid).toBe(false)
  })

  test('--inherit-fd may be repeated', () => {
    expect(restore('--inherit-fd fd[3]:pipe:[77] --inherit-fd fd[4]:tmp/log').inheritFds).toEqual([
      { fd: 3, resource: 'pipe:[77]' },
      { fd: 4, resource: 'tmp/log' },
    ])
    expect(refusal(() => restore('--inherit-fd 3'))).toContain('is written fd[N]:RESOURCE, not 3')
  })

  test.each([
    ['-S', '--restore-sibling makes sense with --restore-detached only; add -d'],
    ['--pidfile img/old.pid', '--pidfile names /home/img/old.pid, which exists'],
    ['--root gone', '--root names /home/gone, which does not exist'],
    ['--close one', '--close must be a whole number'],
  ])('%s is refused', (line, text) => expect(refusal(() => restore(line))).toContain(text))
})

test('the same values from another source meet the same checks', () => {
  const raw = { name: 'tree', value: 0, spelled: 'criu_opts.pid' }
  expect(refusal(() => normalise('dump', [raw], { files }))).toBe(
    'criu_opts.pid must be a pid from 1 to 4194303, not 0',
  )
  const track = { name: 'track-mem', value: true, spelled: 'criu_opts.track_mem' }
  expect(refusal(() => normalise('dump', [track], { files }))).toBe(
    'criu_opts.track_mem is not supported yet',
  )
})
