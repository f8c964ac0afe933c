export type { Control } from './api/control.ts'
export { check, dump, explain, readImages, restore } from './api/jobs.ts'
export type { CheckOptions, DumpOptions, ExplainOptions, RestoreOptions } from './api/options.ts'
export type {
  CheckedFeature,
  CheckResult,
  DumpResult,
  ExplainedProcess,
  Explanation,
  RestoreResult,
} from './api/results.ts'
export type { Progress } from './api/wire.ts'
export { CriuError, type ErrorDetail, type Obstacle, type Outlook } from './errors/error.ts'
export type {
  Descriptor,
  DumpStatistics,
  ImageFile,
  Inventory,
  Mapping,
  MappingKind,
  Memory,
  Mount,
  OpenFile,
  PageRange,
  Process,
  ProcessState,
  SharedMemory,
  Snapshot,
  Socket,
  Stage,
  Thread,
} from './inspect/snapshot/model.ts'
export type {
  Plugin,
  PluginDevice,
  PluginFile,
  PluginJob,
  PluginLink,
  PluginMapping,
  PluginSocket,
  PluginSource,
  State,
} from './plugins/plugin.ts'
