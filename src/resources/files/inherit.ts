import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { F, O } from '../../kernel/constants/fcntl.ts'
import { checked, close, must, sys, tryOpen } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import type { RestoreContext } from '../restore-model.ts'
import { O_ASYNC } from './async.ts'
import { restoreSignal } from './owner.ts'

/** What the program had set on the description that the inherited one takes the place of. */
export interface DescriptionState {
  readonly flags: number
  readonly fown: Messages['fown_entry']
}

/** What fcntl does not set, or not here: O_ASYNC waits for its owner. */
const NOT_SET = O_ASYNC | O.ACCMODE

/** Flags that given descriptions have by now, by the descriptor: they serve one description. */
const taken = new WeakMap<RestoreContext, Map<LocalFd, number>>()

/**
 * A descriptor in place of one of the images: of the given description itself where it can do what the
 * old one could. A second description of the same object gets one of its own, unless it is all the
 * same. Position and content stay as they are; flags and signal become the program's.
 */
export function inheritDescription(
  given: LocalFd,
  state: DescriptionState,
  restore: RestoreContext,
): LocalFd {
  const takers = takersOf(restore)
  const before = takers.get(given) ?? state.flags
  const serves = before === state.flags && allows(sys('fcntl', given, F.GETFL), state.flags)
  if (!serves) return withState(openAgain(given, state.flags), state)
  takers.set(given, state.flags)
  return shared(given, state, restore)
}

/** As inheritDescription, of a pipe: its ends are what differs in access, and nothing has a position. */
export function inheritEnd(
  given: LocalFd,
  state: DescriptionState,
  restore: RestoreContext,
): LocalFd {
  const takers = takersOf(restore)
  const isSame = ((must('fcntl', given, F.GETFL) ^ state.flags) & O.ACCMODE) === 0
  if (takers.has(given) || !isSame) return withState(openAgain(given, state.flags), state)
  takers.set(given, state.flags)
  return shared(given, state, restore)
}

function takersOf(restore: RestoreContext): Map<LocalFd, number> {
  const takers = taken.get(restore) ?? new Map<LocalFd, number>()
  taken.set(restore, takers)
  return takers
}

/** The given description itself. A failed restore gives it, which others may have too, its flags back. */
function shared(given: LocalFd, state: DescriptionState, restore: RestoreContext): LocalFd {
  const before = must('fcntl', given, F.GETFL)
  const kept = duplicate(given)
  restore.atEnd((succeeded) => {
    if (!succeeded) sys('fcntl', kept, F.SETFL, before & ~O.ACCMODE)
    close(kept)
  })
  return withState(duplicate(given), state)
}

const duplicate = (fd: LocalFd): LocalFd => localFd(must('fcntl', fd, F.DUPFD_CLOEXEC, 0))

function withState(fd: LocalFd, { flags, fown }: DescriptionState): LocalFd {
  if (flags & O.PATH) return fd
  checked(sys('fcntl', fd, F.SETFL, flags & ~NOT_SET), 'F_SETFL', { kind: 'inherited descriptor' })
  restoreSignal(fd, fown)
  return fd
}

/** Can a description of these flags do what one of the wanted ones could. */
function allows(given: number, wanted: number): boolean {
  const [has, needs] = [given & O.ACCMODE, wanted & O.ACCMODE]
  return (given & O.PATH) === (wanted & O.PATH) && (has === O.RDWR || has === needs)
}

/** Another description of the same object. */
function openAgain(given: LocalFd, flags: number): LocalFd {
  const access = (flags & (O.ACCMODE | O.PATH)) | O.NOCTTY | O.NONBLOCK
  const fd = tryOpen(`/proc/self/fd/${given}`, access)
  if (fd >= 0) return localFd(fd)
  const doing = ['reading', 'writing', 'reading and writing'][flags & O.ACCMODE] ?? 'this'
  return fail({
    code: 'conflict',
    reason: `descriptor ${given}, given by --inherit-fd, is not open for ${doing}, as the program's was`,
    remedy: 'open it the way that the program had it',
  })
}
