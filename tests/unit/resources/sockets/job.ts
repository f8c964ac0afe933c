import type { Obstacle } from '../../../../src/errors/error.ts'
import { decode, encode } from '../../../../src/images/codec.ts'
import type { Messages } from '../../../../src/images/gen/messages.ts'
import type { MessageName } from '../../../../src/images/schema.ts'
import { statFd } from '../../../../src/kernel/stat.ts'
import { must } from '../../../../src/kernel/sys.ts'
import { hostPid, type LocalFd, localFd, traceeFd } from '../../../../src/kernel/types.ts'
import type { DumpContext, DumpTask, FdProbe } from '../../../../src/resources/dump-model.ts'

/** A probe of a socket of this very process. */
export function probeOf(fd: LocalFd): FdProbe {
  const task: Partial<DumpTask> = {
    pid: hostPid(process.pid),
    stat: { comm: 'test' } as DumpTask['stat'],
  }
  const probe: Partial<FdProbe> = {
    task: task as DumpTask,
    fd: traceeFd(fd),
    local: fd,
    stat: statFd(fd),
    flags: 2,
  }
  return probe as FdProbe
}

/** A dump that only notes what is refused. */
export function refusals(): { dump: DumpContext; obstacles: Obstacle[] } {
  const obstacles: Obstacle[] = []
  const dump: Partial<DumpContext> = { refuse: (obstacle) => obstacles.push(obstacle), tasks: [] }
  return { dump: dump as DumpContext, obstacles }
}

/** The message as it comes out of an image. */
export const throughImage = <N extends MessageName>(name: N, message: Messages[N]): Messages[N] =>
  decode(name, encode(name, message), { file: 'files.img', entry: 0 } as never)

export const makeSocket = (family: number, type: number, protocol = 0): LocalFd =>
  localFd(must('socket', family, type | 0o2000000, protocol))
