/** linux/capability.h. */

/** Numbers of capabilities by name. */
export const CAP = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  DAC_READ_SEARCH: 2,
  FOWNER: 3,
  FSETID: 4,
  KILL: 5,
  SETGID: 6,
  SETUID: 7,
  SETPCAP: 8,
  LINUX_IMMUTABLE: 9,
  NET_BIND_SERVICE: 10,
  NET_BROADCAST: 11,
  NET_ADMIN: 12,
  NET_RAW: 13,
  IPC_LOCK: 14,
  IPC_OWNER: 15,
  SYS_MODULE: 16,
  SYS_RAWIO: 17,
  SYS_CHROOT: 18,
  SYS_PTRACE: 19,
  SYS_PACCT: 20,
  SYS_ADMIN: 21,
  SYS_BOOT: 22,
  SYS_NICE: 23,
  SYS_RESOURCE: 24,
  SYS_TIME: 25,
  SYS_TTY_CONFIG: 26,
  MKNOD: 27,
  LEASE: 28,
  AUDIT_WRITE: 29,
  AUDIT_CONTROL: 30,
  SETFCAP: 31,
  MAC_OVERRIDE: 32,
  MAC_ADMIN: 33,
  SYSLOG: 34,
  WAKE_ALARM: 35,
  BLOCK_SUSPEND: 36,
  AUDIT_READ: 37,
  PERFMON: 38,
  BPF: 39,
  CHECKPOINT_RESTORE: 40,
} as const

export type CapName = keyof typeof CAP

const names = new Map<number, string>(Object.entries(CAP).map(([name, number]) => [number, name]))

/** `CAP_SYS_ADMIN` for 21; `CAP_63` for one without a name. */
export const capName = (number: number): string => `CAP_${names.get(number) ?? number}`

/** Whether a set (bit n is capability n) has a capability. */
export const hasCap = (set: bigint, cap: number): boolean => ((set >> BigInt(cap)) & 1n) === 1n

/** Names of the capabilities of a set. */
export function capNames(set: bigint): string[] {
  const found: string[] = []
  for (let cap = 0; cap < 64; cap++) if (hasCap(set, cap)) found.push(capName(cap))
  return found
}

/** Version of capget and capset with two words (since Linux 2.6.26). */
export const LINUX_CAPABILITY_VERSION_3 = 0x20080522
