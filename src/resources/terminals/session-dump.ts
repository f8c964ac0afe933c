import { TIOC } from '../../kernel/constants/ioctl.ts'
import type { DumpContext, DumpTask } from '../dump-model.ts'
import { tryAsk } from './ends.ts'

/** Whose controlling terminal it is, in the numbers of images: pids as the tasks count them. */
export interface SessionFacts {
  readonly sid: number
  /** The group in the foreground, which may be gone; 0 for none. */
  readonly pgrp: number
  /** Members that do not have the terminal: they left it, or were there before their leader took it. */
  readonly without: readonly number[]
}

export const noSession: SessionFacts = { sid: 0, pgrp: 0, without: [] }

export const leads = ({ pid, stat }: DumpTask): boolean => stat.session === pid

/** The session of a pseudoterminal; its master may ask, whoever's terminal it is. 0: of none. */
export const sessionOf = (master: number): number => tryAsk(master, TIOC.GSID) ?? 0

export function factsOfPair(master: number, dump: DumpContext): SessionFacts {
  const leader = leaderOf(sessionOf(master), dump)
  return leader ? factsOf(leader, tryAsk(master, TIOC.GPGRP) ?? 0, dump) : noSession
}

/** Of any terminal, by its device number: the leader in the tree whose controlling terminal it is. */
export function factsOfDevice(rdev: bigint, dump: DumpContext): SessionFacts {
  const leader = dump.tasks.find((task) => leads(task) && BigInt(task.stat.ttyNr) === rdev)
  return leader ? factsOf(leader, Math.max(leader.stat.tpgid, 0), dump) : noSession
}

export const leaderOf = (session: number, dump: DumpContext): DumpTask | undefined =>
  session === 0 ? undefined : dump.tasks.find(({ pid }) => pid === session)

function factsOf(leader: DumpTask, group: number, dump: DumpContext): SessionFacts {
  const members = dump.tasks.filter(({ stat }) => stat.session === leader.pid)
  return {
    sid: leader.nsPid,
    pgrp: groupIn(leader, group, dump),
    without: members.filter(({ stat }) => stat.ttyNr === 0).map(({ nsPid }) => nsPid),
  }
}

/** A group as its members count it. One without members has a number of ours alone. */
export function groupIn(leader: DumpTask, group: number, dump: DumpContext): number {
  const member = dump.tasks.find(({ stat }) => stat.pgrp === group)
  if (member) return member.status.innermost.pgid
  const isOurs = Number(leader.pid) === Number(leader.nsPid)
  return isOurs ? group : 0
}
