import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { featureNames, featuresNamed, wanted } from '../../../src/check/check.ts'
import type { Feature, Finding, Need } from '../../../src/check/feature.ts'
import { featureOf, features } from '../../../src/check/features.ts'
import { reportText, verdictOf } from '../../../src/check/report.ts'

const finding = (need: Need, missing?: string): Finding => {
  const feature: Feature = { name: 'x', need, what: 'the thing', cost: 'nothing works', probe() {} }
  return { feature, missing, remedy: 'buy one' }
}

test('nothing is missing: good', () => {
  expect(verdictOf([finding('required'), finding('extra')])).toBe('good')
})

test('something that all trees need: bad, whatever else is missing', () => {
  expect(verdictOf([finding('extra', 'no'), finding('required', 'no')])).toBe('bad')
})

test('something that some trees need: maybe', () => {
  expect(verdictOf([finding('required'), finding('extra', 'no')])).toBe('maybe')
  expect(verdictOf([finding('experimental', 'no')])).toBe('maybe')
})

test('each missing thing: what it is, why it is missing, what that costs, what to do', () => {
  expect(reportText([finding('extra', 'ENOSYS'), finding('extra')])).toBe(
    'x: the thing\n  is missing:  ENOSYS\n  without it:  nothing works\n  what to do:  buy one\n',
  )
})

test('categories: the first always, the others where they are asked for', () => {
  const needs = (extra: boolean, experimental: boolean) =>
    [...new Set(wanted({ extra, experimental }).map(({ need }) => need))].sort()
  expect(needs(false, false)).toEqual(['required'])
  expect(needs(true, false)).toEqual(['extra', 'required'])
  expect(needs(false, true)).toEqual(['experimental', 'required'])
  expect(needs(true, true)).toEqual(['experimental', 'extra', 'required'])
})

/** As `criu check --feature list` of 4.2 has them. */
const UPSTREAM =
  'mnt_id mem_dirty_track aio_remap timerfd tun userns fdinfo_lock seccomp_suspend seccomp_filters loginuid cgroupns autofs tcp_half_closed compat_cr uffd uffd-noncoop can_map_vdso sk_ns sk_unix_file net_diag_raw nsid link_nsid kcmp_epoll timens external_net_ns clone3_set_tid newifindex nftables has_ipt_legacy pidfd_store network_lock_nftables sockopt_buf_lock memfd_hugetlb move_mount_set_group openat2 get_rseq_conf ipv6_freebind pagemap_scan timer_cr_ids overlayfs_maps breakpoints'.split(
    ' ',
  )

test('all names of upstream are known', () => {
  expect(UPSTREAM.filter((name) => featureOf(name) === undefined)).toEqual([])
})

test('names are there once', () => {
  expect(new Set(featureNames()).size).toBe(features.length)
})

test('a name that nobody knows is refused', () => {
  expect(() => featuresNamed(['uffd', 'ufd'])).toThrow('option')
})

test('docs/check.md has a row for each', () => {
  const text = readFileSync(new URL('../../../docs/check.md', import.meta.url), 'utf8')
  const rows = features.map(({ name, what, cost }) => `| \`${name}\` | ${what} | ${cost} |`)
  expect(rows.filter((row) => !text.includes(row))).toEqual([])
})
