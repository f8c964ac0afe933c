import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import {
  CAP,
  capNames,
  hasCap,
  LINUX_CAPABILITY_VERSION_3,
} from '../../kernel/constants/capability.ts'
import { PR, PR_CAP_AMBIENT, SECBIT } from '../../kernel/constants/prctl.ts'
import { capData, capHeader, encodeAll } from '../../kernel/layout/index.ts'
import { type CapSets, readStatus } from '../../kernel/proc/status.ts'
import type { Table } from '../../kernel/table.ts'
import type { TaskAspect } from '../contract.ts'
import type { DumpThread } from '../dump-model.ts'
import type { RestoreTask, RestoreThread } from '../restore-model.ts'
import { placeDumpable } from './dumpable.ts'

type Creds = Messages['creds_entry']

/**
 * Ids, groups, capabilities, securebits and no_new_privs of each thread, and what a change of them
 * resets: dumpable and the parent-death signal. Behind all other aspects that need privileges.
 */
export const credentials: TaskAspect = {
  name: 'credentials',

  collect(task) {
    for (const thread of task.threads) thread.core.creds = fromStatus(thread)
  },

  askProcess(task, table) {
    const dumpable = table.call('prctl', PR.GET_DUMPABLE)
    const subreaper = table.space(4)
    table.call('prctl', PR.GET_CHILD_SUBREAPER, subreaper)
    return () => {
      task.mm.dumpable = dumpable.number
      task.core.child_subreaper = subreaper.view.getInt32(0, true) !== 0
    }
  },

  askThread(_task, thread, table) {
    const secbits = table.call('prctl', PR.GET_SECUREBITS)
    const signal = table.space(4)
    table.call('prctl', PR.GET_PDEATHSIG, signal)
    return () => {
      thread.core.creds!.secbits = secbits.number
      const pdeath = signal.view.getInt32(0, true)
      if (pdeath !== 0) thread.core.pdeath_sig = pdeath
    }
  },

  placeProcess(task, table, restore) {
    // Early: orphans of the tree find their way to a subreaper that stands between.
    if (task.core.tc?.child_subreaper) table.call('prctl', PR.SET_CHILD_SUBREAPER, 1)
    checkCapabilities(task, restore.client?.capabilities)
  },

  finishThread(task, thread, table) {
    const core = thread.core.thread_core
    if (core?.creds) {
      if (core.creds.no_new_privs) table.call('prctl', PR.SET_NO_NEW_PRIVS, 1)
      const ours = readStatus('/proc/self').caps
      if (mayBecomeOthers(ours)) placeCreds(core.creds, ours, task, table)
      else placeAsWeAre(core.creds, task, table)
    } else placeDumpable(task.mm?.dumpable, table)
    if (core?.pdeath_sig) table.call('prctl', PR.SET_PDEATHSIG, core.pdeath_sig)
  },
}

/** All but the securebits, which a thread tells of itself alone. */
function fromStatus({ status }: DumpThread): Creds {
  const { uid, gid, caps } = status
  return {
    uid: uid.real,
    gid: gid.real,
    euid: uid.effective,
    egid: gid.effective,
    suid: uid.saved,
    sgid: gid.saved,
    fsuid: uid.fs,
    fsgid: gid.fs,
    cap_inh: words(caps.inheritable),
    cap_prm: words(caps.permitted),
    cap_eff: words(caps.effective),
    cap_bnd: words(caps.bounding),
    secbits: 0,
    groups: [...status.groups],
    // Upstream leaves both out where there is nothing to say.
    cap_amb: caps.ambient === 0n ? [] : words(caps.ambient),
    ...(status.noNewPrivs ? { no_new_privs: 1 } : {}),
  }
}

const words = (set: bigint): number[] => [
  Number(BigInt.asUintN(32, set)),
  Number(BigInt.asUintN(32, set >> 32n)),
]
const setOf = ([low = 0, high = 0]: readonly number[]): bigint =>
  BigInt(low) | (BigInt(high) << 32n)

function capSets(creds: Creds): CapSets {
  return {
    inheritable: setOf(creds.cap_inh),
    permitted: setOf(creds.cap_prm),
    effective: setOf(creds.cap_eff),
    bounding: setOf(creds.cap_bnd),
    ambient: setOf(creds.cap_amb),
  }
}

/**
 * A capability that we lack cannot be given: said before the table stops at a bare EPERM. Nor is one
 * that we have and the client of the RPC, `allowed`, has not.
 */
function checkCapabilities(task: RestoreTask, allowed: bigint | undefined): void {
  const ours = readStatus('/proc/self').caps
  for (const thread of task.threads) {
    const creds = thread.core.thread_core?.creds
    if (!creds) {
      if (allowed !== undefined) refuseNameless(thread)
      continue
    }
    const sets = capSets(creds)
    lacking(thread, 'permitted', sets.permitted & ~ours.permitted)
    lacking(thread, 'bounding', sets.bounding & ~ours.bounding)
    lacking(thread, 'inheritable', sets.inheritable & ~(ours.inheritable | ours.bounding))
    if (allowed === undefined) continue
    lacking(thread, 'permitted', sets.permitted & ~allowed, 'its client lacks')
    lacking(thread, 'inheritable', sets.inheritable & ~allowed, 'its client lacks')
  }
}

