import type { Messages } from '../../images/gen/messages.ts'
import { type NsPid, nsPid } from '../../kernel/types.ts'
import type { RestoreTask } from '../restore-model.ts'
import { TTY_TYPE } from './device.ts'
import { ownList } from './own-fields.ts'

type InfoEntry = Messages['tty_info_entry']

/** The controlling terminal of a session: what the making of the tree must see to. */
export interface SessionTerminal {
  /** 0: the session that the tree is born in, whose terminal is there already. */
  readonly session: NsPid
  /** In the foreground; undefined: not for us to say. */
  readonly group: NsPid | undefined
  /** Members that are to leave the terminal again. */
  readonly without: readonly NsPid[]
}

/** From the entries of tty-info; each session has one terminal, whoever tells of it. */
export function sessionTerminals(
  infos: readonly InfoEntry[],
  tasks: readonly RestoreTask[],
): SessionTerminal[] {
  const found = new Map<NsPid, SessionTerminal>()
  const leaders = new Set(
    tasks
      .filter((task) => task.sid === task.nsPid && task.state !== 'zombie')
      .map(({ sid }) => sid),
  )
  const groups = new Set(tasks.map(({ pgid }) => pgid))
  for (const info of infos) {
    if (info.sid === 0 || !info.termios || info.type === TTY_TYPE.CTTY) continue
    const isOurs = leaders.has(nsPid(info.sid))
    const session = nsPid(isOurs ? info.sid : 0)
    const named = nsPid(info.pgrp)
    const group = info.pgrp !== 0 && (isOurs || groups.has(named)) ? named : undefined
    const without = ownList(info, 'without').map(nsPid)
    const before = found.get(session)
    if (!before || without.length > 0) found.set(session, { session, group, without })
  }
  return [...found.values()]
}
