/** A descriptor that a task is to have: the one that is `from` now. */
export interface WantedFd {
  readonly from: number
  readonly fd: number
  readonly closeOnExec: boolean
}

/** One call in the task. */
export type Move =
  /** dup3 */
  | {
      readonly do: 'copy'
      readonly from: number
      readonly to: number
      readonly closeOnExec: boolean
    }
  /** It is where it belongs; fcntl(F_SETFD). */
  | { readonly do: 'mark'; readonly fd: number; readonly closeOnExec: boolean }

/**
 * An order in which descriptors can be put in place where some of the numbers that they are to have
 * are those that others have now: what would be overwritten is copied first, and a circle is opened by
 * a copy at a number from `spare` on, which nobody has or wants.
 */
export function planMoves(wanted: readonly WantedFd[], spare: number): Move[] {
  const moves: Move[] = []
  const left = new Map<number, WantedFd>()
  const users = new Map<number, Set<number>>()
  for (const one of wanted) {
    if (one.from === one.fd) continue
    left.set(one.fd, one)
    users.set(one.from, (users.get(one.from) ?? new Set()).add(one.fd))
  }
  const kept = new Set(wanted.filter(({ from, fd }) => from === fd).map(({ fd }) => fd))
  const isNeeded = (fd: number): boolean => (users.get(fd)?.size ?? 0) > 0
  const ready = [...left.values()].filter(({ fd }) => !isNeeded(fd))
  let next = spare
  while (left.size > 0) {
    for (let one = ready.pop(); one !== undefined; one = ready.pop()) {
      moves.push({ do: 'copy', from: one.from, to: one.fd, closeOnExec: one.closeOnExec })
      left.delete(one.fd)
      users.get(one.from)!.delete(one.fd)
      const waiting = left.get(one.from)
      if (waiting && !isNeeded(one.from) && !kept.has(one.from)) ready.push(waiting)
    }
    const [stuck] = left.values()
    if (!stuck) break
    const saved = next++
    moves.push({ do: 'copy', from: stuck.fd, to: saved, closeOnExec: false })
    users.set(saved, users.get(stuck.fd)!)
    users.delete(stuck.fd)
    for (const fd of users.get(saved)!) left.set(fd, { ...left.get(fd)!, from: saved })
    ready.push(left.get(stuck.fd)!)
  }
  for (const { from, fd, closeOnExec } of wanted)
    if (from === fd) moves.push({ do: 'mark', fd, closeOnExec })
  return moves
}

/** Numbers below `end` that are not among `fds`, as ranges from the first to the last. */
export function gapsBetween(fds: readonly number[], end: number): (readonly [number, number])[] {
  const gaps: (readonly [number, number])[] = []
  let at = 0
  for (const fd of [...new Set(fds)].sort((a, b) => a - b)) {
    if (fd > at) gaps.push([at, fd - 1])
    at = fd + 1
  }
  if (at < end) gaps.push([at, end - 1])
  return gaps
}
