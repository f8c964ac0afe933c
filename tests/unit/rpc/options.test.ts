import { expect, test } from 'bun:test'
import type { Init } from '../../../src/images/codec.ts'
import { make } from '../../../src/images/codec.ts'
import type { Messages } from '../../../src/images/gen/messages.ts'
import { schemaOf } from '../../../src/images/schema.ts'
import { table } from '../../../src/options/table.ts'
import { Directories } from '../../../src/rpc/directory.ts'
import { type Asker, askedBy, placesOf } from '../../../src/rpc/options.ts'

const peer = { pid: process.pid, uid: 0, gid: 0 }
const asker: Asker = {
  peer,
  directories: new Directories(peer),
  isServed: false,
  isLimited: false,
}

function asked(
  command: 'dump' | 'restore',
  opts: Partial<Init<Messages['criu_opts']>>,
  who: Partial<Asker> = {},
) {
  const message = make('criu_opts', { images_dir_fd: -1, ...opts })
  return askedBy(command, message, { ...asker, ...who }, [])
}

const options = (command: 'dump' | 'restore', opts: Parameters<typeof asked>[1]) =>
  asked(command, opts).raw.map(({ name, value }) => [name, value])

const fields = schemaOf('criu_opts').fields

test('every field of criu_opts means something', () => {
  const samples = { bool: true, string: 'text', int32: 1, uint32: 1 } as const
  for (const { name, rule, type } of fields) {
    const one = type.kind === 'scalar' ? samples[type.scalar as keyof typeof samples] : 1
    const parts = { if_in: 'a', if_out: 'b', key: 'a', val: 'b', fd: 3, path: 'p', inode: 1 }
    const value = type.kind === 'message' ? { ...parts, ns: 'net', ns_file: '1' } : one
    const sample = name === 'empty_ns' ? 0x40000000 : value
    const opts = { [name]: rule === 'repeated' ? [sample] : sample }
    expect(() => asked('dump', opts)).not.toThrow()
  }
})

test('what the option table names for RPC is a field of criu_opts', () => {
  const known = fields.map(({ name }) => name)
  const named = table.flatMap(({ rpc }) => rpc ?? [])
  expect(named.filter((name) => !known.includes(name))).toEqual([])
})

test('options by the names of the table; each of a list is one', () => {
  expect(options('dump', { pid: 7, leave_running: true, tcp_established: false })).toEqual([
    ['tree', 7],
    ['leave-running', true],
    ['tcp-established', false],
  ])
  expect(options('restore', { irmap_scan_paths: ['/a', '/b'] })).toEqual([
    ['irmap-scan-path', '/a'],
    ['irmap-scan-path', '/b'],
  ])
})

test('without a pid a dump is of the client itself; a restore needs none', () => {
  expect(options('dump', {})).toEqual([['tree', process.pid]])
  expect(options('restore', {})).toEqual([])
})

test('fields that stand otherwise than on a command line', () => {
  const found = Object.fromEntries(
    options('restore', {
      inherit_fd: [{ key: 'pipe:[1]', fd: 5 }],
      unix_sk_ino: [{ inode: 9 }],
      exec_cmd: ['a', 'b'],
      network_lock: 2,
      cpu_cap: 0xffff_ffff,
      join_ns: [{ ns: 'net', ns_file: '4', extra_opt: 'x' }],
      log_level: 4,
    }),
  )
  expect(found).toEqual({
    'inherit-fd': 'fd[5]:pipe:[1]',
    external: 'unix[9]',
    'exec-cmd': ['a', 'b'],
    'network-lock': 'nftables',
    'cpu-cap': '4294967295',
    'join-ns': 'net:4,x',
    verbosity: 4,
  })
})

test('what asks for nothing: unset, empty, off where a command does not know it', () => {
  expect(options('restore', { freeze_cgroup: '', external: [], log_level: -1 })).toEqual([])
  expect(options('restore', { track_mem: false, ext_unix_sk: false, ps: undefined })).toEqual([])
})

test('what only treats namespaces and cgroups changes nothing; other namespaces are refused', () => {
  expect(
    options('restore', {
      manage_cgroups: true,
      manage_cgroups_mode: 3,
      cg_root: [{ path: '/x' }],
      ext_mnt: [{ key: 'a', val: 'b' }],
      external: ['mnt[/a]:b'],
      empty_ns: 0x40000000,
    }),
  ).toEqual([])
  expect(() => asked('restore', { empty_ns: 0x20000 })).toThrow()
})

test('masters are for those who are told of them', () => {
  expect(asked('dump', { orphan_pts_master: true }).takesMasters).toBe(true)
  expect(asked('restore', { orphan_pts_master: true }).takesMasters).toBe(false)
  const both = { orphan_pts_master: true, notify_scripts: true }
  expect(asked('restore', both)).toMatchObject({ takesMasters: true, notify: true })
})

test('a client of the service lends it nothing of its process, a limited one no program', () => {
  const served = { isServed: true }
  for (const opts of [{ rst_sibling: true }, { exec_cmd: ['a'] }, { status_fd: 1 }])
    expect(() => asked('restore', opts, served)).toThrow()
  expect(asked('restore', { config_file: '/x' }, served).configFile).toBe('/x')
  expect(() => asked('restore', { config_file: '/x' }, { ...served, isLimited: true })).toThrow()
})

test('directories by descriptor or path, and a log in any case but one', () => {
  const places = (opts: Partial<Init<Messages['criu_opts']>>) =>
    placesOf(make('criu_opts', { images_dir_fd: -1, ...opts }), asker).map(({ name, value }) => [
      name,
      String(value).replace(/\d+/g, 'N'),
    ])
  const held = ['images-dir', '/proc/N/fd/N']
  expect(places({ images_dir: '/tmp' })).toEqual([held, ['log-file', 'criu.log']])
  expect(places({ images_dir: '/tmp', log_to_stderr: true })).toEqual([held])
  expect(places({ images_dir: '/tmp', log_file: 'a.log' })).toEqual([held, ['log-file', 'a.log']])
  expect(() => places({})).toThrow()
  expect(() => places({ images_dir: '/tmp', log_file: 'a/b' })).toThrow()
  expect(() => places({ images_dir_fd: 98765 })).toThrow()
  asker.directories[Symbol.dispose]()
})
