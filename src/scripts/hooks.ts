/** Moments of a job at which action scripts run; values of CRTOOLS_SCRIPT_ACTION (criu(8), 4.2). */
export const hooks = [
  'pre-dump',
  'post-dump',
  'pre-restore',
  'post-restore',
  'pre-resume',
  'post-resume',
  'network-lock',
  'network-unlock',
  'setup-namespaces',
  'post-setup-namespaces',
  'orphan-pts-master',
] as const
export type Hook = (typeof hooks)[number]
