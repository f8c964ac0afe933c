import { fail } from '../errors/error.ts'
import type { Log } from '../log/log.ts'
import type { Plugin, PluginJob } from './plugin.ts'
import { Plugins } from './plugins.ts'
import { trustedDirectory } from './trust.ts'

/** Modules that are plugins; declarations (`.d.ts`) are for compilers. */
const MODULE = /(?<!\.d)\.(?:m?js|m?ts)$/
const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/i

const hooks = {
  begin: 'supported',
  end: 'supported',
  dumpExtFile: 'supported',
  restoreExtFile: 'supported',
  dumpUnixSk: 'supported',
  restoreUnixSk: 'supported',
  handleDeviceVma: 'supported',
  updateVmaMap: 'supported',
  pauseDevices: 'supported',
  checkpointDevices: 'supported',
  resumeDevicesLate: 'supported',
  dumpExtMount: 'mount namespaces are not supported yet',
  restoreExtMount: 'mount namespaces are not supported yet',
  dumpExtLink: 'network namespaces are not supported yet',
} as const satisfies Record<Exclude<keyof Plugin, 'name'>, string>

/** The hook that restores what another one kept. */
const partners = [
  ['dumpExtFile', 'restoreExtFile'],
  ['dumpUnixSk', 'restoreUnixSk'],
  ['handleDeviceVma', 'updateVmaMap'],
] as const

/**
 * The plugins of a directory, the modules right in it. What they share may stand in directories below.
 */
export async function loadPlugins(
  directory: string,
  job: Omit<PluginJob, 'info' | 'warn'>,
  log: Log,
): Promise<Plugins> {
  const { path, files } = trustedDirectory(directory)
  const found: Plugin[] = []
  for (const file of files.filter((name) => MODULE.test(name))) {
    found.push(await loadOne(file, found))
  }
  const told = found.map(({ name }) => name).sort()
  log.info(`plugins of ${path}: ${told.join(', ') || 'none'}`)
  const whole = {
    ...job,
    info: (text: string) => log.info(text),
    warn: (text: string) => log.warn(text),
  }
  return new Plugins(found, whole, log)
}

async function loadOne(file: string, others: readonly Plugin[]): Promise<Plugin> {
  const module = await load(file)
  const plugin = (module as { default?: unknown }).default
  if (typeof plugin !== 'object' || plugin === null) {
    return refuse(file, 'has no default export that is a plugin', 'see docs/plugins.md')
  }
  const { name } = plugin as Plugin
  if (typeof name !== 'string' || !NAME.test(name)) {
    return refuse(file, 'has no name of letters, digits and dashes')
  }
  if (others.some((one) => one.name === name)) refuse(file, `has the name of another one: ${name}`)
  checkHooks(file, plugin as Plugin)
  return plugin as Plugin
}

/** By its absolute path, from the disk, also in the compiled program. */
function load(file: string): Promise<unknown> {
  return import(file).catch((error: unknown) =>
    refuse(file, `could not be loaded: ${error instanceof Error ? error.message : error}`),
  )
}

function checkHooks(file: string, plugin: Plugin): void {
  for (const [hook, why] of Object.entries(hooks) as [keyof typeof hooks, string][]) {
    const value = plugin[hook]
    if (value === undefined) continue
    if (typeof value !== 'function') refuse(file, `has a hook that is no function: ${hook}`)
    if (why !== 'supported') refuse(file, `has the hook ${hook}: ${why}`)
  }
  const unknown = namesOf(plugin).find((name) => looksLikeHook(name) && !(name in hooks))
  if (unknown !== undefined) refuse(file, `has a hook that criu does not know: ${unknown}`)
  for (const [dump, restore] of partners) {
    if (plugin[dump] && !plugin[restore]) refuse(file, `has ${dump}, but not ${restore}`)
  }
}

/** Other members are the plugin's own affair; a mistyped hook would silently never be called. */
const looksLikeHook = (name: string): boolean =>
  /^(dump|restore|handle|update|pause|checkpoint|resume)[A-Z]/.test(name)

const namesOf = (plugin: object): string[] =>
  Object.entries(plugin).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []))

function refuse(file: string, reason: string, remedy?: string): never {
  const option = `plugin ${file}`
  return fail({ code: 'option', option, reason, ...(remedy !== undefined && { remedy }) })
}
