import { AT, O } from '../../kernel/constants/fcntl.ts'
import { MAP, PROT } from '../../kernel/constants/mman.ts'
import { MOVE_MOUNT, MS } from '../../kernel/constants/mount.ts'
import { CLONE } from '../../kernel/constants/sched.ts'
import { tryStatSync } from '../../kernel/fs.ts'
import { scratch } from '../../kernel/memory.ts'
import { readMaps } from '../../kernel/proc/maps.ts'
import { readMountInfo } from '../../kernel/proc/mountinfo.ts'
import { must, owned } from '../../kernel/sys.ts'
import type { Slot, Table } from '../../kernel/table.ts'
import type { Feature } from '../feature.ts'
import type { Ground } from '../ground.ts'

/** Mounts within a child, in a mount namespace of its own that nobody else sees. */
class Mounts {
  readonly #table: Table

  constructor(table: Table) {
    this.#table = table
    this.mount('none', '/', undefined, MS.REC | MS.PRIVATE)
    this.mount('check', SCENE, 'tmpfs')
  }

  mount(source: string, target: string, type?: string, flags = 0, data = ''): void {
    const text = (words: string): Slot => this.#table.string(words)
    const kind = type === undefined ? 0 : text(type)
    this.#table.call('mount', text(source), text(target), kind, flags, text(data))
  }

  directories(...names: string[]): void {
    for (const name of names)
      this.#table.call('mkdir', this.#table.string(`${SCENE}/${name}`), 0o700)
  }
}

/** In the child a tmpfs hides what is there. */
const SCENE = '/tmp'

const CREATE = O.RDWR | O.CREAT

function setGroup(table: Table): void {
  const mounts = new Mounts(table)
  mounts.directories('from', 'to')
  mounts.mount(`${SCENE}/from`, `${SCENE}/from`, undefined, MS.BIND)
  mounts.mount(`${SCENE}/from`, `${SCENE}/to`, undefined, MS.BIND)
  mounts.mount('none', `${SCENE}/from`, undefined, MS.SHARED)
  const [from, to] = [table.string(`${SCENE}/from`), table.string(`${SCENE}/to`)]
  table.call('move_mount', AT.FDCWD, from, AT.FDCWD, to, MOVE_MOUNT.SET_GROUP)
}

/** A mapped file of overlayfs must be that of the overlay, not of one of its layers. */
function mapOverlay(ground: Ground): string | undefined {
  using child = ground.hold(CLONE.NEWNS, (table) => {
    const mounts = new Mounts(table)
    mounts.directories('lower', 'upper', 'work', 'all')
    const layers = `lowerdir=${SCENE}/lower,upperdir=${SCENE}/upper,workdir=${SCENE}/work`
    mounts.mount('check', `${SCENE}/all`, 'overlay', 0, layers)
    const fd = table.call('open', table.string(`${SCENE}/all/file`), CREATE, 0o600)
    table.call('ftruncate', fd, 4096)
    table.call('mmap', 0, 4096, PROT.READ, MAP.PRIVATE, fd, 0)
  })
  const mapping = readMaps(child.proc).find(({ path }) => path === `${SCENE}/all/file`)
  if (!mapping) return '/proc/PID/maps has another path than the file was opened by'
  const range = `${mapping.start.toString(16)}-${mapping.end.toString(16)}`
  const mapped = tryStatSync(`${child.proc}/map_files/${range}`)
  const file = tryStatSync(`${child.proc}/root${SCENE}/all/file`)
  return mapped?.dev === file?.dev ? undefined : 'map_files leads to a layer below'
}

/** The kernel tells of a mounted autofs by which pipe it asks its daemon (pipe_ino). */
function mountAutofs(ground: Ground): string | undefined {
  using s = scratch()
  const pipe = s.take(8)
  must('pipe2', pipe.address, O.CLOEXEC)
  using _read = owned(pipe.view.getInt32(0, true))
  using write = owned(pipe.view.getInt32(4, true))
  using child = ground.hold(CLONE.NEWNS, (table) => {
    const mounts = new Mounts(table)
    mounts.directories('auto')
    const options = `fd=${write.fd},minproto=5,maxproto=5,direct`
    mounts.mount('check', `${SCENE}/auto`, 'autofs', 0, options)
  })
  const mount = readMountInfo(child.proc).find(({ fsType }) => fsType === 'autofs')
  return mount?.superOptions.includes('pipe_ino=') ? undefined : 'its pipe is not told'
}

/** A child in a namespace of its own. */
const enter =
  (flags: bigint) =>
  (ground: Ground): void => {
    using _child = ground.hold(flags, () => {})
  }

/** The clocks of a time namespace are set before anybody is in it. */
function setClocks(ground: Ground): void {
  ground.inChild(0n, (table) => {
    table.call('unshare', CLONE.NEWTIME)
    const fd = table.call('open', table.string('/proc/self/timens_offsets'), O.WRONLY)
    const offset = 'monotonic 1000 0\n'
    table.call('write', fd, table.string(offset), offset.length)
  })
}

export const namespaceFeatures: readonly Feature[] = [
  {
    name: 'userns',
    need: 'extra',
    what: 'user namespaces',
    cost: 'trees in a user namespace (rootless containers) cannot be restored',
    remedy: 'CONFIG_USER_NS, and the sysctl user.max_user_namespaces above 0',
    probe: enter(CLONE.NEWUSER),
  },
  {
    name: 'cgroupns',
    need: 'extra',
    what: 'cgroup namespaces',
    cost: 'trees in a cgroup namespace (containers) cannot be restored',
    remedy: 'Linux 4.6 with CONFIG_CGROUPS',
    capability: 'SYS_ADMIN',
    probe: enter(CLONE.NEWCGROUP),
  },
  {
    name: 'timens',
    need: 'extra',
    what: 'time namespaces, and to set their clocks',
    cost: 'after a reboot or on another machine monotonic clocks go back',
    remedy: 'Linux 5.6 with CONFIG_TIME_NS',
    capability: 'SYS_ADMIN',
    probe: setClocks,
  },
  {
    name: 'move_mount_set_group',
    need: 'extra',
    what: 'to put a mount into the peer group of another (MOVE_MOUNT_SET_GROUP)',
    cost: 'mount namespaces with shared mounts cannot be restored',
    remedy: 'Linux 5.15',
    capability: 'SYS_ADMIN',
    probe: (ground) => ground.inChild(CLONE.NEWNS, setGroup),
  },
  {
    name: 'overlayfs_maps',
    need: 'extra',
    what: 'mapped files of overlayfs, as they were opened (/proc/PID/map_files)',
    cost: 'programs in containers on overlayfs may not be dumped',
    remedy: 'Linux 6.8 with CONFIG_OVERLAY_FS',
    capability: 'SYS_ADMIN',
    probe: mapOverlay,
  },
  {
    name: 'autofs',
    need: 'experimental',
    what: 'autofs, and the pipe that it asks by',
    cost: 'mount namespaces with autofs (systemd) cannot be restored',
    remedy: 'Linux 4.5 with CONFIG_AUTOFS_FS',
    capability: 'SYS_ADMIN',
    probe: mountAutofs,
  },
  {
    name: 'external_net_ns',
    need: 'named',
    what: 'network namespaces that live outside of the tree (--external net[INODE]:NAME)',
    cost: 'trees in such a namespace cannot be dumped',
    remedy: 'dump trees in the network namespace of criu',
    probe: () => 'it is not supported yet',
  },
]
