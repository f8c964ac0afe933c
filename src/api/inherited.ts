import { fstatSync } from 'node:fs'
import { CriuError } from '../errors/error.ts'

/** Descriptors that the engine gets from us, and the options that name them as it has them. */
export interface Inherited {
  readonly options: Readonly<Record<string, unknown>>
  /** Ours, in the order in which the engine has them. */
  readonly fds: readonly number[]
}

/** Where the engine has the first one, behind its standard streams. */
const FIRST = 3

/**
 * `inheritFd: ['fd[7]:NAME']` names a descriptor of the caller: the engine has it under another number.
 * Texts that name none stay as they are; the engine says what is wrong with them.
 */
export function passInherited(options: Readonly<Record<string, unknown>>): Inherited {
  const given = options.inheritFd
  if (!Array.isArray(given)) return { options, fds: [] }
  const fds: number[] = []
  const inheritFd = given.map((text: unknown) => {
    const [, number, rest] = /^fd\[(\d{1,9})\](:.+)$/s.exec(String(text)) ?? []
    if (rest === undefined) return text
    fds.push(openDescriptor(Number(number)))
    return `fd[${FIRST + fds.length - 1}]${rest}`
  })
  return { options: { ...options, inheritFd }, fds }
}

function openDescriptor(fd: number): number {
  try {
    fstatSync(fd)
    return fd
  } catch (cause) {
    const reason = `names descriptor ${fd}, which is not open`
    const error = new CriuError({ code: 'option', option: 'inheritFd', reason }, { cause })
    error.message = `inheritFd ${reason}`
    throw error
  }
}
