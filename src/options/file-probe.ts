import { isDirectory, isFile, tryStatSync } from '../kernel/fs.ts'
import type { FileStat } from '../kernel/stat.ts'

/** The few questions that checking options asks the file system; tests answer them themselves. */
export interface FileProbe {
  cwd(): string
  exists(path: string): boolean
  isDirectory(path: string): boolean
  isFile(path: string): boolean
}

export const realFiles: FileProbe = {
  cwd: () => process.cwd(),
  exists: (path) => tryStatSync(path) !== undefined,
  isDirectory: (path) => is(path, isDirectory),
  isFile: (path) => is(path, isFile),
}

function is(path: string, what: (stat: FileStat) => boolean): boolean {
  const stat = tryStatSync(path)
  return stat !== undefined && what(stat)
}
