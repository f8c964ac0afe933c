import { fail } from '../errors/error.ts'
import type { ImageDirectory } from '../images/directory.ts'
import type { Messages } from '../images/gen/messages.ts'
import { fileId } from '../kernel/types.ts'
import { VMA } from '../resources/memory/vma-bits.ts'
import type { RestoreModel, RestoreTask } from '../resources/restore-model.ts'

/** core_entry.march */
const X86_64 = 1
const PAGE_MASK = 4095n
/** First address that no task can map (47 bits, the last page left out; asm/page_64_types.h). */
const TASK_END = 0x7ffffffff000n
/** The kernel's own limit of a pid (PID_MAX_LIMIT). */
const PID_LIMIT = 1 << 22
/** As many mappings as the largest vm.max_map_count in use; more is damage. */
const MOST_VMAS = 1 << 24

/** Checks what is within one image against the others: ids, addresses, numbers. */
export function checkModel(model: RestoreModel, images: ImageDirectory): void {
  checkPids(model, images)
  for (const task of model.tasks) {
    if (task.state === 'zombie') continue
    checkThreads(task, images)
    checkFiles(task, model, images)
    checkVmas(task, model, images)
  }
}

function checkPids(model: RestoreModel, images: ImageDirectory): void {
  const file = images.pathOf('pstree')
  const seen = new Set<number>()
  for (const [entry, task] of model.tasks.entries())
    for (const { nsTid } of task.threads) {
      if (nsTid <= 0 || nsTid > PID_LIMIT)
        fail({ code: 'image', file, entry, reason: `no pid: ${nsTid}` })
      if (seen.has(nsTid))
        fail({ code: 'image', file, entry, reason: `pid ${nsTid} appears twice` })
      seen.add(nsTid)
    }
}

function checkThreads(task: RestoreTask, images: ImageDirectory): void {
  for (const { nsTid, core } of task.threads) {
    const file = images.pathOf('core', nsTid)
    if (core.mtype !== X86_64)
      fail({ code: 'image', file, entry: 0, reason: 'it is of another machine than x86-64' })
    if (!core.thread_info) fail({ code: 'image', file, entry: 0, reason: 'it has no registers' })
    if (!core.thread_core) fail({ code: 'image', file, entry: 0, reason: 'no thread_core_entry' })
  }
}

function checkFiles(task: RestoreTask, { files }: RestoreModel, images: ImageDirectory): void {
  const missing = (file: string, entry: number, what: string, id: number): never =>
    fail({ code: 'image', file, entry, reason: `${what} is file ${id}, which no image has` })
  const { fs, mm, fds } = task
  const fdFile = images.pathOf('fdinfo', task.ids.files_id)
  const numbers = new Set<number>()
  for (const [entry, fd] of fds.entries()) {
    if (!files.has(fileId(fd.id))) missing(fdFile, entry, `descriptor ${fd.fd}`, fd.id)
    if (numbers.has(fd.fd) || fd.fd > 0x7fffffff)
      fail({ code: 'image', file: fdFile, entry, reason: `descriptor ${fd.fd} is there twice` })
    numbers.add(fd.fd)
  }
  const places = [
    ['fs', 'the current directory', fs!.cwd_id],
    ['fs', 'the root directory', fs!.root_id],
    ['mm', 'the program', mm!.exe_file_id],
  ] as const
  for (const [kind, what, id] of places)
    if (!files.has(fileId(id))) missing(images.pathOf(kind, task.nsPid), 0, what, id)
}

/** A mapping that is a piece of another one's range (guard pages), or none of the task's own. */
const isApart = ({ status }: Messages['vma_entry']): boolean =>
  (status & (VMA.guard | VMA.vsyscall)) !== 0

function checkVmas(task: RestoreTask, { files }: RestoreModel, images: ImageDirectory): void {
  const file = images.pathOf('mm', task.nsPid)
  const wrong = (index: number, reason: string): never =>
    fail({ code: 'image', file, entry: 0, reason: `mapping ${index}: ${reason}` })
  const { vmas } = task.mm!
  if (vmas.length > MOST_VMAS) wrong(MOST_VMAS, 'more mappings than any kernel allows')
  let end = 0n
  for (const [index, vma] of vmas.entries()) {
    if (vma.status & VMA.vsyscall) continue
    if (((vma.start | vma.end | vma.pgoff) & PAGE_MASK) !== 0n) wrong(index, 'not of whole pages')
    if (vma.start >= vma.end || vma.end > TASK_END) wrong(index, 'an impossible range')
    if (!isApart(vma)) {
      if (vma.start < end) wrong(index, 'it overlaps the one before, or is out of order')
      end = vma.end
    }
    const ofFile = (vma.status & (VMA.filePrivate | VMA.fileShared)) !== 0
    if (ofFile && !files.has(fileId(Number(vma.shmid))))
      wrong(index, `it maps file ${vma.shmid}, which no image has`)
  }
}
