import { fail } from '../../errors/error.ts'
import { EXIT_OK } from '../../errors/exit.ts'
import { Given } from '../../options/given.ts'
import type { RawOption } from '../../options/raw.ts'
import type { Io } from '../io.ts'

interface Request {
  readonly words: readonly string[]
  readonly options: readonly RawOption[]
}

/** `criu completion SHELL`: the script that teaches a shell our commands and options. */
export async function completionCommand({ words, options }: Request, io: Io): Promise<number> {
  new Given('completion', options)
  io.out(await script(words[0]))
  return EXIT_OK
}

async function script(shell: string | undefined): Promise<string> {
  switch (shell) {
    case 'bash':
      return (await import('../completion/bash.ts')).bashCompletion()
    case 'zsh':
      return (await import('../completion/zsh.ts')).zshCompletion()
    case 'fish':
      return (await import('../completion/fish.ts')).fishCompletion()
    default:
      return fail({
        code: 'option',
        option: 'completion',
        reason: `knows bash, zsh and fish, not ${shell}`,
      })
  }
}
