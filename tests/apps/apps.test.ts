import { expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { appTest } from './run.ts'

/**
 * Real programs, in tests/apps/programs: each is dumped while it works, once going on at once, then
 * dumped and restored three times, and its own result must be right in the end.
 */
appTest('python3: threads at locks, queues, a barrier and timers; child processes', 'python')
appTest('bash: a pipeline of many stages loses no line; jobs, traps, a coprocess', 'bash')
appTest('dash: background jobs, exit codes, traps, here-documents', 'dash')
appTest('perl: threads, a child, pipes, an interval timer', 'perl')
appTest('awk with programs at both ends of its pipes', 'awk')
appTest('tar and gzip: what is unpacked is what was packed', 'tar')
appTest('a program under timeout is told when its time is over', 'timeout')
appTest('sleep sleeps no less than it was asked to', 'sleep')
appTest('xargs -P 4: short programs that fork, execute and exit all the time', 'xargs')
appTest('python3 that starts programs by vfork and fork from several threads', 'spawn')
appTest('make -j4 of a C project, in mid-build', 'make')
appTest('gcc, in the middle of a compilation', 'gcc')
appTest('git commits and repacks in a loop', 'git')
appTest('sqlite3 writing in a loop loses no transaction', 'sqlite')
appTest('java: threads at monitors, an executor, garbage', 'java')
appTest('node: timers, a worker with shared memory, files written asynchronously', 'node')
appTest('script: a shell on a pseudoterminal, copied to a file', 'script')
appTest('bash job control in a pty: pipelines, ^Z, bg, fg, ^C', 'jobs')
appTest('vim in a pty: lines typed and written', 'vim')
appTest('tmux with two panes', 'tmux')
appTest('tcpdump with a mapped ring sees all datagrams', 'tcpdump')

const javac = Bun.which('javac')
const major = javac && /\d+/.exec(Bun.spawnSync([javac, '-version']).stdout.toString())?.[0]

/** A runtime has no compiler, so classes are committed; another javac may write other bytes. */
for (const source of ['programs/JavaWorkload', 'servers/EchoServer'])
  test.skipIf(major !== '17')(`the class ${source} is made from its source`, () => {
    const directory = mkdtempSync(join(tmpdir(), 'criu-javac-'))
    const flags = ['--release', '8', '-Xlint:-options', '-g:none', '-d', directory]
    const path = join(import.meta.dir, source)
    expect(Bun.spawnSync([javac!, ...flags, `${path}.java`]).exitCode).toBe(0)
    const made = readFileSync(join(directory, `${basename(path)}.class`))
    expect(made.equals(readFileSync(`${path}.class`))).toBe(true)
    rmSync(directory, { recursive: true })
  })
