import { fail } from '../../errors/error.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { PR } from '../../kernel/constants/prctl.ts'
import { SIG } from '../../kernel/constants/signals.ts'
import { readFileSync, writeFileSync } from '../../kernel/fs.ts'
import { readProcFile, tryReadProcFile } from '../../kernel/proc/read.ts'
import { readComm } from '../../kernel/proc/tasks.ts'
import type { TaskAspect } from '../contract.ts'
import type { RestoreTask } from '../restore-model.ts'
import { isCompatDump } from '../task-abi.ts'
import { restoredThread, taskExtra, threadExtra } from '../task-extra.ts'
import { refuse } from './refuse.ts'

/** `loginuid` of a task that nobody logged in for. */
const NO_LOGIN = 0xffff_ffff
const AT_FDCWD = -100

/** Name, personality, login uid and the weight for the out-of-memory killer. */
export const identity: TaskAspect = {
  name: 'identity',

  collect(task, dump) {
    // Images tell a program of 32 bits by the code that its threads run.
    if (isCompatDump(task) && !task.threads.some(({ seized }) => seized.registers.isCompat))
      refuse(dump, task, '64-bit code in a program of 32 bits', 'dump it at another moment')
    const personality = personalityOf(task.proc)
    task.core.comm = readComm(task.proc)
    task.core.personality = personality
    task.core.oom_score_adj = Number(readProcFile(`${task.proc}/oom_score_adj`))
    const loginuid = tryReadProcFile(`${task.proc}/loginuid`)
    if (loginuid !== undefined) task.core.loginuid = Number(loginuid)
    // The restore clones it with that signal: create.ts.
    if (task.stat.exitSignal !== SIG.CHLD) taskExtra(task).exit_signal = task.stat.exitSignal
    for (const thread of task.threads) {
      thread.core.comm = readComm(thread.proc)
      const own = personalityOf(thread.proc)
      if (own !== personality) threadExtra(thread).personality = own
    }
  },

  placeProcess(task, table) {
    const loginuid = task.core.tc?.loginuid ?? NO_LOGIN
    const ours = tryReadProcFile('/proc/self/loginuid')
    if (loginuid === NO_LOGIN || ours === undefined || Number(ours) === loginuid) return
    // Nobody else may write it (fs/proc/base.c, proc_loginuid_write).
    const text = String(loginuid)
    const fd = table.call('openat', AT_FDCWD, table.string('/proc/self/loginuid'), O.WRONLY)
    table.call('write', fd, table.string(text), text.length)
    table.call('close', fd)
  },

  placeThread(task, thread, table, restore) {
    const comm = thread.core.thread_core?.comm ?? task.core.tc?.comm
    if (comm !== undefined) table.call('prctl', PR.SET_NAME, table.string(comm))
    const own = restoredThread(task, thread, restore)?.personality
    table.call('personality', own ?? task.core.tc?.personality ?? 0)
  },

  finishOutside(task, thread) {
    const wanted = task.core.tc?.oom_score_adj
    if (thread === task.threads[0] && wanted !== undefined) placeOomScore(task, wanted)
  },
}

const personalityOf = (proc: string): number =>
  Number.parseInt(readProcFile(`${proc}/personality`), 16)

function placeOomScore(task: RestoreTask, wanted: number): void {
  const path = `/proc/${task.pid}/oom_score_adj`
  if (Number(readFileSync(path, 'latin1')) === wanted) return
  try {
    writeFileSync(path, String(wanted))
  } catch (cause) {
    fail(
      {
        code: 'conflict',
        pid: task.nsPid,
        reason: `its oom_score_adj of ${wanted} cannot be set`,
        remedy: 'run the restore with CAP_SYS_RESOURCE',
      },
      cause,
    )
  }
}
