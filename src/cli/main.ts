import type { Request } from '../options/argv.ts'
import type { Engine } from './engine.ts'
import type { Io } from './io.ts'

/**
 * A command line to its exit code. Modules are loaded as far as the request needs them: the
 * version prints within milliseconds, a refused option never loads the engine.
 */
export async function main(argv: readonly string[], engine: Engine, io: Io): Promise<number> {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    return (await import('./commands/version.ts')).versionCommand(io)
  }
  try {
    // Not for people: the library starts it (src/api).
    if (argv[0] === 'library' && argv.length === 1) {
      return await (await import('./library/serve.ts')).serveLibrary(engine)
    }
    return await run(argv, engine, io)
  } catch (error) {
    const { sentence } = await import('../errors/sentence.ts')
    io.err(`criu: ${sentence(error)}\n`)
    return (await import('../errors/exit.ts')).EXIT_FAILURE
  }
}

async function run(argv: readonly string[], engine: Engine, io: Io): Promise<number> {
  const { parseArgv } = await import('../options/argv.ts')
  const request = parseArgv(argv)
  switch (request.kind) {
    case 'version':
      return (await import('./commands/version.ts')).versionCommand(io)
    case 'help':
      return (await import('./commands/help.ts')).helpCommand(request.command, io)
    case 'nothing':
      return (await import('./commands/help.ts')).noCommand(io)
    case 'run':
      return runCommand(request, engine, io)
    default:
      return request satisfies never
  }
}

type Run = Extract<Request, { kind: 'run' }>

async function runCommand(request: Run, engine: Engine, io: Io): Promise<number> {
  const { command } = request
  const { commandTable } = await import('../options/commands.ts')
  if (!commandTable[command].supported) {
    return (await import('./commands/later.ts')).laterCommand(command)
  }
  if (command === 'completion') {
    return (await import('./commands/completion.ts')).completionCommand(request, io)
  }
  const { allOptions } = await import('../options/sources.ts')
  const options = await allOptions(request.options)
  if (options.some(({ name }) => name === 'close')) {
    ;(await import('./close.ts')).closeGiven(options)
  }
  switch (command) {
    case 'dump':
      return (await import('./commands/dump.ts')).dumpCommand(options, engine, io)
    case 'restore':
      return (await import('./commands/restore.ts')).restoreCommand(options, engine, io)
    case 'service':
      return (await import('./commands/service.ts')).serviceCommand(options)
    case 'swrk':
      return (await import('./commands/swrk.ts')).swrkCommand(request.words, options, engine, io)
    case 'exec':
      return (await import('./commands/exec.ts')).execCommand(request.words, options, io)
    case 'explain':
      return (await import('./commands/explain.ts')).explainCommand(options, io)
    case 'cpuinfo':
      return (await import('./commands/cpuinfo.ts')).cpuinfoCommand(request.words, options, io)
    case 'check':
      return (await import('./commands/check.ts')).checkCommand(options, io)
    case 'show':
      return (await import('./commands/show.ts')).showCommand(request.words, options, io)
    case 'diff':
      return (await import('./commands/diff.ts')).diffCommand(request.words, options, io)
    default:
      return (await import('./commands/later.ts')).laterCommand(command)
  }
}
