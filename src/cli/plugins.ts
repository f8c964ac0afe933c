import type { JobLog } from '../log/file-log.ts'
import type { Plugins } from '../plugins/plugins.ts'

/** The part of a job's options that plugins are told. */
interface Options {
  readonly command: string
  readonly imagesDir: string
  readonly libdir: string | undefined
}

/** Does a job with the plugins of its `--libdir`, which are told of its beginning and end. */
export async function withPlugins<T>(
  { command, imagesDir, libdir }: Options,
  log: JobLog,
  body: (plugins: Plugins | undefined) => Promise<T>,
): Promise<T> {
  if (libdir === undefined || (command !== 'dump' && command !== 'restore')) return body(undefined)
  // For those who have some: nothing of this is loaded otherwise.
  const { loadPlugins } = await import('../plugins/load.ts')
  const plugins = await loadPlugins(libdir, { command, imagesDir }, log)
  let succeeded = false
  try {
    plugins.begin()
    const result = await body(plugins)
    succeeded = true
    return result
  } finally {
    plugins.end(succeeded)
  }
}
