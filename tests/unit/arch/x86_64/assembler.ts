import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** What the system's assembler makes of a text in Intel syntax, as hexadecimal digits. */
export function assemble(lines: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'criu-as-'))
  const [object, binary] = [join(directory, 'code.o'), join(directory, 'code.bin')]
  try {
    const source = ['.intel_syntax noprefix', '.text', ...withLabels(lines), ''].join('\n')
    writeFileSync(join(directory, 'code.s'), source)
    run('as', '--64', '-o', object, join(directory, 'code.s'))
    run('objcopy', '-O', 'binary', '-j', '.text', object, binary)
    return readFileSync(binary).toString('hex')
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function run(...command: string[]): void {
  const done = Bun.spawnSync(command)
  if (done.exitCode !== 0) throw new Error(`${command.join(' ')}: ${done.stderr}`)
}

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The part of a source file between two texts, the first one of each that comes. */
export function sourceBetween(file: string, from: string, to: string): string {
  const path = resolve(import.meta.dir, '../../../../src/arch/x86_64', file)
  const text = readFileSync(path, 'utf8')
  const start = text.indexOf(from)
  const end = text.indexOf(to, start)
  if (start < 0 || end < 0) throw new Error(`${file}: no text between ${from} and ${to}`)
  return text.slice(start, end)
}

/** The assembly of `hex / * assembly * /` lines. */
export const inBlockComments = (source: string): string[] =>
  [...source.matchAll(/\/\*(.*?)\*\//g)].map((match) => match[1]!.trim())

/** The assembly of `bytes(…), // assembly` lines; what stands in brackets behind it is prose. */
export const inLineComments = (source: string): string[] =>
  [...source.matchAll(/,\s*\/\/ (.*)$/gm)].map((match) => match[1]!.replace(/ \([^)]*\)$/, ''))

/** Local names, so that a label called `loop` or `next` is no instruction. */
function withLabels(lines: readonly string[]): string[] {
  const labels = lines.flatMap((line) => /^(\w+):/.exec(line)?.[1] ?? [])
  return lines.map((line) =>
    labels.reduce(
      (text, name) =>
        text
          .replace(new RegExp(`^${name}:`), `.L${name}:`)
          .replace(new RegExp(` ${name}$`), ` .L${name}`)
          .replace(`+${name}]`, `+.L${name}]`),
      line,
    ),
  )
}
