import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Compiles a C program with the system's compiler, runs it and gives what it printed. */
export function runC(source: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'criu-c-'))
  try {
    const file = join(directory, 'check.c')
    writeFileSync(file, source)
    run(['cc', '-w', '-o', join(directory, 'check'), file])
    return run([join(directory, 'check')])
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** What the preprocessor makes of a source, with its #define lines. */
export function preprocess(source: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'criu-c-'))
  try {
    const file = join(directory, 'check.c')
    writeFileSync(file, source)
    run(['cc', '-w', '-E', '-dD', '-o', join(directory, 'out'), file])
    return readFileSync(join(directory, 'out'), 'latin1')
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function run(command: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command)
  if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${stderr}`)
  return stdout.toString()
}
