import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The reference of the library in Markdown: each export of src/index.ts with its comment and its
 * declaration, as they stand in the sources. Types whose name says it have no comment. Formatted sources make that simple: a declaration begins
 * with `export` and ends with the first line that begins with `}`, or at a blank line.
 */
export function apiReference(root: string, optionTypes: string): string {
  const sections = exportsOf(read(root, 'src/index.ts')).map(({ name, file }) => {
    const text = file === './api/options.ts' ? optionTypes : read(root, join('src', file))
    return section(name, declarationOf(name, text, file))
  })
  return [intro, ...sections].join('\n')
}

const read = (root: string, path: string): string => readFileSync(join(root, path), 'utf8')

const intro = `# The library

<!-- Made by scripts/gen-api.ts from the types. Do not edit. -->

\`\`\`js
import { dump, restore } from 'criu-ts'

await dump({ tree: 1234, imagesDir: 'images', leaveRunning: true })
const { pid } = await restore({ imagesDir: 'images' })
\`\`\`

It is for Node from version 20 on, and for Bun; [library.md](library.md) says how it works, what
\`npm install\` brings, and what to mind. Names of options are those of the command line in camel case:
\`--leave-running\` is \`leaveRunning\`. Configuration files hold for the library as well.
`

interface Export {
  readonly name: string
  readonly file: string
}

/** Functions and classes first, then types, each in the order of the index. */
function exportsOf(index: string): Export[] {
  const found: (Export & { readonly isType: boolean })[] = []
  for (const [, type, names, file] of index.matchAll(
    /^export (type )?\{([^}]*)\} from '([^']+)'$/gm,
  )) {
    for (const word of names!.split(',')) {
      const name = word.trim().replace(/^type /, '')
      if (name === '') continue
      const isType = type !== undefined || word.trim().startsWith('type ')
      found.push({ name, file: file!, isType })
    }
  }
  return [...found.filter(({ isType }) => !isType), ...found.filter(({ isType }) => isType)]
}

interface Declaration {
  readonly comment: string
  readonly code: string
}

function declarationOf(name: string, text: string, file: string): Declaration {
  const head = new RegExp(
    `^export (?:async )?(?:function|class|interface|type|const) ${name}\\b`,
    'm',
  )
  const at = head.exec(text)?.index
  if (at === undefined) throw new Error(`${file} does not declare ${name}`)
  const before = text.slice(0, at)
  const [, comment = ''] = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n$/.exec(before) ?? []
  return { comment: plain(comment), code: codeOf(text.slice(at)) }
}

/** A comment without its stars; references without braces, in code. */
const plain = (comment: string): string =>
  comment
    .replace(/^[ \t]*\* ?/gm, '')
    .replace(/\{@link (\w+)\}/g, '`$1`')
    .replace(/@throws \{(\w+)\}/g, 'Throws `$1`:')
    .trim()

function codeOf(text: string): string {
  const isFunction = /^export (?:async )?function/.test(text)
  if (isFunction) return text.slice(0, text.indexOf(' {\n')).replace(/^export (?:async )?/, '')
  const end = /^\}$|\n\n/m.exec(text)
  const whole = end === null ? text : text.slice(0, end.index + (end[0] === '}' ? 1 : 0))
  return whole.trimEnd().replace(/^export /, '')
}

const section = (name: string, { comment, code }: Declaration): string =>
  `## ${name}\n\n${comment === '' ? '' : `${comment}\n\n`}\`\`\`ts\n${code}\n\`\`\`\n`
