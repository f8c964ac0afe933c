import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { F, F_OWNER, O } from '../../../../src/kernel/constants/fcntl.ts'
import { fOwnerEx } from '../../../../src/kernel/layout/files.ts'
import { scratch } from '../../../../src/kernel/memory.ts'
import { pathBytes } from '../../../../src/kernel/proc/bytes.ts'
import { statFd } from '../../../../src/kernel/stat.ts'
import { close, must, open, sys } from '../../../../src/kernel/sys.ts'
import { closeAll, FilesJob, infoOf } from './job.ts'

/** Opens, dumps, closes, restores; gives what was and what is. */
function roundTrip(job: FilesJob, path: string, flags: number, pos = 0) {
  const fd = open(path, flags)
  if (pos) must('lseek', fd, pos, 0)
  const before = { info: infoOf(fd), stat: statFd(fd) }
  job.dump(fd)
  close(fd)
  expect(job.obstacles).toEqual([])
  const [restored] = job.restore()
  return { before, fd: restored!, after: { info: infoOf(restored!), stat: statFd(restored!) } }
}

const cases: [string, number, number][] = [
  ['position', O.RDONLY, 1234],
  ['a position past the end', O.RDWR, 2 ** 33],
  ['writing alone', O.WRONLY, 7],
  ['appending', O.WRONLY | O.APPEND, 0],
  ['O_DIRECT, O_NOATIME, O_SYNC', O.RDWR | O.DIRECT | O.NOATIME | O.SYNC, 0],
  ['O_NONBLOCK and O_NOFOLLOW', O.RDONLY | O.NONBLOCK | O.NOFOLLOW, 0],
  ['O_PATH', O.PATH, 0],
]

for (const [name, flags, pos] of cases) {
  test(`a regular file: ${name}`, () => {
    using job = new FilesJob()
    const path = job.path('data')
    writeFileSync(path, Buffer.alloc(10000, 7))
    const { before, after, fd } = roundTrip(job, path, flags, pos)
    expect(after.info.flags).toBe(before.info.flags)
    expect(after.info.pos).toBe(before.info.pos)
    expect(after.stat.ino).toBe(before.stat.ino)
    close(fd)
  })
}

test('names are bytes, and may end in " (deleted)"', () => {
  for (const name of [
    'with space',
    'new\nline',
    '(deleted)',
    'x (deleted)',
    '\xff\xfe',
    '\xc3\xbc',
  ]) {
    using job = new FilesJob()
    const path = job.path(name)
    writeFileSync(pathBytes(path), name)
    const { fd, before, after } = roundTrip(job, path, O.RDONLY)
    expect(after.stat.ino).toBe(before.stat.ino)
    close(fd)
  }
})

test('a file that was changed is refused with both sizes', () => {
  using job = new FilesJob()
  const path = job.path('data')
  writeFileSync(path, 'twelve bytes')
  const fd = open(path, O.RDWR)
  job.dump(fd)
  close(fd)
  writeFileSync(path, 'ten bytes.')
  expect(() => job.restore()).toThrow(
    expect.objectContaining({
      detail: expect.objectContaining({
        code: 'conflict',
        reason: `${path} has 10 bytes, but had 12 at the dump`,
      }),
    }),
  )
})

test('a log that is only appended to may grow, as upstream has it', () => {
  using job = new FilesJob()
  const path = job.path('log')
  writeFileSync(path, 'line\n')
  const fd = open(path, O.WRONLY | O.APPEND)
  job.dump(fd)
  close(fd)
  expect(job.entries[0]!.reg!.size).toBeUndefined()
  writeFileSync(path, 'line\nline\n')
  closeAll(job.restore())
})

test('directories, devices, procfs and sysfs are opened by their paths', () => {
  const paths = [
    '/usr',
    '/dev/null',
    '/dev/urandom',
    '/proc/uptime',
    `/proc/${process.pid}/stat`,
    '/sys/kernel/mm',
  ]
  for (const path of paths) {
    using job = new FilesJob()
    const { fd, before, after } = roundTrip(job, path, O.RDONLY)
    expect(after.stat.ino).toBe(before.stat.ino)
    expect(after.info.flags).toBe(before.info.flags)
    close(fd)
  }
})

