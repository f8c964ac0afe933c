import type { Messages } from './gen/messages.ts'
import type { MessageName } from './schema.ts'

/** First word of every image but the inventory, pages and tool dumps (images of version 2). */
export const commonMagic = 0x5456_4319
/** First word of the files that are for upstream's own use: stats-*, irmap-cache. */
export const serviceMagic = 0x5510_5940

/** What stands at the start of a file: see formats in docs/images.md. */
export type Header = 'common' | 'inventory' | 'service' | 'raw'

/** One kind of image file. `E` is the message of its entries; undefined: none that we know. */
export interface Image<E extends MessageName | undefined = MessageName | undefined> {
  /** File name; `%u` (decimal) or `%x` (hexadecimal) stands for the id. */
  readonly file: string
  readonly header: Header
  readonly magic: number | undefined
  readonly entry: E
  /** Message of the first entry alone, where that is another one. */
  readonly head: MessageName | undefined
}

function of<E extends MessageName | undefined>(
  header: Header,
  file: string,
  magic: number | undefined,
  entry: E,
  head?: MessageName,
): Image<E> {
  return { file, header, magic, entry, head }
}

const image = <E extends MessageName>(f: string, magic: number, entry: E, head?: MessageName) =>
  of('common', f, magic, entry, head)
const inventory = <E extends MessageName>(file: string, magic: number, entry: E) =>
  of('inventory', file, magic, entry)
const service = <E extends MessageName>(file: string, magic: number, entry: E) =>
  of('service', file, magic, entry)
const opaque = (file: string, magic: number) => of('common', file, magic, undefined)
const raw = (file: string) => of('raw', file, undefined, undefined)

