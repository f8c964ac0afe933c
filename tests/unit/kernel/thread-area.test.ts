import { expect, test } from 'bun:test'
import { PTRACE } from '../../../src/kernel/constants/ptrace.ts'
import { ptrace } from '../../../src/kernel/ptrace.ts'
import { getThreadAreas } from '../../../src/kernel/thread-area.ts'
import { hostPid } from '../../../src/kernel/types.ts'
import { waitStop } from '../../../src/kernel/wait.ts'

test('a 64-bit program has three segments that are not in use, as images say it', () => {
  const child = Bun.spawn(['sleep', '60'])
  const pid = hostPid(child.pid)
  try {
    ptrace(PTRACE.SEIZE, pid)
    ptrace(PTRACE.INTERRUPT, pid)
    waitStop(pid)
    const areas = getThreadAreas(pid)
    expect(areas.map(({ entry_number }) => entry_number)).toEqual([12, 13, 14])
    for (const { base_addr, limit, read_exec_only, seg_not_present } of areas)
      expect([base_addr, limit, read_exec_only, seg_not_present]).toEqual([0, 0, true, true])
  } finally {
    ptrace(PTRACE.DETACH, pid)
    child.kill('SIGKILL')
  }
})
