import { expect, test } from 'bun:test'
import {
  existsSync,
  fstatSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { O } from '../../../../src/kernel/constants/fcntl.ts'
import { scratch } from '../../../../src/kernel/memory.ts'
import { makeDev } from '../../../../src/kernel/proc/device.ts'
import { close, must, open } from '../../../../src/kernel/sys.ts'
import { closeAll, FilesJob, infoOf } from './job.ts'

const target = (fd: number): string => readlinkSync(`/proc/self/fd/${fd}`)

function textOf(fd: number, at = 0): string {
  const bytes = Buffer.alloc(1 << 20)
  return bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, at))
}

function pass(job: FilesJob, ...fds: number[]): number[] {
  job.dump(...fds)
  expect(job.obstacles).toEqual([])
  closeAll(fds)
  job.end()
  return job.restore()
}

test('an unlinked file keeps content, position, mode, owner, times and the text of its link', () => {
  using job = new FilesJob()
  const path = job.path('ghost')
  writeFileSync(path, 'unlinked but open')
  const fd = open(path, O.RDWR)
  must('fchown', fd, 12, 34)
  must('fchmod', fd, 0o4751)
  must('lseek', fd, 5, 0)
  unlinkSync(path)
  const before = { stat: fstatSync(fd), text: target(fd), flags: infoOf(fd).flags }
  const [restored] = pass(job, fd) as [number]
  const after = fstatSync(restored)
  expect(target(restored)).toBe(before.text)
  expect(infoOf(restored).flags).toBe(before.flags)
  expect(textOf(restored)).toBe('unlinked but open')
  expect(infoOf(restored).pos).toBe(5n)
  expect([after.mode, after.uid, after.gid, after.nlink]).toEqual([0o104751, 12, 34, 0])
  expect(Math.floor(after.mtimeMs)).toBe(Math.floor(before.stat.mtimeMs))
  expect(existsSync(path)).toBe(false)
  close(restored)
})

test('several descriptions share one ghost, dumped once', () => {
  using job = new FilesJob()
  const path = job.path('ghost')
  writeFileSync(path, 'one')
  const fds = [open(path, O.RDWR), open(path, O.RDONLY), open(path, O.PATH | O.NOFOLLOW)]
  unlinkSync(path)
  const restored = pass(job, ...fds)
  expect(new Set(restored.map((fd) => fstatSync(fd).ino)).size).toBe(1)
  expect(job.images.idsOf('ghost-file')).toEqual([1])
  expect(job.images.readAll('remap-fpath').map(({ remap_id }) => remap_id)).toEqual([1, 1, 1])
  expect(infoOf(restored[2]!).flags & O.NOFOLLOW).toBe(O.NOFOLLOW)
  writeSync(restored[0]!, 'two')
  expect(textOf(restored[1]!)).toBe('two')
  closeAll(restored)
})

test('holes stay holes', () => {
  using job = new FilesJob({ ghostLimit: 1 << 20 })
  const path = job.path('sparse')
  const fd = open(path, O.RDWR | O.CREAT, 0o600)
  writeSync(fd, 'near')
  ftruncateSync(fd, 2 ** 30)
  writeSync(fd, 'far', 2 ** 29)
  unlinkSync(path)
  const [restored] = pass(job, fd) as [number]
  const stat = fstatSync(restored)
  expect(stat.size).toBe(2 ** 30)
  expect(stat.blocks).toBeLessThan(64)
  expect(textOf(restored).slice(0, 5)).toBe('near\0')
  expect(textOf(restored, 2 ** 29).slice(0, 4)).toBe('far\0')
  expect(statSync(job.images.pathOf('ghost-file', 1)).size).toBeLessThan(64 * 1024)
  close(restored)
})

test('a ghost larger than the limit is refused', () => {
  using job = new FilesJob({ ghostLimit: 4096 })
  const path = job.path('large')
  writeFileSync(path, Buffer.alloc(5000, 1))
  const fd = open(path, O.RDONLY)
  unlinkSync(path)
  job.dump(fd)
  expect(job.obstacles).toHaveLength(1)
  expect(job.obstacles[0]!.what).toBe(
    `unlinked file ${path} of 5000 bytes, more than the 4096 allowed`,
  )
  expect(job.obstacles[0]!.remedy).toBe('dump with --ghost-limit 5000 or more')
  close(fd)
})

test('a name that another file has taken', () => {
  using job = new FilesJob()
  const path = job.path('name')
  writeFileSync(path, 'first')
  const fd = open(path, O.RDWR)
  unlinkSync(path)
  writeFileSync(path, 'heir')
  const [restored] = pass(job, fd) as [number]
  expect(textOf(restored)).toBe('first')
  expect(fstatSync(restored).nlink).toBe(0)
  expect(readdirSync(job.directory).sort()).toEqual(['images', 'name'])
  close(restored)
})

