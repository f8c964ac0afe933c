import { fail } from '../../errors/error.ts'
import type { ImageDirectory } from '../../images/directory.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { PAGE } from './model.ts'

type Mm = Messages['mm_entry']
type VmaEntry = Messages['vma_entry']

/** The memory of a process, and the process whose images have it. */
export interface AddressSpace {
  readonly owner: number
  readonly mm: Mm
  readonly vmas: readonly VmaEntry[]
}

/** Memory by process. Several may share one (CLONE_VM); then one of them alone has the images of it. */
export class AddressSpaces {
  readonly #images: ImageDirectory
  readonly #pids: readonly number[]
  #owners: ReadonlyMap<number, number> | undefined

  constructor(images: ImageDirectory, pids: readonly number[]) {
    this.#images = images
    this.#pids = pids
  }

  /** Undefined: a zombie, which has none any more. */
  of(pid: number): AddressSpace | undefined {
    const images = this.#images
    const owner = images.has('mm', pid) ? pid : this.#sharerOf(pid)
    const mm = owner === undefined ? undefined : images.tryReadOne('mm', owner)
    if (mm === undefined || owner === undefined) return undefined
    // Older images keep the mappings in a file of their own.
    const inMm = mm.vmas.length > 0 || !images.has('vmas', owner)
    const vmas = inMm ? mm.vmas : images.readAll('vmas', owner)
    for (const [i, vma] of vmas.entries()) {
      const place = inMm
        ? { file: images.pathOf('mm', owner), entry: 0 }
        : { file: images.pathOf('vmas', owner), entry: i }
      checkVma(vma, vmas[i - 1], place)
    }
    return { owner, mm, vmas }
  }

  #sharerOf(pid: number): number | undefined {
    const id = this.#idOf(pid)
    return id === undefined ? undefined : this.#allOwners().get(id)
  }

  #idOf(pid: number): number | undefined {
    return this.#images.tryReadOne('ids', pid)?.vm_id
  }

  #allOwners(): ReadonlyMap<number, number> {
    this.#owners ??= new Map(
      this.#pids.flatMap((pid): [number, number][] => {
        const id = this.#images.has('mm', pid) ? this.#idOf(pid) : undefined
        return id === undefined ? [] : [[id, pid]]
      }),
    )
    return this.#owners
  }
}

/** Mappings are of whole pages, rise, and do not overlap. */
function checkVma(
  { start, end }: VmaEntry,
  before: VmaEntry | undefined,
  place: { readonly file: string; readonly entry: number },
): void {
  const page = BigInt(PAGE)
  const sound = start % page === 0n && end % page === 0n && start < end
  if (sound && start >= (before?.end ?? 0n)) return
  const at = `0x${start.toString(16)}-0x${end.toString(16)}`
  const reason = `the mapping ${at} ${sound ? 'overlaps the one before' : 'is no range of pages'}`
  fail({ code: 'image', ...place, reason })
}
