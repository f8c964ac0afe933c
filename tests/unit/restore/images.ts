import { make } from '../../../src/images/codec.ts'
import type { Messages } from '../../../src/images/gen/messages.ts'
import { nsPid } from '../../../src/kernel/types.ts'
import type { RestoreTask } from '../../../src/resources/restore-model.ts'

/** What a test says of a task; the rest is that of a plain process. */
export interface TaskSketch {
  readonly pid: number
  readonly parent?: number
  readonly session?: number
  readonly group?: number
  readonly state?: RestoreTask['state']
  readonly exitCode?: number
  readonly ids?: Partial<Messages['task_kobj_ids_entry']>
}

export function task(sketch: TaskSketch): RestoreTask {
  const { pid, parent = 0, session = pid, group = session, state = 'alive', exitCode = 0 } = sketch
  const core = make('core_entry', {
    mtype: 1,
    tc: make('task_core_entry', {
      task_state: 1,
      exit_code: exitCode,
      personality: 0,
      flags: 0,
      blk_sigset: 0n,
      comm: 'subject',
    }),
  })
  const own = { vm_id: pid, files_id: pid, fs_id: pid, sighand_id: pid }
  return {
    nsPid: nsPid(pid),
    ppid: nsPid(parent),
    pgid: nsPid(group),
    sid: nsPid(session),
    state,
    threads: [{ nsTid: nsPid(pid), core, tid: undefined }],
    core,
    ids: { ...own, ...sketch.ids },
    mm: undefined,
    fs: undefined,
    fds: [],
    pid: undefined,
  }
}
