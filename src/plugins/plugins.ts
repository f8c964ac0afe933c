import { CriuError, type ErrorDetail, fail } from '../errors/error.ts'
import { sentence } from '../errors/sentence.ts'
import type { Log } from '../log/log.ts'
import type { DeviceHook, DumpHook, Plugin, PluginJob, RestoreHook, State } from './plugin.ts'

/** A state, and whose it is: what the images keep. */
export interface Kept {
  readonly plugin: string
  readonly state: State
}

/**
 * The plugins of one job, in the order of their names. Everything that they throw becomes an error with
 * the plugin's and the hook's name.
 */
export class Plugins {
  readonly #all: readonly Plugin[]
  readonly #job: PluginJob
  readonly #log: Log
  readonly #used = new Set<string>()

  constructor(all: readonly Plugin[], job: PluginJob, log: Log) {
    this.#all = [...all].sort((a, b) => (a.name < b.name ? -1 : 1))
    this.#job = job
    this.#log = log
  }

  /** Names of those that keep something in the images. */
  get used(): readonly string[] {
    return [...this.#used].sort()
  }

  begin(): void {
    for (const plugin of this.#all) run(plugin, 'begin', () => plugin.begin?.(this.#job))
  }

  end(succeeded: boolean): void {
    for (const plugin of this.#all)
      this.#tolerate(() => run(plugin, 'end', () => plugin.end?.(this.#job, succeeded)))
  }

  /** Asks one after the other who keeps an object; `what` names it in the log. */
  dump<H extends DumpHook>(hook: H, object: Asked<H>, what: string): Kept | undefined {
    for (const plugin of this.#all) {
      const asked = plugin[hook] as ((object: Asked<H>, job: PluginJob) => unknown) | undefined
      if (asked === undefined) continue
      const found = run(plugin, hook, () => asked.call(plugin, object, this.#job))
      if (found === undefined) continue
      this.#log.info(`plugin ${plugin.name} keeps ${what}`)
      this.#used.add(plugin.name)
      return { plugin: plugin.name, state: jsonOf(plugin, hook, found) }
    }
    return undefined
  }

  /** Has the plugin of that name restore what it kept. */
  restore<R>(
    { plugin: name, state }: Kept,
    hook: RestoreHook,
    what: string,
    ...more: unknown[]
  ): R {
    const plugin = this.#all.find((one) => one.name === name)
    const restores = plugin?.[hook] as ((...args: unknown[]) => R) | undefined
    if (plugin === undefined || restores === undefined) return missing(name, hook, what)
    this.#log.info(`plugin ${name} restores ${what}`)
    return run(plugin, hook, () => restores.call(plugin, state, ...more, this.#job))
  }

  /** Tells every plugin of a process. */
  devices(hook: DeviceHook, pid: number): void {
    for (const plugin of this.#all) {
      if (plugin[hook] === undefined) continue
      this.#log.info(`plugin ${plugin.name}: ${hook} of process ${pid}`)
      run(plugin, hook, () => plugin[hook]?.(pid, this.#job))
    }
  }

  /** As devices, where nothing can be stopped any more: a failure is told of. */
  resumeAnyway(pids: readonly number[]): void {
    for (const pid of pids) this.#tolerate(() => this.devices('resumeDevicesLate', pid))
  }

  isLoaded(name: string): boolean {
    return this.#all.some((plugin) => plugin.name === name)
  }

  has(hook: keyof Plugin): boolean {
    return this.#all.some((plugin) => plugin[hook] !== undefined)
  }

  #tolerate(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#log.warn(sentence(error))
    }
  }
}

type Asked<H extends DumpHook> = Parameters<NonNullable<Plugin[H]>>[0]

/** Calls a hook; whatever it throws names the plugin. */
function run<T>(plugin: Plugin, hook: string, call: () => T): T {
  let result: T
  try {
    result = call()
  } catch (error) {
    if (error instanceof CriuError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    return fail({ code: 'plugin', plugin: plugin.name, hook, reason }, error)
  }
  if (!(result instanceof Promise)) return result
  result.catch(() => {})
  return unusable(plugin, hook, 'it returned a promise', 'tasks stand still: it must not wait')
}

/** What JSON makes of a state: what it cannot tell must not get lost silently. */
function jsonOf(plugin: Plugin, hook: string, state: unknown): State {
  if (isJson(state)) return state
  return unusable(plugin, hook, 'its state is more than JSON can tell', 'return plain values')
}

function isJson(value: unknown): value is State {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (Array.isArray(value)) return value.every(isJson)
  if (typeof value !== 'object') return false
  const isPlain = [Object.prototype, null].includes(Object.getPrototypeOf(value))
  return isPlain && Object.values(value).every(isJson)
}

/** A hook that returned what is of no use. */
export function unusable(
  plugin: Plugin | string,
  hook: string,
  reason: string,
  remedy?: string,
): never {
  const name = typeof plugin === 'string' ? plugin : plugin.name
  const detail: ErrorDetail = { code: 'plugin', plugin: name, hook, reason }
  return fail(remedy === undefined ? detail : { ...detail, remedy })
}

function missing(plugin: string, hook: string, what: string): never {
  const reason = `it keeps ${what}, and is not there`
  return unusable(plugin, hook, reason, 'give the directory that holds it with --libdir')
}
