import { i16, i32, i64, layout, u16, u32, u64 } from './layout.ts'

/** struct ipc64_perm (asm-generic/ipcbuf.h). */
export const ipcPerm = layout({
  key: i32,
  uid: u32,
  gid: u32,
  cuid: u32,
  cgid: u32,
  mode: u32,
  seq: u16,
  _pad2: u16,
  _unused1: u64,
  _unused2: u64,
})

/** struct shmid64_ds (asm-generic/shmbuf.h). */
export const shmidDs = layout({
  perm: ipcPerm,
  segsz: u64,
  atime: i64,
  dtime: i64,
  ctime: i64,
  cpid: i32,
  lpid: i32,
  nattch: u64,
  _unused4: u64,
  _unused5: u64,
})

/** struct semid64_ds of x86 (asm/sembuf.h). */
export const semidDs = layout({
  perm: ipcPerm,
  otime: i64,
  _unused1: u64,
  ctime: i64,
  _unused2: u64,
  nsems: u64,
  _unused3: u64,
  _unused4: u64,
})

/** struct msqid64_ds (asm-generic/msgbuf.h). */
export const msqidDs = layout({
  perm: ipcPerm,
  stime: i64,
  rtime: i64,
  ctime: i64,
  cbytes: u64,
  qnum: u64,
  qbytes: u64,
  lspid: i32,
  lrpid: i32,
  _unused4: u64,
  _unused5: u64,
})

/** struct sembuf (linux/sem.h). */
export const sembuf = layout({ num: u16, op: i16, flg: i16 })

/** struct mq_attr (linux/mqueue.h). */
export const mqAttr = layout({
  flags: i64,
  maxmsg: i64,
  msgsize: i64,
  curmsgs: i64,
  _reserved0: i64,
  _reserved1: i64,
  _reserved2: i64,
  _reserved3: i64,
})