test('a hard link elsewhere needs --link-remap', () => {
  using refused = new FilesJob()
  const path = refused.path('first')
  writeFileSync(path, 'linked')
  linkSync(path, refused.path('second'))
  const fd = open(path, O.RDWR)
  unlinkSync(path)
  refused.dump(fd)
  expect(refused.obstacles.map(({ what, remedy }) => `${what}; ${remedy}`)).toEqual([
    `regular ${path}, unlinked, of which another hard link is left; dump with --link-remap, which makes a name for it until the restore`,
  ])
  using job = new FilesJob({ linkRemap: true })
  const { ino } = fstatSync(fd)
  job.dump(fd)
  close(fd)
  job.end()
  expect(readdirSync(refused.directory).sort()).toEqual(['images', 'link_remap.2', 'second'])
  expect(job.images.readAll('remap-fpath')).toEqual([{ orig_id: 1, remap_id: 2, remap_type: 0 }])
  const [restored] = job.restore()
  expect(fstatSync(restored!).ino).toBe(ino)
  expect(fstatSync(restored!).nlink).toBe(1)
  expect(target(restored!)).toBe(`${path} (deleted)`)
  expect(readdirSync(refused.directory).sort()).toEqual(['images', 'second'])
  close(restored!)
})

test('a dump that failed, or left the tree running, takes its link away again', () => {
  for (const [succeeded, finalState] of [
    [false, 'killed'],
    [true, 'running'],
  ] as const) {
    using job = new FilesJob({ linkRemap: true, finalState })
    writeFileSync(job.path('first'), 'linked')
    linkSync(job.path('first'), job.path('second'))
    const fd = open(job.path('first'), O.RDWR)
    unlinkSync(job.path('first'))
    job.dump(fd)
    expect(existsSync(job.path('link_remap.2'))).toBe(true)
    job.end(succeeded)
    expect(existsSync(job.path('link_remap.2'))).toBe(false)
    close(fd)
  }
})

test('removed directories, also above a ghost', () => {
  using job = new FilesJob()
  mkdirSync(job.path('a/b'), { recursive: true })
  writeFileSync(job.path('a/b/ghost'), 'deep')
  mkdirSync(job.path('gone'), { mode: 0o751 })
  const fds = [
    open(job.path('a/b/ghost'), O.RDWR),
    open(job.path('gone'), O.RDONLY | O.DIRECTORY),
    open(job.path('gone'), O.PATH),
  ]
  unlinkSync(job.path('a/b/ghost'))
  rmdirSync(job.path('a/b'))
  rmdirSync(job.path('a'))
  rmdirSync(job.path('gone'))
  const texts = fds.map(target)
  const restored = pass(job, ...fds)
  expect(restored.map(target)).toEqual(texts)
  expect(textOf(restored[0]!)).toBe('deep')
  expect(fstatSync(restored[1]!).mode).toBe(0o40751)
  expect(fstatSync(restored[1]!).nlink).toBe(0)
  expect(readdirSync(job.directory)).toEqual(['images'])
  closeAll(restored)
})

test('a file that never had a name, and one open for reading alone', () => {
  using job = new FilesJob()
  const nameless = open(job.directory, O.TMPFILE | O.RDWR, 0o640)
  writeSync(nameless, 'nameless')
  writeFileSync(job.path('ghost'), 'read only', { mode: 0o400 })
  const reader = open(job.path('ghost'), O.RDONLY)
  unlinkSync(job.path('ghost'))
  const flags = infoOf(nameless).flags
  const restored = pass(job, nameless, reader)
  expect(infoOf(restored[0]!).flags).toBe(flags)
  expect(infoOf(restored[0]!).pos).toBe(8n)
  expect(textOf(restored[0]!)).toBe('nameless')
  expect(fstatSync(restored[0]!).mode).toBe(0o100640)
  expect(textOf(restored[1]!)).toBe('read only')
  closeAll(restored)
})

test('a file renamed since is found by its new name', () => {
  using job = new FilesJob()
  writeFileSync(job.path('before'), 'moved')
  const fd = open(job.path('before'), O.RDWR)
  renameSync(job.path('before'), job.path('after'))
  const [restored] = pass(job, fd) as [number]
  expect(target(restored)).toBe(job.path('after'))
  expect(job.images.has('remap-fpath')).toBe(false)
  close(restored)
})

test('an unlinked device file and symbolic link', () => {
  using job = new FilesJob()
  using s = scratch()
  must('mknod', s.string(job.path('zero')), 0o20640, makeDev(1, 5))
  symlinkSync('no/where', job.path('link'))
  const fds = [open(job.path('zero'), O.RDWR), open(job.path('link'), O.PATH | O.NOFOLLOW)]
  unlinkSync(job.path('zero'))
  unlinkSync(job.path('link'))
  const restored = pass(job, ...fds) as [number, number]
  expect(textOf(restored[0]).length).toBe(1 << 20)
  expect(fstatSync(restored[0]).mode).toBe(0o20640)
  const room = s.take(64)
  expect(must('readlinkat', restored[1], s.string(''), room.address, 64)).toBe(8)
  expect(infoOf(restored[1]).flags & O.NOFOLLOW).toBe(O.NOFOLLOW)
  closeAll(restored)
})

test('a device whose path leads elsewhere needs --evasive-devices', () => {
  for (const evasiveDevices of [false, true]) {
    using job = new FilesJob({ evasiveDevices })
    using s = scratch()
    must('mknod', s.string(job.path('null')), 0o20640, makeDev(1, 3))
    linkSync(job.path('null'), job.path('other'))
    const fd = open(job.path('null'), O.RDWR)
    unlinkSync(job.path('null'))
    job.dump(fd)
    if (evasiveDevices) expect(job.entries.map(({ reg }) => reg!.name)).toEqual(['/dev/null'])
    else expect(job.obstacles[0]!.remedy).toContain('--evasive-devices')
    close(fd)
  }
})