/** Every image file there is, by its name without id and `.img`. Order as upstream lists them. */
export const catalogue = {
  inventory: inventory('inventory.img', 0x5831_3116, 'inventory_entry'),
  fdinfo: image('fdinfo-%u.img', 0x5621_3732, 'fdinfo_entry'),
  pagemap: image('pagemap-%u.img', 0x5608_4025, 'pagemap_entry', 'pagemap_head'),
  'pagemap-shmem': image('pagemap-shmem-%u.img', 0x5608_4025, 'pagemap_entry', 'pagemap_head'),
  'reg-files': image('reg-files.img', 0x5036_3636, 'reg_file_entry'),
  'ext-files': image('ext-files.img', 0x5925_5641, 'ext_file_entry'),
  'ns-files': image('ns-files.img', 0x6139_4011, 'ns_file_entry'),
  eventfd: image('eventfd.img', 0x4452_3722, 'eventfd_file_entry'),
  eventpoll: image('eventpoll.img', 0x4502_3858, 'eventpoll_file_entry'),
  'eventpoll-tfd': image('eventpoll-tfd.img', 0x4443_3746, 'eventpoll_tfd_entry'),
  signalfd: image('signalfd.img', 0x5732_3820, 'signalfd_entry'),
  inotify: image('inotify.img', 0x4842_4431, 'inotify_file_entry'),
  'inotify-wd': image('inotify-wd.img', 0x5456_2009, 'inotify_wd_entry'),
  fanotify: image('fanotify.img', 0x5509_6122, 'fanotify_file_entry'),
  'fanotify-mark': image('fanotify-mark.img', 0x5650_6035, 'fanotify_mark_entry'),
  core: image('core-%u.img', 0x5505_3847, 'core_entry'),
  ids: image('ids-%u.img', 0x5443_2030, 'task_kobj_ids_entry'),
  mm: image('mm-%u.img', 0x5749_2820, 'mm_entry'),
  vmas: image('vmas-%u.img', 0x5412_3737, 'vma_entry'),
  pipes: image('pipes.img', 0x5651_3555, 'pipe_entry'),
  'pipes-data': image('pipes-data.img', 0x5645_3709, 'pipe_data_entry'),
  fifo: image('fifo.img', 0x5836_4939, 'fifo_entry'),
  'fifo-data': image('fifo-data.img', 0x5933_3054, 'pipe_data_entry'),
  pstree: image('pstree.img', 0x5027_3030, 'pstree_entry'),
  sigacts: image('sigacts-%u.img', 0x5534_4201, 'sa_entry'),
  unixsk: image('unixsk.img', 0x5437_3943, 'unix_sk_entry'),
  inetsk: image('inetsk.img', 0x5644_3851, 'inet_sk_entry'),
  packetsk: image('packetsk.img', 0x6045_4618, 'packet_sock_entry'),
  netlinksk: image('netlinksk.img', 0x5800_5614, 'netlink_sk_entry'),
  'sk-queues': image('sk-queues.img', 0x5626_4026, 'sk_packet_entry'),
  itimers: image('itimers-%u.img', 0x5746_4056, 'itimer_entry'),
  'posix-timers': image('posix-timers-%u.img', 0x5260_3957, 'posix_timer_entry'),
  creds: image('creds-%u.img', 0x5402_3547, 'creds_entry'),
  utsns: image('utsns-%u.img', 0x5447_3203, 'utsns_entry'),
  'ipcns-var': image('ipcns-var-%u.img', 0x5311_5007, 'ipc_var_entry'),
  'ipcns-shm': image('ipcns-shm-%u.img', 0x4628_3044, 'ipc_shm_entry'),
  'ipcns-msg': image('ipcns-msg-%u.img', 0x5545_3737, 'ipc_msg_entry'),
  'ipcns-sem': image('ipcns-sem-%u.img', 0x5957_3019, 'ipc_sem_entry'),
  fs: image('fs-%u.img', 0x5140_3912, 'fs_entry'),
  'remap-fpath': image('remap-fpath.img', 0x5913_3954, 'remap_file_path_entry'),
  'ghost-file': image('ghost-file-%x.img', 0x5258_3605, 'ghost_file_entry'),
  memfd: image('memfd.img', 0x4845_3499, 'memfd_inode_entry'),
  'tcp-stream': image('tcp-stream-%x.img', 0x5146_5506, 'tcp_stream_entry'),
  mountpoints: image('mountpoints-%u.img', 0x5556_3928, 'mnt_entry'),
  netdev: image('netdev-%u.img', 0x5737_3951, 'net_device_entry'),
  netns: image('netns-%u.img', 0x5593_3752, 'netns_entry'),
  ifaddr: raw('ifaddr-%u.img'),
  route: raw('route-%u.img'),
  route6: raw('route6-%u.img'),
  rule: raw('rule-%u.img'),
  iptables: raw('iptables-%u.img'),
  ip6tables: raw('ip6tables-%u.img'),
  nftables: raw('nftables-%u.img'),
  tmpfs: raw('tmpfs-%u.tar.gz.img'),
  'tmpfs-dev': raw('tmpfs-dev-%u.tar.gz.img'),
  autofs: image('autofs-%u.img', 0x4935_3943, 'autofs_entry'),
  'binfmt-misc-old': opaque('binfmt-misc-%u.img', 0x6734_3323),
  'binfmt-misc': image('binfmt-misc.img', 0x6734_3323, 'binfmt_misc_entry'),
  tty: image('tty.img', 0x5943_3025, 'tty_file_entry'),
  'tty-info': image('tty-info.img', 0x5945_3036, 'tty_info_entry'),
  'tty-data': image('tty-data.img', 0x5941_3026, 'tty_data_entry'),
  filelocks: image('filelocks.img', 0x5432_3616, 'file_lock_entry'),
  rlimit: image('rlimit-%u.img', 0x5711_3925, 'rlimit_entry'),
  pages: raw('pages-%u.img'),
  'pages-old': opaque('pages-%u.img', 0x5608_4025),
  'pages-shmem-old': opaque('pages-shmem-%u.img', 0x5608_4025),
  'signal-s': opaque('signal-s-%u.img', 0x5925_5647),
  'signal-p': opaque('signal-p-%u.img', 0x5925_5647),
  tunfile: image('tunfile.img', 0x5714_3751, 'tunfile_entry'),
  cgroup: image('cgroup.img', 0x5938_3330, 'cgroup_entry'),
  timerfd: image('timerfd.img', 0x5049_3712, 'timerfd_entry'),
  cpuinfo: image('cpuinfo.img', 0x6140_4013, 'cpuinfo_entry'),
  seccomp: image('seccomp.img', 0x6441_3049, 'seccomp_entry'),
  userns: image('userns-%u.img', 0x5547_4906, 'userns_entry'),
  'netns-ct': raw('netns-ct-%u.img'),
  'netns-exp': raw('netns-exp-%u.img'),
  files: image('files.img', 0x5630_3138, 'file_entry'),
  timens: image('timens-%u.img', 0x4311_4433, 'timens_entry'),
  pidns: image('pidns-%u.img', 0x6115_7326, 'pidns_entry'),
  'bpfmap-file': image('bpfmap-file.img', 0x5750_6142, 'bpfmap_file_entry'),
  'bpfmap-data': image('bpfmap-data.img', 0x6432_4033, 'bpfmap_data_entry'),
  apparmor: image('apparmor.img', 0x5942_3047, 'apparmor_entry'),
  pidfd: image('pidfd.img', 0x5443_5556, 'pidfd_entry'),
  // Ours: upstream passes over files that it does not know.
  'criu-ts-task': image('criu-ts-task-%u', 0x6372_7473, 'criuts_task_extra'),
  'criu-ts-ipc': image('criu-ts-ipc-%u', 0x6372_7469, 'criuts_ipc'),
  'criu-ts-mqueue': image('criu-ts-mqueue', 0x6372_746d, 'criuts_mqueue'),
  'criu-ts-datagrams': image('criu-ts-datagrams', 0x6372_7464, 'criuts_datagram'),
  'criu-ts-tun': image('criu-ts-tun', 0x6372_746e, 'criuts_tun_queue'),
  'criu-ts-uring': image('criu-ts-uring', 0x6372_7475, 'criuts_uring'),
  'criu-ts-packet': image('criu-ts-packet', 0x6372_7470, 'criuts_packet_ring'),
  'criu-ts-userfaultfd': image('criu-ts-userfaultfd', 0x6372_7466, 'criuts_userfaultfd'),
  'stats-dump': service('stats-dump', 0x5709_3306, 'stats_entry'),
  'stats-restore': service('stats-restore', 0x5709_3306, 'stats_entry'),
  'irmap-cache': service('irmap-cache', 0x5700_4059, 'irmap_cache_entry'),
}

