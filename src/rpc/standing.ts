import { capNames } from '../kernel/constants/capability.ts'
import { readlinkSync, SystemError, tryStatSync } from '../kernel/fs.ts'
import { readStatus } from '../kernel/proc/status.ts'
import type { Peer } from './socket.ts'

/** What the service does for a client. */
export type Standing =
  /** It may do all that we may. */
  | { readonly kind: 'equal' }
  /** What it may do itself: a process of its user does it, with no capabilities but these. */
  | { readonly kind: 'limited'; readonly capabilities: bigint }
  /** Nothing; a predicate of the client. */
  | { readonly kind: 'refused'; readonly reason: string }

const refused = (reason: string): Standing => ({ kind: 'refused', reason })

/**
 * Pids and paths of a request mean what they mean to the client: one who has others than we is refused.
 * Root is served as root if it lacks none of our capabilities, in our user namespace.
 */
export function standingOf(peer: Peer): Standing {
  if (peer.pid === 0) return refused('is in a pid namespace that the service does not see into')
  try {
    const other = otherPlace(peer.pid)
    if (other !== undefined) return refused(`has another ${other} than the service: ${useSwrk}`)
    return standingHere(peer)
  } catch (error) {
    if (error instanceof SystemError) return refused('has gone')
    throw error
  }
}

const useSwrk = 'start criu swrk there'

const places = { mnt: 'mount namespace', pid: 'pid namespace', user: 'user namespace' } as const

function otherPlace(pid: number): string | undefined {
  for (const [name, place] of Object.entries(places))
    if (readlinkSync(`/proc/${pid}/ns/${name}`) !== readlinkSync(`/proc/self/ns/${name}`))
      return place
  const [theirs, ours] = [`/proc/${pid}/root/`, '/proc/self/root/'].map((path) => tryStatSync(path))
  const isSame = theirs?.ino === ours?.ino && theirs?.dev === ours?.dev
  return isSame ? undefined : 'root directory'
}

function standingHere({ pid, uid }: Peer): Standing {
  const [us, them] = [readStatus('/proc/self'), readStatus(`/proc/${pid}`)]
  const own = us.uid.effective
  if (own !== 0) {
    return uid === own
      ? { kind: 'equal' }
      : refused(`is user ${uid}, and the service runs as user ${own}`)
  }
  const lacking = us.caps.permitted & ~them.caps.permitted
  if (uid !== 0) return { kind: 'limited', capabilities: us.caps.permitted & them.caps.permitted }
  if (lacking === 0n) return { kind: 'equal' }
  return refused(
    `is root without ${capNames(lacking).join(', ')}, which the service has: ${useSwrk}`,
  )
}
