import { EXIT_FAILURE, EXIT_OK } from '../../errors/exit.ts'
import type { ServiceOptions } from '../../job/options.ts'
import { F, O } from '../../kernel/constants/fcntl.ts'
import { writeFileSync } from '../../kernel/fs.ts'
import { scratch } from '../../kernel/memory.ts'
import { startProgram } from '../../kernel/program.ts'
import { close, must, open, sys } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import { waitStop } from '../../kernel/wait.ts'
import { openLog } from '../../log/file-log.ts'
import { normalise } from '../../options/normalise.ts'
import type { RawOption } from '../../options/raw.ts'
import { listenAt, serveAll } from '../../rpc/listen.ts'
import { ownProgram } from '../../scripts/own-program.ts'
import { versionText } from '../version.ts'

/** Tells the process that goes on in the background where its starter waits to hear that it listens. */
const READY_VARIABLE = 'CRIU_SERVICE_READY_FD'

/** Serves clients at a socket until it is killed. */
export async function serviceCommand(raw: readonly RawOption[]): Promise<number> {
  const options = normalise('service', raw)
  const ready = process.env[READY_VARIABLE]
  delete process.env[READY_VARIABLE]
  if (options.daemon && ready === undefined) return startDaemon()
  const { verbosity, logFile: path, address } = options
  const log = openLog({ verbosity, path })
  try {
    log.info(`service begins at ${address}, ${versionText.trim()}`)
    const listener = listenAt(address)
    tellReady(options)
    if (ready !== undefined) leaveTerminal(localFd(Number(ready)))
    return serveAll(listener, log)
  } catch (error) {
    log.failure(error)
    throw error
  }
}

function tellReady({ pidfile, statusFd }: ServiceOptions): void {
  if (pidfile !== undefined)
    writeFileSync(pidfile, String(process.pid), { flag: 'wx', mode: 0o600 })
  if (statusFd !== undefined) writeZero(localFd(statusFd))
}

/** One zero byte, and its end. */
function writeZero(fd: LocalFd): void {
  using s = scratch()
  must('write', fd, s.take(1).address, 1)
  close(fd)
}

const STDIO = [0, 1, 2]

function leaveTerminal(starter: LocalFd): void {
  const nothing = open('/dev/null', O.RDWR)
  for (const number of STDIO) must('dup3', nothing, number, 0)
  close(nothing)
  writeZero(starter)
}

/** The same command once more, in a session of its own; we leave once it listens. */
function startDaemon(): number {
  using s = scratch()
  const ends = s.take(8)
  must('pipe2', ends.address, O.CLOEXEC)
  const [reading, writing] = [ends.view.getInt32(0, true), ends.view.getInt32(4, true)]
  const more = { [READY_VARIABLE]: String(writing) }
  const { argv, env } = ownProgram(process.argv.slice(2), more)
  const pid = startProgram(argv, env, (table) => {
    table.call('setsid')
    table.call('fcntl', writing, F.SETFD, 0)
  })
  close(writing)
  const isReady = sys('read', reading, s.take(1).address, 1) === 1
  // What went wrong was said by the one that it happened to.
  if (!isReady) waitStop(pid)
  return isReady ? EXIT_OK : EXIT_FAILURE
}
