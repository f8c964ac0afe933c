import { TIOC } from '../../kernel/constants/ioctl.ts'
import { FS_MAGIC } from '../../kernel/constants/magic.ts'
import { fdInfoValue } from '../../kernel/proc/fdinfo.ts'
import type { FileId } from '../../kernel/types.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { fileSystemOf } from '../files/file-system.ts'
import { linkPath, parentOf, pathFromHere, tryLstat } from '../files/lookup.ts'
import { type DeviceKind, slaveIndex } from './device.ts'
import { isHungUp, tryAsk } from './ends.ts'

/** An open file description of a terminal. */
export interface Description {
  readonly id: FileId
  readonly probe: FdProbe
  readonly hungUp: boolean
}

/** One entry of tty-info: a side of a pseudoterminal, or a device, with all that have it open. */
export interface Side {
  readonly infoId: number
  readonly kind: DeviceKind | 'external'
  readonly descriptions: Description[]
}

/** A description of it that is no dead end. */
export const liveOf = (side: Side | undefined): Description | undefined =>
  side?.descriptions.find(({ hungUp }) => !hungUp)

/** A pseudoterminal: those of its sides that the tree has open. */
export interface Pair {
  /** Counted from 1. */
  readonly number: number
  readonly index: number
  /** The instance of devpts that the slave lies on; not known yet while only /dev/tty leads to it. */
  dev: bigint | undefined
  /** /dev/pts as the tasks have it. */
  directory: string
  readonly sides: { master?: Side; slave?: Side; current?: Side }
}

/** All terminals of a dump. */
export class TerminalBook {
  readonly pairs: Pair[] = []
  /** Of terminals that are no pseudoterminals, and those that are passed from outside. */
  readonly devices: Side[] = []
  readonly #ids = new Set<number>()

  /** Notes a description; returns the id of its entry of tty-info. */
  add(probe: FdProbe, id: FileId, kind: Side['kind'], dump: DumpContext): number {
    const description = { id, probe, hungUp: isHungUp(probe.local) }
    const side = this.#sideOf(description, kind, dump)
    side.descriptions.push(description)
    return side.infoId
  }

  /** A side of which the tree has nothing open, for what is to be said of it all the same. */
  slaveOf(pair: Pair): Side {
    pair.sides.slave ??= this.#newSide('slave', pair.index)
    return pair.sides.slave
  }

  #sideOf(description: Description, kind: Side['kind'], dump: DumpContext): Side {
    const { probe } = description
    if (kind === 'master' || kind === 'slave' || kind === 'current') {
      const pair = this.#pairOf(description, kind, dump)
      pair.sides[kind] ??= this.#newSide(kind, pair.index)
      return pair.sides[kind]
    }
    const { dev, rdev } = probe.stat
    const known = this.devices.find(({ kind: other, descriptions: [first] }) => {
      const stat = first!.probe.stat
      return other === kind && stat.rdev === rdev && (kind !== 'external' || stat.dev === dev)
    })
    if (known) return known
    const side = this.#newSide(kind, Number(rdev) & 0xff)
    this.devices.push(side)
    return side
  }

  #pairOf(description: Description, kind: 'master' | 'slave' | 'current', dump: DumpContext): Pair {
    const place = placeOf(description, kind, dump)
    const known = this.pairs.find(
      ({ index, dev }) =>
        index === place.index &&
        (dev === undefined || place.dev === undefined || dev === place.dev),
    )
    if (known) return known.dev === undefined ? Object.assign(known, place) : known
    const pair: Pair = { number: this.pairs.length + 1, ...place, sides: {} }
    this.pairs.push(pair)
    return pair
  }

  /**
   * Upstream's numbers: twice the index, and one more for a master. Other devices have indices of
   * their own there. Where two instances of devpts have the same index, the second gets another one.
   */
  #newSide(kind: Side['kind'], index: number): Side {
    const first = { console: 1002, 'virtual console': 1004, current: 1006, external: 1008 }
    const base = { ...first, 'serial line': 1010, 'BSD pseudoterminal': 1012 }
    const at = kind === 'master' || kind === 'slave' ? index : base[kind]
    let infoId = at * 2 + (kind === 'master' ? 1 : 0)
    while (this.#ids.has(infoId)) infoId += OTHER_IDS
    this.#ids.add(infoId)
    return { infoId, kind, descriptions: [] }
  }
}

/** Above all ids of one instance (upstream dumps indices up to 1024). */
const OTHER_IDS = 4096

const books = new WeakMap<DumpContext, TerminalBook>()

/** Shared by the kind, which collects, and the aspect, which writes. */
export function bookOf(dump: DumpContext): TerminalBook {
  const book = books.get(dump) ?? new TerminalBook()
  books.set(dump, book)
  return book
}

type Place = Pick<Pair, 'index' | 'dev' | 'directory'>

function placeOf(
  { probe, hungUp }: Description,
  kind: 'master' | 'slave' | 'current',
  dump: DumpContext,
): Place {
  const path = linkPath(probe) ?? '/dev/pts/0'
  switch (kind) {
    case 'master':
      return { index: indexOfMaster(probe), ...instanceOf(probe, path, dump) }
    case 'slave': {
      const directory = path.includes('/pts/') ? parentOf(path) : '/dev/pts'
      return { index: slaveIndex(Number(probe.stat.rdev)), dev: probe.stat.dev, directory }
    }
    default: {
      // What /dev/tty led to when it was opened; nobody can tell any more once that is hung up.
      const rdev = hungUp ? undefined : tryAsk(probe.local, TIOC.GDEV)
      const index = rdev === undefined ? NO_INDEX : slaveIndex(rdev)
      return { index, dev: undefined, directory: '/dev/pts' }
    }
  }
}

/** Of a hung up /dev/tty. */
export const NO_INDEX = -1

const indexOfMaster = (probe: FdProbe): number =>
  tryAsk(probe.local, TIOC.GPTN) ?? Number(fdInfoValue(probe.info, 'tty-index') ?? NO_INDEX)

/**
 * Which /dev/pts a master belongs to. A ptmx within devpts is of that instance; any other device file
 * takes the `pts` beside it (fs/devpts/inode.c, devpts_acquire).
 */
function instanceOf(probe: FdProbe, path: string, dump: DumpContext): Omit<Place, 'index'> {
  const parent = parentOf(path)
  const beside = parent === '/' ? '/pts' : `${parent}/pts`
  const found = tryLstat(pathFromHere(probe.task, beside))
  if (fileSystemOf(probe, dump) !== FS_MAGIC.DEVPTS_SUPER_MAGIC)
    return { dev: found?.dev, directory: beside }
  const { dev } = probe.stat
  return { dev, directory: found?.dev === dev ? beside : parent }
}
