import { expect, test } from 'bun:test'
import { O } from '../../../../src/kernel/constants/fcntl.ts'
import { close, must, open } from '../../../../src/kernel/sys.ts'
import { ownFieldsOf, withOwnFields } from '../../../../src/resources/files/pipe-fields.ts'
import { describeUnsupported } from '../../../../src/resources/files/unsupported-entry.ts'
import { FilesJob } from './job.ts'

test('a file of a process outside of the tree', async () => {
  using job = new FilesJob()
  const child = Bun.spawn(['sleep', '100'])
  const fd = open(`/proc/${child.pid}/stat`, O.RDONLY)
  job.dump(fd)
  expect(job.obstacles.map(({ what }) => what)).toEqual([
    `file /proc/${child.pid}/stat of process ${child.pid}, outside of the tree`,
  ])
  close(fd)
  child.kill()
  await child.exited
})

test('an owner outside of the tree', () => {
  using job = new FilesJob()
  const fd = open('/dev/null', O.RDONLY)
  must('fcntl', fd, 8, 1)
  job.dump(fd)
  expect(job.obstacles.map(({ what }) => what)).toEqual([
    'file whose signals go to process 1, outside of the tree',
  ])
  close(fd)
})

test('entries that no kind restores are named', () => {
  const common = { id: 1 } as const
  expect(describeUnsupported({ ...common, type: 6 })).toBe('anon_inode eventfd')
  expect(describeUnsupported({ ...common, type: 99 as never })).toBe('file of type 99')
  const usk = { type: 1, name: Buffer.from('\0abstract') }
  expect(describeUnsupported({ ...common, type: 5, usk: usk as never })).toBe(
    'socket (AF_UNIX, SOCK_STREAM, @abstract)',
  )
})

test('lengths of packets pass through a field that upstream skips', () => {
  const entry = { pipe_id: 5, bytes: 4103, size: 65536 }
  expect(ownFieldsOf(entry).packets).toBeUndefined()
  expect(ownFieldsOf(withOwnFields(entry, { packets: [3, 4, 4096] })).packets).toEqual([3, 4, 4096])
  expect(
    ownFieldsOf({ ...withOwnFields(entry, { packets: [3, 4] }), bytes: 4103 }).packets,
  ).toBeUndefined()
})
