import type { Messages } from '../../images/gen/messages.ts'
import type { DumpContext, DumpTask, FdProbe, FoundDescriptor } from '../dump-model.ts'
import { isAnon } from '../events/anon.ts'
import type { RegisteredMapping } from '../memory/registered.ts'
import type { RestoreContext } from '../restore-model.ts'

export type UserfaultEntry = Messages['criuts_userfaultfd']

/** A userfaultfd of the tree, and what is registered with it. */
export interface FoundUserfault {
  readonly probe: FdProbe
  readonly id: number
  readonly fown: Messages['fown_entry']
  /** The task whose memory it watches; known once a registered mapping or a holder tells. */
  owner: DumpTask | undefined
  readonly mappings: RegisteredMapping[]
}

const found = new WeakMap<DumpContext, FoundUserfault[]>()

export function userfaultsOf(dump: DumpContext): FoundUserfault[] {
  const list = found.get(dump) ?? []
  found.set(dump, list)
  return list
}

export const isUserfault = ({ probe }: FoundDescriptor): boolean => isAnon(probe, 'userfaultfd')

const read = new WeakMap<RestoreContext, readonly UserfaultEntry[]>()

/** Entries of the image; none where it is absent. */
export function entriesOf(restore: RestoreContext): readonly UserfaultEntry[] {
  const all = read.get(restore) ?? restore.images.tryReadAll('criu-ts-userfaultfd') ?? []
  read.set(restore, all)
  return all
}
