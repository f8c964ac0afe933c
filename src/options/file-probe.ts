import { statSync } from 'node:fs'

/** The few questions that checking options asks the file system; tests answer them themselves. */
export interface FileProbe {
  cwd(): string
  exists(path: string): boolean
  isDirectory(path: string): boolean
  isFile(path: string): boolean
}

export const realFiles: FileProbe = {
  cwd: () => process.cwd(),
  exists: (path) => tryStat(path) !== undefined,
  isDirectory: (path) => tryStat(path)?.isDirectory() ?? false,
  isFile: (path) => tryStat(path)?.isFile() ?? false,
}

const tryStat = (path: string) => statSync(path, { throwIfNoEntry: false })
