import type { Feature } from './feature.ts'
import { fileFeatures } from './probes/files.ts'
import { memoryFeatures } from './probes/memory.ts'
import { namespaceFeatures } from './probes/namespaces.ts'
import { networkFeatures } from './probes/network.ts'
import { privilegeFeatures } from './probes/privileges.ts'
import { seccompFeatures } from './probes/seccomp.ts'
import { socketFeatures } from './probes/sockets.ts'
import { taskFeatures } from './probes/tasks.ts'

/** The only list of what `criu check` knows, in the order in which it is tried out. */
export const features: readonly Feature[] = [
  ...privilegeFeatures,
  ...taskFeatures,
  ...memoryFeatures,
  ...fileFeatures,
  ...socketFeatures,
  ...networkFeatures,
  ...seccompFeatures,
  ...namespaceFeatures,
]

/** Names that upstream's callers use for what has another name here. */
const ALIASES: Readonly<Record<string, string>> = {
  memory_tracking: 'mem_dirty_track',
  lazy_pages: 'uffd-noncoop',
}

export const featureOf = (name: string): Feature | undefined =>
  features.find((feature) => feature.name === (ALIASES[name] ?? name))
