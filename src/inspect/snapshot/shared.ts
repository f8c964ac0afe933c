import type { ImageDirectory } from '../../images/directory.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { VMA } from '../../images/vma-status.ts'

type VmaEntry = Messages['vma_entry']

/** Finds the content of shared mappings, which is in images of its own: pagemap-shmem-ID. */
export class SharedIds {
  readonly #memfds: ReadonlyMap<number, number>
  readonly #inodeOf: (file: number) => number | undefined

  /** `inodeOf`: the inode of a memfd in the images, by the id of the file; undefined: it is none. */
  constructor(images: ImageDirectory, inodeOf: (file: number) => number | undefined) {
    const inodes = images.tryReadAll('memfd') ?? []
    this.#memfds = new Map(inodes.map(({ inode_id, shmid }) => [Number(inode_id), shmid]))
    this.#inodeOf = inodeOf
  }

  /** Undefined: private, or of a file that is not in the images. Offsets there are `pgoff`. */
  of({ status, shmid }: VmaEntry): number | undefined {
    if (status & (VMA.anonShared | VMA.sysvIpc)) return Number(shmid)
    if ((status & VMA.fileShared) === 0) return undefined
    const inode = this.#inodeOf(Number(shmid))
    return inode === undefined ? undefined : this.#memfds.get(inode)
  }
}