/** It would keep what we have for the restore. */
const refuseNameless = ({ nsTid }: RestoreThread): never =>
  fail({ code: 'image', file: `core-${nsTid}.img`, reason: 'it has no credentials' })

function lacking(thread: RestoreThread, set: string, caps: bigint, who = 'we lack'): void {
  if (caps === 0n) return
  fail({
    code: 'conflict',
    pid: thread.nsTid,
    reason: `its ${set} set has ${capNames(caps).join(', ')}, which ${who}`,
    remedy: 'run the restore with these capabilities',
  })
}

/**
 * Order: ids change while NO_SETUID_FIXUP keeps all capabilities; the inheritable set grows before
 * the bounding set shrinks (it may hold what is bounded since); ambient needs permitted and
 * inheritable, and must not be forbidden by the securebits yet; those need CAP_SETPCAP; the sets come
 * last. man 7 capabilities, security/commoncap.c.
 */
function placeCreds(creds: Creds, ours: CapSets, task: RestoreTask, table: Table): void {
  const sets = capSets(creds)
  table.call('prctl', PR.SET_SECUREBITS, SECBIT.NO_SETUID_FIXUP)
  placeIds(creds, table)
  const all = { effective: ours.permitted, permitted: ours.permitted }
  placeCaps(table, { ...all, inheritable: sets.inheritable })
  for (const cap of members(ours.bounding & ~sets.bounding))
    table.call('prctl', PR.CAPBSET_DROP, cap)
  // From here on the inheritable set alone holds what is bounded: it stays, being not added anew.
  table.call('prctl', PR.CAP_AMBIENT, PR_CAP_AMBIENT.CLEAR_ALL)
  for (const cap of members(sets.ambient))
    table.call('prctl', PR.CAP_AMBIENT, PR_CAP_AMBIENT.RAISE, cap)
  // Before the sets: what changes ids of the file system needs CAP_SETUID.
  placeDumpable(task.mm?.dumpable, table, creds.fsuid)
  table.call('prctl', PR.SET_SECUREBITS, creds.secbits)
  placeCaps(table, sets)
}

const mayBecomeOthers = ({ effective }: CapSets): boolean =>
  [CAP.SETUID, CAP.SETGID, CAP.SETPCAP].every((cap) => hasCap(effective, cap))

/** Without these capabilities a task can only be given ids that are ours, and capabilities be taken. */
function placeAsWeAre(creds: Creds, task: RestoreTask, table: Table): void {
  refuseOthers(creds, task)
  const sets = capSets(creds)
  table.call('prctl', PR.CAP_AMBIENT, PR_CAP_AMBIENT.CLEAR_ALL)
  for (const cap of members(sets.ambient))
    table.call('prctl', PR.CAP_AMBIENT, PR_CAP_AMBIENT.RAISE, cap)
  placeDumpable(task.mm?.dumpable, table)
  placeCaps(table, sets)
}

function refuseOthers(creds: Creds, { nsPid }: RestoreTask): void {
  const { uid, gid, groups, caps } = readStatus('/proc/self')
  const text = (one: Creds, bounding: bigint): string =>
    [
      ...idFields.map((field) => one[field]),
      ...[...one.groups].sort(),
      bounding,
      one.secbits,
    ].join()
  const us = {
    ...creds,
    ...{ uid: uid.real, euid: uid.effective, suid: uid.saved, fsuid: uid.fs },
    ...{ gid: gid.real, egid: gid.effective, sgid: gid.saved, fsgid: gid.fs },
    groups: [...groups],
    secbits: 0,
  }
  if (text(creds, capSets(creds).bounding) === text(us, caps.bounding)) return
  fail({
    code: 'conflict',
    pid: nsPid,
    reason: `it ran as user ${creds.euid}, group ${creds.egid}, with other ids, groups or limits of capabilities than ours, which we may not change`,
    remedy: 'run the restore as root',
  })
}

const idFields = ['uid', 'euid', 'suid', 'fsuid', 'gid', 'egid', 'sgid', 'fsgid'] as const

function placeIds(creds: Creds, table: Table): void {
  const groups = table.data(new Uint8Array(Uint32Array.from(creds.groups).buffer))
  table.call('setgroups', creds.groups.length, groups)
  table.call('setresgid', creds.gid, creds.egid, creds.sgid)
  table.call('setfsgid', creds.fsgid)
  table.call('setresuid', creds.uid, creds.euid, creds.suid)
  table.call('setfsuid', creds.fsuid)
}

type ThreeSets = Pick<CapSets, 'effective' | 'permitted' | 'inheritable'>

function placeCaps(table: Table, sets: ThreeSets): void {
  const header = table.data(capHeader.encode({ version: LINUX_CAPABILITY_VERSION_3, pid: 0 }))
  const data = [0, 1].map((i) => ({
    effective: words(sets.effective)[i]!,
    permitted: words(sets.permitted)[i]!,
    inheritable: words(sets.inheritable)[i]!,
  }))
  table.call('capset', header, table.data(encodeAll(capData, data)))
}

const members = (set: bigint): number[] =>
  Array.from({ length: 64 }, (_, cap) => cap).filter((cap) => hasCap(set, cap))
