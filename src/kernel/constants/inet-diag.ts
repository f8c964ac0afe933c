/** linux/inet_diag.h. */

/** Attributes of an answer; one that is asked for is bit n − 1 of inet_diag_req_v2.idiag_ext. */
export const INET_DIAG = {
  MEMINFO: 1,
  INFO: 2,
  SKMEMINFO: 7,
  SHUTDOWN: 8,
  SKV6ONLY: 11,
  MARK: 15,
  MD5SIG: 18,
  SOCKOPT: 22,
} as const
