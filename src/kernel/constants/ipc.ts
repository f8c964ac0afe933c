/** linux/ipc.h, linux/shm.h, linux/sem.h, linux/msg.h. */

/** Flags and commands of all three kinds of System V objects. */
export const IPC = {
  PRIVATE: 0,
  CREAT: 0o1000,
  EXCL: 0o2000,
  NOWAIT: 0o4000,
  RMID: 0,
  SET: 1,
  STAT: 2,
} as const

/** Shared memory: flags of shmget and shmat, commands of shmctl, bits of its mode. */
export const SHM = {
  HUGETLB: 0o4000,
  NORESERVE: 0o10000,
  HUGE_SHIFT: 26,
  RDONLY: 0o10000,
  LOCK: 11,
  UNLOCK: 12,
  DEST: 0o1000,
  LOCKED: 0o2000,
} as const

/** A flag of semop. */
export const SEM = { UNDO: 0x1000 } as const

/** Commands of semctl. */
export const SEMCTL = {
  GETPID: 11,
  GETVAL: 12,
  GETALL: 13,
  GETNCNT: 14,
  GETZCNT: 15,
  SETVAL: 16,
  SETALL: 17,
} as const

/** Largest value of a semaphore. */
export const SEMVMX = 32767

/** Flags of msgrcv; MSG_COPY since Linux 3.8. */
export const MSGRCV = { NOERROR: 0o10000, EXCEPT: 0o20000, COPY: 0o40000 } as const
