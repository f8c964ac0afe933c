import { fail } from '../../errors/error.ts'
import { readProcFile } from './read.ts'

/** What /proc/sysvipc tells of every System V object of our IPC namespace. */
export interface SysvObject {
  readonly id: number
  /** 0: IPC_PRIVATE, or removed while in use. */
  readonly key: number
  /** Permissions; of shared memory also SHM_DEST and SHM_LOCKED. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly cuid: number
  readonly cgid: number
}

export interface SysvShm extends SysvObject {
  readonly size: bigint
  /** Pids as the procfs counts them: who made it, and who attached or detached it last. */
  readonly cpid: number
  readonly lpid: number
  readonly nattch: number
}

export interface SysvSem extends SysvObject {
  readonly nsems: number
}

export interface SysvMsg extends SysvObject {
  readonly qnum: number
  readonly cbytes: number
  readonly lspid: number
  readonly lrpid: number
}

/** Fields of a table with a line of names; 32-bit numbers are printed with their sign or without. */
type Row = ReadonlyMap<string, string>

function rows(path: string): Row[] {
  const [head, ...lines] = readProcFile(path).trimEnd().split('\n')
  const names = head!.trim().split(/\s+/)
  return lines.map((line) => {
    const words = line.trim().split(/\s+/)
    return new Map(names.map((name, i) => [name, words[i] ?? '']))
  })
}

function field(row: Row, name: string, radix = 10): number {
  const value = Number.parseInt(row.get(name) ?? '', radix)
  if (Number.isNaN(value))
    fail({ code: 'internal', reason: `no ${name} in a table of /proc/sysvipc` })
  return value
}

/** `perms` is in octal; the name of the id differs between the tables (ipc/*.c). */
function object(row: Row, id: string): SysvObject {
  return {
    id: field(row, id),
    key: field(row, 'key') | 0,
    mode: field(row, 'perms', 8),
    uid: field(row, 'uid') >>> 0,
    gid: field(row, 'gid') >>> 0,
    cuid: field(row, 'cuid') >>> 0,
    cgid: field(row, 'cgid') >>> 0,
  }
}

export const readSysvShm = (root: string): SysvShm[] =>
  rows(`${root}/sysvipc/shm`).map((row) => ({
    ...object(row, 'shmid'),
    size: BigInt(row.get('size')!),
    cpid: field(row, 'cpid'),
    lpid: field(row, 'lpid'),
    nattch: field(row, 'nattch'),
  }))

export const readSysvSem = (root: string): SysvSem[] =>
  rows(`${root}/sysvipc/sem`).map((row) => ({
    ...object(row, 'semid'),
    nsems: field(row, 'nsems'),
  }))

export const readSysvMsg = (root: string): SysvMsg[] =>
  rows(`${root}/sysvipc/msg`).map((row) => ({
    ...object(row, 'msqid'),
    qnum: field(row, 'qnum'),
    cbytes: field(row, 'cbytes'),
    lspid: field(row, 'lspid'),
    lrpid: field(row, 'lrpid'),
  }))
