export type { Control } from './api/control.ts'
export { dump, restore } from './api/jobs.ts'
export type { DumpOptions, RestoreOptions } from './api/options.ts'
export type { DumpResult, RestoreResult } from './api/results.ts'
export type { Progress } from './api/wire.ts'
export { CriuError, type ErrorDetail, type Obstacle } from './errors/error.ts'
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
