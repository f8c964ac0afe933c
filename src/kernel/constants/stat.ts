/** linux/stat.h. */

/** Types and bits of st_mode. */
export const S = {
  ISVTX: 0x200,
  ISGID: 0x400,
  ISUID: 0x800,
  IFIFO: 0x1000,
  IFCHR: 0x2000,
  IFDIR: 0x4000,
  IFBLK: 0x6000,
  IFREG: 0x8000,
  IFLNK: 0xa000,
  IFSOCK: 0xc000,
  IFMT: 0xf000,
} as const

/** What statx is asked for and has answered. */
export const STATX = {
  TYPE: 0x1,
  MODE: 0x2,
  NLINK: 0x4,
  UID: 0x8,
  GID: 0x10,
  ATIME: 0x20,
  MTIME: 0x40,
  CTIME: 0x80,
  INO: 0x100,
  SIZE: 0x200,
  BLOCKS: 0x400,
  BASIC_STATS: 0x7ff,
  BTIME: 0x800,
  MNT_ID: 0x1000,
  DIOALIGN: 0x2000,
  MNT_ID_UNIQUE: 0x4000,
  SUBVOL: 0x8000,
  WRITE_ATOMIC: 0x10000,
  DIO_READ_ALIGN: 0x20000,
} as const

/** stx_attributes. */
export const STATX_ATTR = {
  COMPRESSED: 0x4,
  IMMUTABLE: 0x10,
  APPEND: 0x20,
  NODUMP: 0x40,
  ENCRYPTED: 0x800,
  AUTOMOUNT: 0x1000,
  MOUNT_ROOT: 0x2000,
  VERITY: 0x100000,
  DAX: 0x200000,
} as const

/** The type of a file by its st_mode. */
export type FileType = 'socket' | 'symlink' | 'regular' | 'block' | 'directory' | 'char' | 'fifo'

const types = new Map<number, FileType>([
  [S.IFSOCK, 'socket'],
  [S.IFLNK, 'symlink'],
  [S.IFREG, 'regular'],
  [S.IFBLK, 'block'],
  [S.IFDIR, 'directory'],
  [S.IFCHR, 'char'],
  [S.IFIFO, 'fifo'],
])

/** Undefined for an inode without a type: those of anon_inodefs before Linux 6.16. */
export const fileType = (mode: number): FileType | undefined => types.get(mode & S.IFMT)
