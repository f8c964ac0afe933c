import { describe, expect, test } from 'bun:test'
import { CriuError } from '../../../../src/errors/error.ts'
import { parseAuxv } from '../../../../src/kernel/proc/auxv.ts'
import {
  displayPath,
  pathBytes,
  pathToText,
  unescapeOctal,
} from '../../../../src/kernel/proc/bytes.ts'
import { parseCgroup } from '../../../../src/kernel/proc/cgroup.ts'
import {
  kernelMajor,
  majorOf,
  makeDev,
  makeKernelDev,
  minorOf,
} from '../../../../src/kernel/proc/device.ts'
import { fdInfoValues, parseFdInfo } from '../../../../src/kernel/proc/fdinfo.ts'
import { parseLimits, RLIM_INFINITY } from '../../../../src/kernel/proc/limits.ts'
import { parseLink } from '../../../../src/kernel/proc/links.ts'
import { parseLockLine } from '../../../../src/kernel/proc/locks.ts'
import { parseMaps, parseSmaps } from '../../../../src/kernel/proc/maps.ts'
import { parseMountLine } from '../../../../src/kernel/proc/mountinfo.ts'
import { parseStat } from '../../../../src/kernel/proc/stat.ts'
import { parseStatus } from '../../../../src/kernel/proc/status.ts'
import { parseCounters } from '../../../../src/kernel/proc/system.ts'
import { parseTimers } from '../../../../src/kernel/proc/timers.ts'

describe('stat', () => {
  const tail =
    'R 4583 4584 2170 34816 4585 4194304 102 0 0 0 1 2 3 4 20 0 1 0 66992 3133440 394 18446744073709551615 93960550080512 93960550100393 140731598802320 11 12 0 0 0 0 0 0 0 17 1 0 0 0 0 0 93960550116400 93960550118016 93961507229696 140731598805716 140731598805736 140731598805736 140731598807019 256\n'

  test('comm with spaces, parentheses and a newline', () => {
    for (const comm of ['cat', 'a b) R 1 (c', ')', '', 'new\nline']) {
      const stat = parseStat(`4588 (${comm}) ${tail}`)
      expect(stat.comm).toBe(comm)
      expect(stat.ppid).toBe(4583)
    }
  })

  test('fields are those of the man page', () => {
    expect(parseStat(`4588 (cat) ${tail}`)).toMatchObject({
      pid: 4588,
      state: 'R',
      pgrp: 4584,
      session: 2170,
      ttyNr: 34816,
      tpgid: 4585,
      starttime: 66992n,
      startCode: 93960550080512n,
      startStack: 140731598802320n,
      kstkeip: 12n,
      exitSignal: 17,
      processor: 1,
      startData: 93960550116400n,
      startBrk: 93961507229696n,
      argStart: 140731598805716n,
      envEnd: 140731598807019n,
      exitCode: 256,
    })
  })

  test('what is cut off is refused', () => {
    expect(() => parseStat('4588 (cat) R 1 2')).toThrow(CriuError)
  })
})

describe('status', () => {
  test('every field that a dump needs', () => {
    const status = parseStatus(
      'Name:\ta: b\\n \nUmask:\t0022\nState:\tt (tracing stop)\nTgid:\t10\nPid:\t11\nPPid:\t1\nTracerPid:\t7\nUid:\t0\t1\t2\t3\nGid:\t4\t5\t6\t4294967294\nGroups:\t5 1000 \nNStgid:\t10\t2\nNSpid:\t11\t3\nNSpgid:\t10\t2\nNSsid:\t9\t0\nKthread:\t0\nVmLck:\t     12 kB\nTHP_enabled:\t0\nThreads:\t2\nSigQ:\t1/96365\nSigPnd:\t0000000000000001\nShdPnd:\t0000000000000002\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001000\nSigCgt:\t0000000180000000\nCapInh:\t0000000000000000\nCapPrm:\t000001fffeffffff\nCapEff:\t0000000000000001\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000002\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\nCpus_allowed_list:\t0-1\n',
    )
    expect(status).toMatchObject({
      name: 'a: b\n ',
      state: 't',
      umask: 0o22,
      tgid: 10,
      pid: 11,
      tracerPid: 7,
      uid: { real: 0, effective: 1, saved: 2, fs: 3 },
      gid: { fs: 4294967294 },
      groups: [5, 1000],
      nsPid: [11, 3],
      innermost: { tgid: 2, pid: 3, pgid: 2, sid: 0 },
      kthread: false,
      threads: 2,
      sigQueue: { queued: 1, limit: 96365 },
      noNewPrivs: true,
      seccompMode: 2,
      seccompFilters: 3,
      thpEnabled: false,
      cpusAllowedList: '0-1',
    })
    expect(status.signals).toEqual({
      pending: 1n,
      sharedPending: 2n,
      blocked: 2n ** 64n - 1n,
      ignored: 0x1000n,
      caught: 0x180000000n,
    })
    expect(status.caps.permitted).toBe(0x1fffeffffffn)
    expect(status.memory.get('VmLck')).toBe(12288)
  })

  test('a zombie has few lines', () => {
    const status = parseStatus('Name:\tx\nState:\tZ (zombie)\nTgid:\t10\nPid:\t10\n')
    expect(status).toMatchObject({ state: 'Z', umask: undefined, groups: [], thpEnabled: true })
  })
})

