/**
 * What the kernel boundary must do under Node: bundled, and run by node.test.ts. Prints one line
 * for each check, `ok TITLE` or `failed TITLE: why`.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sentence } from '../../../src/errors/sentence.ts'
import { ImageDirectory } from '../../../src/images/directory.ts'
import { CLONE } from '../../../src/kernel/constants/sched.ts'
import { SIG } from '../../../src/kernel/constants/signals.ts'
import { Errno } from '../../../src/kernel/errno.ts'
import { arenaAddress, cpuid, syscall } from '../../../src/kernel/ffi/index.ts'
import { cloneArgs } from '../../../src/kernel/layout/sched.ts'
import { memoryAt, scratch } from '../../../src/kernel/memory.ts'
import { readMaps } from '../../../src/kernel/proc/maps.ts'
import { readStat } from '../../../src/kernel/proc/stat.ts'
import { readStatus } from '../../../src/kernel/proc/status.ts'
import { must, runLocally, spawnTable, sys } from '../../../src/kernel/sys.ts'
import { Table } from '../../../src/kernel/table.ts'
import { hostPid } from '../../../src/kernel/types.ts'
import { waitStop } from '../../../src/kernel/wait.ts'

const checks: Record<string, () => void | Promise<void>> = {
  'a system call returns its result, or −errno'() {
    assert.equal(sys('getpid'), process.pid)
    assert.equal(sys('close', 1 << 20), -Errno.EBADF)
    assert.equal(sys('lseek', -1, 0n, 0), -Errno.EBADF)
  },

  'numbers and bigints of 64 bits arrive whole'() {
    // lseek's offset comes back: above 2^32 as a number, and as a bigint.
    const fd = sys('memfd_create', textIn('node'), 0)
    assert.equal(must('lseek', fd, 0x1_2345_6789, 0), 0x1_2345_6789)
    assert.equal(must('lseek', fd, 0x7_0000_0001n, 0), 0x7_0000_0001)
    must('close', fd)
  },

  'an unknown system call is ENOSYS'() {
    assert.equal(syscall(100_000), -Errno.ENOSYS)
  },

  'a batch hands results on, and tells which call ended it'() {
    using s = scratch()
    const table = new Table(s.take(8192))
    const fd = table.call('memfd_create', table.string('batch'), 0)
    const written = table.call('write', fd, table.string('hello'), 6)
    const into = table.space(16)
    table.attempt('close', -1)
    const read = table.call('pread64', fd, into, 16, 0)
    table.call('close', fd)
    table.call('close', fd)
    const after = table.call('getpid')
    runLocally(table)
    assert.equal(written.number, 6)
    assert.equal(read.number, 6)
    assert.equal(Buffer.from(into.bytes).toString('latin1', 0, 5), 'hello')
    assert.equal(after.value, undefined)
    assert.deepEqual(
      { index: table.failure()?.index, errno: table.failure()?.errno },
      { index: 5, errno: Errno.EBADF },
    )
  },

  'a child runs a table and ends in it, or in exit(1)'() {
    for (const code of [7, undefined]) {
      using s = scratch()
      const table = new Table(s.take(4096))
      table.attempt('getpid')
      if (code !== undefined) table.call('exit_group', code)
      const args = cloneArgs.encode({ exit_signal: BigInt(SIG.CHLD) })
      const child = spawned(spawnTable(args, table))
      assert.deepEqual(waitStop(hostPid(child)), { kind: 'exited', code: code ?? 1 })
    }
  },

  'a child that shares our memory leaves its results'() {
    using s = scratch()
    const table = new Table(s.take(4096))
    const pid = table.attempt('getpid')
    table.call('exit', 0)
    const args = cloneArgs.encode({
      flags: CLONE.VM | CLONE.VFORK,
      exit_signal: BigInt(SIG.CHLD),
    })
    const child = spawned(spawnTable(args, table))
    assert.equal(pid.number, child)
    assert.deepEqual(waitStop(hostPid(child)), { kind: 'exited', code: 0 })
  },

  'memory that we map is seen, and given back'() {
    const address = BigInt(must('mmap', 0, 8192, 3, 0x22, -1, 0))
    const memory = memoryAt(address, 8192)
    memory.view.setBigUint64(4096, 0x1122334455667788n, true)
    const fd = must('memfd_create', textIn('x'), 0)
    assert.equal(must('write', fd, address + 4096n, 8), 8)
    const back = scratch().take(8)
    assert.equal(must('pread64', fd, back.address, 8, 0), 8)
    assert.equal(back.view.getBigUint64(0, true), 0x1122334455667788n)
    must('close', fd)
    must('munmap', address, 8192)
  },

  'what procfs tells is read and parsed'() {
    assert.equal(readStat('/proc/self').pid, process.pid)
    assert.equal(readStatus('/proc/self').innermost.pid, process.pid)
    const holds = readMaps('/proc/self').some(
      (m) => m.start <= arenaAddress && arenaAddress < m.end,
    )
    assert.ok(holds, 'the arena is in the maps')
  },

  'the CPU tells who made it'() {
    const { ebx, ecx, edx } = cpuid(0)
    const name = Buffer.from(Uint32Array.of(ebx, edx, ecx).buffer).toString('latin1')
    assert.ok(readFileSync('/proc/cpuinfo', 'latin1').includes(name), name)
  },

  'images go out and come in'() {
    const path = mkdtempSync(join(tmpdir(), 'criu-node-'))
    try {
      using images = ImageDirectory.open(path)
      const entries = [
        { pid: 1, ppid: 0, pgid: 1, sid: 1, threads: [1, 5] },
        { pid: 2, ppid: 1, pgid: 1, sid: 1, threads: [2] },
      ]
      images.write('pstree', entries)
      assert.deepEqual(images.readAll('pstree'), entries)
    } finally {
      rmSync(path, { recursive: true })
    }
  },

  'an error is one sentence with its facts'() {
    let said = ''
    try {
      must('close', 1 << 20)
    } catch (error) {
      said = sentence(error)
    }
    assert.match(said, /close.*EBADF/)
  },
}

/** A string that stays: these few are never given back. */
function textIn(text: string): bigint {
  return scratch().string(text)
}

function spawned(result: number): number {
  assert.ok(result > 0, `clone3: ${result}`)
  return result
}

for (const [title, check] of Object.entries(checks)) {
  try {
    await check()
    console.log(`ok ${title}`)
  } catch (error) {
    console.log(`failed ${title}: ${String((error as Error).stack).replace(/\n/g, ' | ')}`)
  }
}