test('entries have what upstream writes', () => {
  using job = new FilesJob()
  writeFileSync(job.path('data'), 'abc', { mode: 0o644 })
  const fds = [open('/dev/null', O.WRONLY), open(job.path('data'), O.RDWR)]
  job.dump(...fds)
  const fown = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 }
  const common = { pos: 0n, fown, build_id: [] }
  expect(job.images.readAll('files').map(({ reg }) => reg)).toEqual([
    { ...common, id: 1, flags: 0x8001, name: '/dev/null', mode: 0o20666 },
    { ...common, id: 2, flags: 0x8002, name: job.path('data'), size: 3n, mode: 0o100644 },
  ])
  closeAll(fds)
})

test('owner, its ids and the signal', () => {
  using job = new FilesJob()
  writeFileSync(job.path('data'), 'abc')
  const fd = open(job.path('data'), O.RDWR)
  using s = scratch()
  const pid = process.pid
  const owner = s.put(fOwnerEx.encode({ type: F_OWNER.PID, pid }))
  must('setresuid', 0, 1234, 0)
  must('fcntl', fd, F.SETOWN_EX, owner.address)
  must('setresuid', 0, 0, 0)
  must('fcntl', fd, F.SETSIG, 40)
  job.dump(fd)
  expect(job.entries[0]!.reg!.fown).toEqual({ uid: 0, euid: 1234, signum: 40, pid_type: 1, pid })
  close(fd)
  const [restored] = job.restore()
  expect(must('fcntl', restored!, F.GETOWN)).toBe(pid)
  expect(must('fcntl', restored!, F.GETSIG)).toBe(40)
  const ids = s.take(8)
  must('fcntl', restored!, F.GETOWNER_UIDS, ids.address)
  expect([ids.view.getUint32(0, true), ids.view.getUint32(4, true)]).toEqual([0, 1234])
  expect(must('geteuid')).toBe(0)
  close(restored!)
})

test('devices with a state of their own, and sockets, are refused by name', () => {
  using job = new FilesJob()
  const fds = [open('/dev/fuse', O.RDWR), must('socket', 40, 1, 0), must('socket', 2, 1, 262)]
  job.dump(...fds)
  expect(job.obstacles.map(({ where, what }) => `${where}: ${what}`)).toEqual([
    `fd ${fds[0]}: character device /dev/fuse (10:229, FUSE connection)`,
    `fd ${fds[1]}: socket (AF_VSOCK, SOCK_STREAM)`,
    `fd ${fds[2]}: socket (AF_INET, SOCK_STREAM, IPPROTO_MPTCP)`,
  ])
  closeAll(fds)
})

test('a file of a process that is gone answers ESRCH again', async () => {
  using job = new FilesJob()
  const child = Bun.spawn(['sleep', '100'])
  const fd = open(`/proc/${child.pid}/stat`, O.RDONLY)
  child.kill()
  await child.exited
  for (let i = 0; i < 200 && statGone(fd) === false; i++) await Bun.sleep(10)
  job.dump(fd)
  expect(job.obstacles).toEqual([])
  expect(job.images.readAll('remap-fpath')).toEqual([
    { orig_id: 1, remap_id: child.pid, remap_type: 2 },
  ])
  const [restored] = job.restore()
  expect(statGone(restored!)).toBe(true)
  closeAll([fd, restored!])
})

function statGone(fd: number): boolean {
  using s = scratch()
  return sys('pread64', fd, s.take(64).address, 64, 0) === -3
}

test('a thousand files take no second', () => {
  using job = new FilesJob()
  writeFileSync(job.path('data'), Buffer.alloc(5000))
  const fds = Array.from({ length: 1000 }, () => open(job.path('data'), O.RDONLY))
  for (const [i, fd] of fds.entries()) must('lseek', fd, i, 0)
  const begun = performance.now()
  job.dump(...fds)
  closeAll(fds)
  const restored = job.restore()
  expect(performance.now() - begun).toBeLessThan(1000)
  expect(restored.map((fd) => must('lseek', fd, 0, 1))).toEqual(fds.map((_, i) => i))
  closeAll(restored)
})
