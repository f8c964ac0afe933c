import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { close } from '../../kernel/sys.ts'
import { fileId, type LocalFd, type NsPid, nsPid } from '../../kernel/types.ts'
import { parentOf } from '../files/lookup.ts'
import { setFlags } from '../files/pipe-restore.ts'
import type { RestoreContext } from '../restore-model.ts'
import { openMasters, type Wanted } from './open-master.ts'
import { restorePair } from './pair-restore.ts'
import { type PairModel, type TerminalModel, terminalModel } from './restore-model.ts'

type TtyEntry = Messages['tty_file_entry']
type InfoEntry = Messages['tty_info_entry']

/**
 * All pseudoterminals of a restore, opened together at the first call: their numbers are given by
 * the kernel in turn, and each is filled before anybody can have it.
 */
class TerminalSet {
  readonly #model: TerminalModel
  readonly #opened = new Map<number, LocalFd>()
  /** Masters that are the client's. */
  readonly #orphans: LocalFd[] = []
  /** A slave for each session whose controlling terminal it will be. */
  readonly #ofSessions = new Map<PairModel, LocalFd>()

  constructor(restore: RestoreContext) {
    this.#model = terminalModel(restore)
    const pairs = this.#model.pairs()
    const masters = openMasters(pairs.map((pair) => this.#wanted(pair)))
    const put = ({ id }: TtyEntry, fd: LocalFd): void => {
      this.#opened.set(id, fd)
    }
    pairs.forEach((pair, i) => {
      const keep = (pair.master?.sid ?? 0) !== 0
      const master = masters[i]!
      const slave = restorePair({ pair, master, restore }, put, keep)
      if (slave !== undefined) this.#ofSessions.set(pair, slave)
      if (pair.isOrphan) this.#orphans.push(master)
    })
    restore.atEnd(() => {
      const rest = [...this.#opened.values(), ...this.#ofSessions.values(), ...this.#orphans]
      for (const fd of rest) close(fd)
    })
  }

  /** The descriptor of an entry, which is the caller's from now on. */
  take({ id }: TtyEntry): LocalFd {
    const fd = this.#opened.get(id)
    if (fd === undefined) return fail({ code: 'internal', reason: `terminal ${id} is not open` })
    this.#opened.delete(id)
    return fd
  }

  /** The slave that was kept for a session, which is the caller's from now on. */
  takeForSession(info: InfoEntry): LocalFd | undefined {
    const pair = this.#model.pairOf(info)
    const fd = pair && this.#ofSessions.get(pair)
    if (pair) this.#ofSessions.delete(pair)
    return fd
  }

  /** Gives the client what is its own; once. */
  handOver({ scripts }: RestoreContext): void {
    for (const master of this.#orphans.splice(0)) {
      setFlags(master, 0)
      scripts.run('orphan-pts-master', undefined, master)
      close(master)
    }
  }

  /** By the file that the master was opened by, or the ptmx beside the slave. */
  #wanted({ index, master, files }: PairModel): Wanted {
    const entry = master && files.find(({ tty_info_id }) => tty_info_id === master.id)
    const path = entry && this.#model.regOf(entry)?.name
    const access = (entry?.flags ?? O.RDWR) & O.ACCMODE
    return { path: path ?? this.#pathBeside(files), index, access }
  }

  #pathBeside(files: readonly TtyEntry[]): string {
    const name = files.map((entry) => this.#model.regOf(entry)?.name ?? '')
    const slave = name.find((path) => path.includes('/pts/'))
    return slave === undefined ? '/dev/ptmx' : `${parentOf(slave)}/ptmx`
  }
}

const sets = new WeakMap<RestoreContext, TerminalSet>()

export function terminalSet(restore: RestoreContext): TerminalSet {
  const set = sets.get(restore) ?? new TerminalSet(restore)
  sets.set(restore, set)
  return set
}

const sessionFds = new WeakMap<RestoreContext, Map<NsPid, LocalFd>>()

/**
 * Descriptors by which sessions take and set their terminals: the tasks inherit them at their creation
 * (`adopt`) and lose them before they run. Pid 0 is the session that the tree is born in.
 */
export function openForSessions(restore: RestoreContext, adopt: (fd: LocalFd) => LocalFd): void {
  const found = new Map<NsPid, LocalFd>()
  sessionFds.set(restore, found)
  const model = terminalModel(restore)
  const leaders = new Set(restore.model.tasks.map((task) => task.nsPid as number))
  for (const info of model.infos()) {
    if (info.sid === 0 || !info.termios) continue
    const session = nsPid(leaders.has(info.sid) ? info.sid : 0)
    if (found.has(session)) continue
    const fd = model.pairOf(info) && terminalSet(restore).takeForSession(info)
    const entry = model.anyFile(info)
    if (fd !== undefined) found.set(session, adopt(fd))
    else if (entry) found.set(session, restore.files.description(fileId(entry.id)))
  }
}

export function fdForSession(session: NsPid, restore: RestoreContext): LocalFd {
  const fd = sessionFds.get(restore)?.get(session)
  return fd ?? fail({ code: 'internal', reason: `no terminal was opened for session ${session}` })
}