export type ImageKind = keyof typeof catalogue
type EntryName<K extends ImageKind> = (typeof catalogue)[K]['entry']

/** Kinds whose entries we know. */
export type EntryKind = {
  [K in ImageKind]: EntryName<K> extends MessageName ? K : never
}[ImageKind]
/** Name of the message of a kind's entries. */
export type EntryNameOf<K extends EntryKind> = Extract<EntryName<K>, MessageName>
/** The message of a kind's entries. */
export type EntryOf<K extends EntryKind> = Messages[EntryNameOf<K>]

/** What stands for %u or %x in a file's name: a pid, the id of a table or namespace, a shmid. */
export type ImageId = number | bigint

/** `fileName('core', 17)` is `core-17.img`. */
export function fileName(kind: ImageKind, id?: ImageId): string {
  const { file } = catalogue[kind]
  if (id === undefined) return file
  return file.replace('%u', id.toString()).replace('%x', id.toString(16))
}

/** Which image a file is, by its name; undefined if it is none. */
export function recogniseFile(name: string): { kind: ImageKind; id?: ImageId } | undefined {
  for (const kind of Object.keys(catalogue) as ImageKind[]) {
    const { file } = catalogue[kind]
    if (!file.includes('%') && file === name) return { kind }
    const id = idIn(name, file)
    if (id !== undefined) return { kind, id }
  }
  return undefined
}

function idIn(name: string, template: string): ImageId | undefined {
  const at = template.search(/%[ux]/)
  if (at < 0) return undefined
  const tail = template.slice(at + 2)
  if (!name.startsWith(template.slice(0, at)) || !name.endsWith(tail)) return undefined
  const text = name.slice(at, name.length - tail.length)
  const hex = template[at + 1] === 'x'
  if (!(hex ? /^[0-9a-f]+$/ : /^[0-9]+$/).test(text)) return undefined
  const id = BigInt(hex ? `0x${text}` : text)
  return id <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(id) : id
}
