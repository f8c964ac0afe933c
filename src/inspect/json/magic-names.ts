import {
  catalogue,
  commonMagic,
  type EntryKind,
  type Header,
  type ImageKind,
  serviceMagic,
} from '../../images/catalogue.ts'

/** Names that crit gives to images, where they are not the file's in capitals. */
const NAMES: { readonly [K in ImageKind]?: string } = {
  eventfd: 'EVENTFD_FILE',
  eventpoll: 'EVENTPOLL_FILE',
  inotify: 'INOTIFY_FILE',
  fanotify: 'FANOTIFY_FILE',
  sigacts: 'SIGACT',
  netlinksk: 'NETLINK_SK',
  'ipcns-var': 'IPC_VAR',
  'remap-fpath': 'REMAP_FPATH',
  memfd: 'MEMFD_INODE',
  mountpoints: 'MNTS',
  'pagemap-shmem': 'PAGEMAP',
  tty: 'TTY_FILES',
  filelocks: 'FILE_LOCKS',
  'stats-dump': 'STATS',
  'stats-restore': 'STATS',
}

/** The `magic` of an image in JSON: `PSTREE`. */
export function magicName(kind: ImageKind): string {
  return NAMES[kind] ?? kind.toUpperCase().replaceAll('-', '_')
}

/** Kinds whose entries have a message, each magic once; two files of one format count as one kind. */
const kinds = (): EntryKind[] =>
  (Object.keys(catalogue) as ImageKind[]).filter(
    (kind): kind is EntryKind => catalogue[kind].entry !== undefined,
  )

export function kindOfName(name: string): EntryKind | undefined {
  return kinds().find((kind) => magicName(kind) === name)
}

/** Which image begins with these words: its kind, and whether it is of version 1 (own magic alone). */
export function kindOfMagic(
  first: number,
  second: number,
): { readonly kind: EntryKind; readonly old: boolean } | undefined {
  const find = (magic: number, headers: readonly Header[]) =>
    kinds().find((kind) => {
      const image = catalogue[kind]
      return image.magic === magic && headers.includes(image.header)
    })
  if (first === commonMagic) return found(find(second, ['common']), false)
  if (first === serviceMagic) return found(find(second, ['service']), false)
  return found(find(first, ['inventory']), false) ?? found(find(first, ['common']), true)
}

const found = (kind: EntryKind | undefined, old: boolean) => kind && { kind, old }
