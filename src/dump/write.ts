import type { ImageDirectory } from '../images/directory.ts'
import { core_entry_march } from '../images/gen/enums.ts'
import type { Messages } from '../images/gen/messages.ts'
import { scratch } from '../kernel/memory.ts'
import { sys } from '../kernel/sys.ts'
import type { DumpContext, DumpTask, DumpThread } from '../resources/dump-model.ts'
import { type TaskMemory, vmaEntries } from '../resources/memory/dump-memory.ts'
import { type DumpZombie, NAMESPACE_IDS } from './collect.ts'
import { writeCpuInfo } from './cpuinfo.ts'
import type { DumpFiles } from './files.ts'

/** Version of the image format; upstream's since 2.0. */
const IMAGE_VERSION = 2
const TASK_DEAD = 2
const CLOCK_MONOTONIC = 1
const CLOCK_BOOTTIME = 7

/** All that a dump knows at its end. */
export interface DumpResult {
  readonly memories: readonly TaskMemory[]
  readonly zombies: readonly DumpZombie[]
  readonly files: DumpFiles
}

/** Every image but those of pages, of kinds, and the inventory: in one place, from what was collected. */
export function writeImages(dump: DumpContext, { memories, zombies, files }: DumpResult): void {
  const { images } = dump
  writeTree(dump, zombies)
  for (const memory of memories) writeTask(memory, images)
  for (const zombie of zombies) writeZombie(zombie, images)
  for (const [id, table] of files.fdinfo) images.write('fdinfo', table, id)
  images.write('files', files.entries)
  writeClocks(images)
  if (dump.options.cpuCap.image) writeCpuInfo(images)
}

/** Last: a directory without it is no dump, whatever else was written. */
export function writeInventory({ images, network, plugins }: DumpContext): void {
  const used = plugins?.used ?? []
  images.write('inventory', [
    {
      img_version: IMAGE_VERSION,
      fdinfo_per_id: true,
      ns_per_id: true,
      root_ids: { vm_id: 1, files_id: 1, fs_id: 1, sighand_id: 1, ...NAMESPACE_IDS },
      root_cg_set: 1,
      lsmtype: 0,
      ...network.fields,
      // Upstream refuses a restore without them, as we do.
      ...(used.length > 0 && { plugins_entry: { plugins: [...used] } }),
    },
  ])
}

function writeTree(dump: DumpContext, zombies: readonly DumpZombie[]): void {
  const pids = new Map(dump.tasks.map((task) => [task.stat.pid, task.nsPid as number]))
  const parent = (ppid: number) => pids.get(ppid) ?? 0
  const alive = dump.tasks.map(({ nsPid, stat, status, threads }) => ({
    pid: nsPid as number,
    ppid: parent(stat.ppid),
    pgid: status.innermost.pgid as number,
    sid: status.innermost.sid as number,
    threads: threads.map((thread) => thread.nsTid as number),
  }))
  const dead = zombies.map(({ nsPid, ppid, pgid, sid }) => ({
    pid: nsPid,
    ppid: parent(ppid),
    pgid,
    sid,
    threads: [nsPid],
  }))
  // A root's parent is outside: it has none in the image.
  dump.images.write('pstree', [...alive, ...dead])
}

function writeTask(memory: TaskMemory, images: ImageDirectory): void {
  const { task } = memory
  task.threads.forEach((thread, i) => {
    images.write('core', [coreEntry(task, thread, i === 0)], thread.nsTid)
  })
  images.write('ids', [task.ids], task.nsPid)
  const mm = { ...task.mm, vmas: vmaEntries(memory) } as Messages['mm_entry']
  images.write('mm', [mm], task.nsPid)
  const { cwd, root } = task.places!
  const umask = task.status.umask ?? 0
  images.write('fs', [{ cwd_id: cwd, root_id: root, umask }], task.nsPid)
}

function coreEntry(task: DumpTask, thread: DumpThread, isLeader: boolean) {
  const core: Partial<Messages['core_entry']> = {
    mtype: core_entry_march.X86_64,
    thread_info: thread.machine as Messages['thread_info_x86'],
    thread_core: thread.core as Messages['thread_core_entry'],
  }
  if (isLeader) core.tc = task.core as Messages['task_core_entry']
  return core as Messages['core_entry']
}

/** Of a dead process an exit code is left, which its parent has not asked for yet. */
function writeZombie(zombie: DumpZombie, images: ImageDirectory): void {
  const tc = {
    task_state: TASK_DEAD,
    exit_code: zombie.exitCode,
    personality: 0,
    flags: zombie.flags,
    blk_sigset: 0n,
    comm: zombie.comm,
  } as Messages['task_core_entry']
  images.write('core', [{ mtype: core_entry_march.X86_64, tc }], zombie.nsPid)
}

/** The clocks of this boot: a restore elsewhere tells by them how far a time namespace must go. */
function writeClocks(images: ImageDirectory): void {
  const monotonic = clock(CLOCK_MONOTONIC)
  images.write('timens', [{ monotonic, boottime: clock(CLOCK_BOOTTIME) }], 0)
}

function clock(id: number): Messages['timespec'] {
  using s = scratch()
  const memory = s.take(16)
  sys('clock_gettime', id, memory.address)
  return {
    tv_sec: memory.view.getBigUint64(0, true),
    tv_nsec: memory.view.getBigUint64(8, true),
  }
}
