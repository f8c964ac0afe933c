import { afterAll, describe, expect, test } from 'bun:test'
import {
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CriuError } from '../../../../src/errors/error.ts'
import { AuxType, auxValue, readAuxv } from '../../../../src/kernel/proc/auxv.ts'
import { pathBytes } from '../../../../src/kernel/proc/bytes.ts'
import { readFdInfo } from '../../../../src/kernel/proc/fdinfo.ts'
import { readLimits } from '../../../../src/kernel/proc/limits.ts'
import { isDeleted, readLink } from '../../../../src/kernel/proc/links.ts'
import { readMaps, readSmaps } from '../../../../src/kernel/proc/maps.ts'
import { readMountInfo } from '../../../../src/kernel/proc/mountinfo.ts'
import { pidPath, readProcFile, tryReadProcFile } from '../../../../src/kernel/proc/read.ts'
import { readStat, tryReadStat } from '../../../../src/kernel/proc/stat.ts'
import { readStatus } from '../../../../src/kernel/proc/status.ts'
import { readCpuInfo, readPidMax, trySysctl } from '../../../../src/kernel/proc/system.ts'
import {
  childrenByParent,
  listChildren,
  listFds,
  listThreads,
  readCmdline,
} from '../../../../src/kernel/proc/tasks.ts'

const self = pidPath('/proc', process.pid)
const directory = mkdtempSync(join(tmpdir(), 'criu-proc-'))
afterAll(() => rmSync(directory, { recursive: true }))

describe('readers of this very process', () => {
  test('stat, status, limits, maps', () => {
    expect(readStat(self).pid).toBe(process.pid)
    const status = readStatus(self)
    expect(status).toMatchObject({
      tgid: process.pid,
      ppid: process.ppid,
      threads: listThreads(self).length,
    })
    expect(status.uid.real).toBe(process.getuid!())
    expect(readStatus(`${self}/task/${listThreads(self).at(-1)}`).tgid).toBe(process.pid)
    expect(readLimits(self).length).toBe(16)
    const maps = readMaps(self)
    expect(maps.some(({ path }) => path === '[vdso]')).toBe(true)
    expect(readSmaps(self).every(({ vmFlags }) => vmFlags.size > 0)).toBe(true)
  })

  test('auxv, cmdline, mounts, system', () => {
    expect(auxValue(readAuxv(self), AuxType.PAGESZ)).toBe(4096n)
    expect(readCmdline(self)[0]).toContain('bun')
    expect(
      readMountInfo(self).some(
        ({ mountpoint, fsType }) => mountpoint === '/proc' && fsType === 'proc',
      ),
    ).toBe(true)
    expect(readPidMax('/proc')).toBeGreaterThan(300)
    expect(trySysctl('/proc', 'kernel/no_such')).toBeUndefined()
    expect(readCpuInfo('/proc').flags.has('fpu')).toBe(true)
  })

  test('a procfs by its descriptor, as another one would be', () => {
    const fd = openSync('/proc', 'r')
    const root = `/proc/self/fd/${fd}`
    expect(readStat(pidPath(root, process.pid)).pid).toBe(process.pid)
    closeSync(fd)
  })

  test('children, by both ways', async () => {
    const child = Bun.spawn(['sleep', '60'])
    expect(listChildren('/proc', process.pid)).toContain(child.pid)
    expect(childrenByParent('/proc', process.pid)).toContain(child.pid)
    child.kill()
    await child.exited
  })
})

describe('descriptors', () => {
  test('fdinfo and the link of an open file', () => {
    const path = join(directory, 'plain')
    writeFileSync(path, 'text')
    const fd = openSync(path, 'r')
    expect(listFds(self)).toContain(fd)
    expect(readFdInfo(self, fd)).toMatchObject({ pos: 0n, ino: BigInt(statSync(path).ino) })
    expect(readLink(`${self}/fd/${fd}`)).toEqual({ kind: 'path', path, deleted: false })
    closeSync(fd)
  })

  test('a removed file, and a file whose name only says so', () => {
    const honest = join(directory, 'gone')
    const named = join(directory, 'odd (deleted)')
    const fds = [honest, named].map((path) => {
      writeFileSync(path, '')
      return openSync(path, 'r')
    })
    unlinkSync(honest)
    const found = fds.map((fd) => isDeleted(`${self}/fd/${fd}`, `${self}/root`))
    expect(found).toEqual([true, false])
    for (const fd of fds) closeSync(fd)
  })

  test('a name that is no UTF-8 comes back byte for byte', () => {
    const path = `${directory}/\xff\xfe \xe4`
    writeFileSync(pathBytes(path), '')
    const fd = openSync(pathBytes(path), 'r')
    const link = readLink(`${self}/fd/${fd}`)
    expect(link).toEqual({ kind: 'path', path, deleted: false })
    expect(statSync(pathBytes(path)).isFile()).toBe(true)
    closeSync(fd)
  })
})

describe('what is not there', () => {
  const absent = pidPath('/proc', 2 ** 30)

  test('a process that is gone', () => {
    expect(tryReadStat(absent)).toBeUndefined()
    expect(tryReadProcFile(`${absent}/maps`)).toBeUndefined()
    expect(detailOf(() => readStat(absent))).toMatchObject({ code: 'vanished', pid: 2 ** 30 })
  })

  test('a root behind a descriptor is not taken for a pid', () => {
    expect(detailOf(() => readProcFile('/proc/self/fd/99999/17/stat'))).toMatchObject({ pid: 17 })
    expect(detailOf(() => readProcFile('/proc/nonsense'))).toMatchObject({
      code: 'syscall',
      errno: 2,
    })
  })

  test('a file larger than the first buffer is read whole', () => {
    const path = join(directory, 'large')
    writeFileSync(path, 'x'.repeat(300_000))
    expect(readProcFile(path).length).toBe(300_000)
  })
})

function detailOf(action: () => unknown): object {
  try {
    action()
  } catch (error) {
    if (error instanceof CriuError) return error.detail
  }
  return {}
}
