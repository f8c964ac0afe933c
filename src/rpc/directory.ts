import { fail } from '../errors/error.ts'
import { O } from '../kernel/constants/fcntl.ts'
import { readlinkSync } from '../kernel/fs.ts'
import { close, tryOpen } from '../kernel/sys.ts'
import type { LocalFd } from '../kernel/types.ts'
import type { Peer } from './socket.ts'

/**
 * Directories of a request, held open for as long as it is served. A name could lead elsewhere by the
 * next call, and the client, whose descriptor it is, may be gone before the end (a dump of itself).
 */
export class Directories implements Disposable {
  readonly #peer: Peer
  readonly #held: { readonly fd: number; readonly path: string; readonly name: string }[] = []

  constructor(peer: Peer) {
    this.#peer = peer
  }

  /** The path, good for us and for programs that we start, of a descriptor of the client. */
  ofDescriptor(fd: number, spelled: string): string {
    if (this.#peer.pid === 0)
      refuse(spelled, 'cannot be told: the client is in another pid namespace')
    return this.#hold(`/proc/${this.#peer.pid}/fd/${fd}`, spelled, `descriptor ${fd} of the client`)
  }

  /** The same of a path of the client. */
  ofPath(path: string, spelled: string): string {
    return this.#hold(path, spelled, path)
  }

  /** A sentence with names that say more to the client than ours do. */
  named(sentence: string): string {
    return this.#held.reduce((text, { path, name }) => text.replaceAll(path, name), sentence)
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#held.splice(0)) close(fd)
  }

  #hold(from: string, spelled: string, what: string): string {
    const fd = tryOpen(from, O.PATH | O.DIRECTORY)
    if (fd < 0) refuse(spelled, `names ${what}, which is no directory that can be opened`)
    const path = `/proc/${process.pid}/fd/${fd}`
    this.#held.push({ fd: fd as LocalFd, path, name: tryName(fd) ?? path })
    return path
  }
}

const refuse = (option: string, reason: string): never => fail({ code: 'option', option, reason })

function tryName(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return undefined
  }
}