describe('maps', () => {
  test('paths with spaces, a newline, bytes that are no UTF-8, and none', () => {
    const maps = parseMaps(
      '00400000-00401000 r-xp 00001000 fe:10 42                                  /tmp/a  b\\012c\xff (deleted)\n' +
        '7ffd0000-7ffd2000 rw-s 00000000 00:00 0 \n' +
        '7ffd2000-7ffd3000 ---p 00000000 00:00 0                          [anon:a b]\n' +
        'ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n',
    )
    expect(maps[0]).toMatchObject({
      start: 0x400000n,
      end: 0x401000n,
      read: true,
      write: false,
      exec: true,
      shared: false,
      offset: 0x1000n,
      major: 0xfe,
      minor: 0x10,
      dev: makeDev(0xfe, 0x10),
      inode: 42n,
      path: '/tmp/a  b\nc\xff (deleted)',
    })
    expect(maps.slice(1).map((map) => map.path)).toEqual(['', '[anon:a b]', '[vsyscall]'])
    expect(maps[1]!.shared).toBe(true)
    expect(maps[3]!.start as bigint).toBe(0xffffffffff600000n)
  })

  test('smaps: keys and flags', () => {
    const [first, second] = parseSmaps(
      'a0000000-a0200000 rw-p 00000000 00:0f 7  /anon_hugepage (deleted)\nSize:               2048 kB\nKernelPageSize:     2048 kB\nRss:                   8 kB\nShared_Hugetlb:       0 kB\nPrivate_Hugetlb:    2048 kB\nLocked:                4 kB\nTHPeligible:           0\nProtectionKey:         3\nVmFlags: rd wr mr mw me dc ht \n' +
        'b0000000-b0001000 rw-p 00000000 00:00 0 \nRss: 4 kB\nVmFlags: rd wr \n',
    )
    expect(first).toMatchObject({ start: 0xa0000000n, protectionKey: 3 })
    expect([...first!.vmFlags]).toEqual(['rd', 'wr', 'mr', 'mw', 'me', 'dc', 'ht'])
    expect(second).toMatchObject({ start: 0xb0000000n, protectionKey: 0 })
  })

  test('a line of another form is refused', () => {
    expect(() => parseMaps('nonsense\n')).toThrow(CriuError)
    expect(() => parseMaps('00400000-00401000 r-xp\n')).toThrow(CriuError)
  })

  test('20,000 mappings are parsed in well under a second', () => {
    const line =
      '7f0000000000-7f0000001000 rw-p 00000000 fe:00 123456                     /usr/lib/x.so\n'
    const before = performance.now()
    expect(parseMaps(line.repeat(20000)).length).toBe(20000)
    expect(performance.now() - before).toBeLessThan(500)
  })
})

test('limits are in the order of RLIMIT numbers', () => {
  const titles =
    'cpu time,file size,data size,stack size,core file size,resident set,processes,open files,locked memory,address space,file locks,pending signals,msgqueue size,nice priority,realtime priority,realtime timeout'.split(
      ',',
    )
  const lines = titles.map(
    (title, i) => `Max ${title.padEnd(22)}${String(i).padEnd(21)}unlimited            us        `,
  )
  const limits = parseLimits(
    `Limit   Soft Limit  Hard Limit  Units\n${lines.reverse().join('\n')}\n`,
  )
  expect(limits.map(({ soft }) => soft)).toEqual(titles.map((_, i) => BigInt(i)))
  expect(limits[0]!.hard).toBe(RLIM_INFINITY)
  expect(() => parseLimits('')).toThrow(CriuError)
})

describe('fdinfo', () => {
  test('head, locks and what the kind adds', () => {
    const info = parseFdInfo(
      'pos:\t9\nflags:\t02100002\nmnt_id:\t24\nino:\t18446744073709551615\nlock:\t1: FLOCK  ADVISORY  WRITE 359 00:13:11691 0 EOF\ntfd:        5 events: 19 data: 5\ntfd: 6\nno colon\n',
    )
    expect(info).toMatchObject({ pos: 9n, flags: 0o2100002, mntId: 24, ino: 2n ** 64n - 1n })
    expect(info.locks[0]).toMatchObject({
      kind: 'FLOCK',
      type: 'WRITE',
      minor: 0x13,
      end: undefined,
    })
    expect(fdInfoValues(info, 'tfd')).toEqual(['5 events: 19 data: 5', '6'])
    expect(info.rest.at(-1)).toEqual(['no colon', ''])
  })

  test('lines of locks', () => {
    expect(parseLockLine('2: -> POSIX  ADVISORY  READ  -1 fe:00:77 10 19')).toEqual({
      id: 2,
      blocked: true,
      kind: 'POSIX',
      mode: 'ADVISORY',
      type: 'READ',
      pid: -1,
      major: 0xfe,
      minor: 0,
      inode: 77n,
      start: 10n,
      end: 19n,
    })
    expect(parseLockLine('3: LEASE  ACTIVE    READ  5 fe:00:77 0 EOF').kind).toBe('LEASE')
    expect(() => parseLockLine('nonsense')).toThrow(CriuError)
  })
})

