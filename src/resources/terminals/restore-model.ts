import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { fileId } from '../../kernel/types.ts'
import type { RestoreContext } from '../restore-model.ts'
import { MASTER_RDEV, TTY_TYPE } from './device.ts'
import { ownNumber } from './own-fields.ts'

type InfoEntry = Messages['tty_info_entry']
type FileEntry = Messages['file_entry']
type TtyEntry = Messages['tty_file_entry']
type RegEntry = Messages['reg_file_entry']

/** A pseudoterminal of the images, with all that is to be open of it. */
export interface PairModel {
  readonly index: number
  readonly master: InfoEntry | undefined
  readonly slave: InfoEntry | undefined
  readonly current: InfoEntry | undefined
  /** Of any side. */
  readonly files: readonly TtyEntry[]
  /** The images have no master: the client of the RPC gets it (orphan_pts_master). */
  readonly isOrphan?: boolean
}

/** The terminals of the images: which entries make up one pseudoterminal. */
export class TerminalModel {
  readonly #infos: ReadonlyMap<number, InfoEntry>
  readonly #pairs = new Map<InfoEntry, PairModel>()
  readonly #restore: RestoreContext

  constructor(restore: RestoreContext) {
    this.#restore = restore
    const infos = restore.model.terminals
    this.#infos = new Map(infos.map((info) => [info.id, info]))
    const files = [...restore.model.files.values()].flatMap(({ tty }) => (tty ? [tty] : []))
    const groups = Map.groupBy(infos.filter(isOfPair), (info) => keyOf(info, infos))
    for (const members of groups.values()) {
      const pair = this.#orphaned(pairOf(members, files))
      // Without a master, only hung up ones are pseudoterminals of the tree's own.
      const isOwn = pair.master !== undefined || members.every(({ termios }) => !termios)
      for (const info of members) if (isOwn) this.#pairs.set(info, pair)
    }
  }

  /**
   * One of which the tree has the slave alone, where the client takes the master: it is made as if that
   * were of the images. The terminal of a session that stays outside (`--shell-job`) is none.
   */
  #orphaned(pair: PairModel): PairModel {
    const { client, model } = this.#restore
    const { master, slave } = pair
    if (!client?.takesMasters || master || !slave?.termios) return pair
    const isHere = slave.sid === 0 || model.tasks.some(({ nsPid }) => Number(nsPid) === slave.sid)
    if (!isHere) return pair
    const made = { ...slave, id: NOBODYS, rdev: MASTER_RDEV, packet_mode: false, exclusive: false }
    return { ...pair, master: { ...made, locked: false }, isOrphan: true }
  }

  info({ tty_info_id: id }: TtyEntry): InfoEntry {
    const info = this.#infos.get(id)
    if (info) return info
    const file = this.#restore.images.pathOf('tty-info')
    return fail({ code: 'image', file, reason: `no terminal ${id}` })
  }

  /** The pseudoterminal that is made anew; undefined for what comes from outside. */
  pairOf(info: InfoEntry): PairModel | undefined {
    return this.#pairs.get(info)
  }

  pairs(): PairModel[] {
    return [...new Set(this.#pairs.values())]
  }

  /** All entries of tty-info. */
  infos(): InfoEntry[] {
    return [...this.#infos.values()]
  }

  /** The name that it was opened by. */
  regOf({ id, regf_id }: TtyEntry): RegEntry | undefined {
    const { files } = this.#restore.model
    return regf_id === undefined
      ? undefined
      : (files.get(fileId(regf_id))?.reg ?? missing(id, regf_id))
  }

  /** Any entry that has it open. */
  anyFile(info: InfoEntry): FileEntry | undefined {
    return [...this.#restore.model.files.values()].find(({ tty }) => tty?.tty_info_id === info.id)
  }
}

/** No id of an entry: they are unsigned. */
const NOBODYS = -1

function missing(id: number, reg: number): never {
  return fail({ code: 'image', file: 'files.img', reason: `terminal ${id} has no file ${reg}` })
}

const isOfPair = ({ type }: InfoEntry): boolean => type === TTY_TYPE.PTY || type === TTY_TYPE.CTTY

/** Images of ours number the pairs. Upstream's have one instance of devpts, and /dev/tty by session. */
function keyOf(info: InfoEntry, infos: readonly InfoEntry[]): string {
  const number = ownNumber(info, 'pair')
  if (number !== undefined) return `pair ${number}`
  if (info.type === TTY_TYPE.PTY) return `index ${info.pty?.index ?? 0}`
  const same = infos.find(({ type, sid }) => type === TTY_TYPE.PTY && sid !== 0 && sid === info.sid)
  return same ? keyOf(same, infos) : `terminal ${info.id}`
}

function pairOf(members: readonly InfoEntry[], files: readonly TtyEntry[]): PairModel {
  const isMaster = ({ rdev }: InfoEntry) => rdev === MASTER_RDEV
  const ptys = members.filter(({ type }) => type === TTY_TYPE.PTY)
  const ids = new Set(members.map(({ id }) => id))
  return {
    index: ptys[0]?.pty?.index ?? 0,
    master: ptys.find(isMaster),
    slave: ptys.find((info) => !isMaster(info)),
    current: members.find(({ type }) => type === TTY_TYPE.CTTY),
    files: files.filter(({ tty_info_id }) => ids.has(tty_info_id)),
  }
}

const models = new WeakMap<RestoreContext, TerminalModel>()

export function terminalModel(restore: RestoreContext): TerminalModel {
  const model = models.get(restore) ?? new TerminalModel(restore)
  models.set(restore, model)
  return model
}
