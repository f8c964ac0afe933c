import { F, FD } from '../kernel/constants/fcntl.ts'
import { must, sys } from '../kernel/sys.ts'
import { type LocalFd, localFd } from '../kernel/types.ts'
import { unusable } from './plugins.ts'

/** What a plugin says to be a descriptor of ours, made close-on-exec. */
export function takeDescriptor(value: unknown, plugin: string, hook: string): LocalFd {
  const isOpen =
    typeof value === 'number' &&
    Number.isInteger(value) &&
    value >= 0 &&
    sys('fcntl', value, F.GETFD) >= 0
  if (!isOpen) return unusable(plugin, hook, `it returned no open descriptor, but ${value}`)
  must('fcntl', value, F.SETFD, FD.CLOEXEC)
  return localFd(value)
}