test('mountinfo: escapes, tags, removed root', () => {
  expect(
    parseMountLine(
      '36 35 98:300 /a//deleted /mnt\\0402\\134 rw,noatime shared:1 master:2 unbindable - fuse.x /dev/a\\011b rw,x=\\040',
    ),
  ).toMatchObject({
    id: 36,
    parentId: 35,
    major: 98,
    minor: 300,
    kernelDev: makeKernelDev(98, 300),
    root: '/a',
    rootDeleted: true,
    mountpoint: '/mnt 2\\',
    options: ['rw', 'noatime'],
    shared: 1,
    master: 2,
    propagateFrom: undefined,
    unbindable: true,
    fsType: 'fuse.x',
    source: '/dev/a\tb',
    superOptions: 'rw,x=\\040',
  })
  expect(parseMountLine('1 0 0:1 / / rw - tmpfs none rw').shared).toBeUndefined()
  expect(() => parseMountLine('36 35 98:0 / /')).toThrow(CriuError)
})

test('cgroup: both versions, a named hierarchy, a removed group, colons', () => {
  expect(parseCgroup('4:cpu,cpuacct:/a:b\n1:name=systemd:/x (deleted)\n0::/\n')).toEqual([
    { hierarchy: 4, controllers: ['cpu', 'cpuacct'], path: '/a:b', deleted: false },
    { hierarchy: 1, controllers: ['name=systemd'], path: '/x', deleted: true },
    { hierarchy: 0, controllers: [], path: '/', deleted: false },
  ])
})

test('timers', () => {
  const text =
    'ID: 0\nsignal: 14/0000000000000000\nnotify: signal/pid.12\nClockID: 0\nID: 7\nsignal: 34/00007fff86e452a8\nnotify: none/tid.13\nClockID: -6\n'
  expect(parseTimers(text)).toEqual([
    { id: 0, signo: 14, value: 0n, notify: 'signal', toThread: false, target: 12, clockId: 0 },
    {
      id: 7,
      signo: 34,
      value: 0x7fff86e452a8n,
      notify: 'none',
      toThread: true,
      target: 13,
      clockId: -6,
    },
  ])
  expect(parseTimers('')).toEqual([])
})

test('links are sorted by their text', () => {
  expect(parseLink('pipe:[12]')).toEqual({ kind: 'pipe', ino: 12n })
  expect(parseLink('socket:[12]')).toEqual({ kind: 'socket', ino: 12n })
  expect(parseLink('anon_inode:[eventpoll]')).toEqual({ kind: 'anon', name: 'eventpoll' })
  expect(parseLink('anon_inode:inotify')).toEqual({ kind: 'anon', name: 'inotify' })
  expect(parseLink('/memfd:a b (deleted)')).toEqual({ kind: 'memfd', name: 'a b' })
  expect(parseLink('pid_for_children:[4026531836]').kind).toBe('namespace')
  expect(parseLink('/a (deleted)')).toEqual({ kind: 'path', path: '/a', deleted: true })
  expect(parseLink('(unreachable)/a')).toEqual({ kind: 'unreachable', path: '/a', deleted: false })
  expect(parseLink('odd')).toEqual({ kind: 'other', text: 'odd' })
})

test('auxv of 64 and 32 bits', () => {
  expect(parseAuxv(new Uint8Array(new BigUint64Array([6n, 4096n, 0n, 0n, 9n, 9n]).buffer))).toEqual(
    [[6, 4096n]],
  )
  expect(parseAuxv(new Uint8Array(new Uint32Array([6, 4096, 0, 0]).buffer), 4)).toEqual([
    [6, 4096n],
  ])
})

test('byte strings keep what is no UTF-8', () => {
  expect(pathBytes('a\xff')).toEqual(Buffer.from([0x61, 0xff]))
  expect(pathToText('a\xff')).toBeUndefined()
  expect(pathToText('\xc3\xa4')).toBe('ä')
  expect(displayPath('\xc3\xa4')).toBe('ä')
  expect(unescapeOctal('a\\040b\\377\\x')).toBe('a b\xff\\x')
})

test('device numbers, both forms', () => {
  const dev = makeDev(0xfe, 0x12345)
  expect([majorOf(dev), minorOf(dev)]).toEqual([0xfe, 0x12345])
  expect(kernelMajor(makeKernelDev(0xfff, 3))).toBe(0xfff)
})

test('counters', () => {
  expect([
    ...parseCounters('nr_free_pages 5\nMemTotal:       24 kB\nHugePages_Total:       2\n'),
  ]).toEqual([
    ['nr_free_pages', 5n],
    ['MemTotal', 24576n],
    ['HugePages_Total', 2n],
  ])
})
