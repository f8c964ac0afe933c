/**
 * Writes src/images/proto/*.proto (proto2) from a JSON file of format facts:
 * `{file: {imports, messages: {name: {fields: {name: {id, rule, type, default?}}, enums?}}, enums?}}`.
 *
 * Usage: bun scripts/make-protos.ts messages.json
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface FieldFact {
  readonly id: number
  readonly rule: 'required' | 'optional' | 'repeated'
  readonly type: string
  readonly default?: string
}
type EnumFact = Readonly<Record<string, number>>
interface MessageFact {
  readonly fields?: Readonly<Record<string, FieldFact>>
  readonly enums?: Readonly<Record<string, EnumFact>>
}
interface FileFact {
  readonly imports?: readonly string[]
  readonly messages?: Readonly<Record<string, MessageFact>>
  readonly enums?: Readonly<Record<string, EnumFact>>
}

const known = new Set(['id', 'rule', 'type', 'default'])

function fieldLine(name: string, field: FieldFact): string {
  const strange = Object.keys(field).filter((key) => !known.has(key))
  if (strange.length > 0) throw new Error(`${name}: unknown fact ${strange.join(', ')}`)
  const quoted = field.type === 'string' ? JSON.stringify(field.default) : field.default
  const suffix = field.default === undefined ? '' : ` [default = ${quoted}]`
  return `${field.rule} ${field.type} ${name} = ${field.id}${suffix};`
}

function enumLines(name: string, values: EnumFact): string[] {
  return [`enum ${name} {`, ...Object.entries(values).map(([n, id]) => `  ${n} = ${id};`), '}']
}

function messageLines(name: string, message: MessageFact): string[] {
  const enums = Object.entries(message.enums ?? {}).flatMap(([n, values]) => enumLines(n, values))
  const fields = Object.entries(message.fields ?? {}).map(([n, field]) => fieldLine(n, field))
  return [`message ${name} {`, ...[...enums, ...fields].map((line) => `  ${line}`), '}']
}

function fileText(file: FileFact): string {
  const blocks = [
    ['syntax = "proto2";'],
    (file.imports ?? []).map((name) => `import "${name}";`),
    ...Object.entries(file.enums ?? {}).map(([name, values]) => enumLines(name, values)),
    ...Object.entries(file.messages ?? {}).map(([name, message]) => messageLines(name, message)),
  ]
  const text = blocks.filter((block) => block.length > 0).map((block) => `${block.join('\n')}\n`)
  return text.join('\n')
}

const source = process.argv[2]
if (source === undefined) throw new Error('usage: make-protos.ts messages.json')
const target = join(import.meta.dirname, '../src/images/proto')
mkdirSync(target, { recursive: true })
const facts = JSON.parse(readFileSync(source, 'utf8')) as Record<string, FileFact>
for (const [name, file] of Object.entries(facts)) writeFileSync(join(target, name), fileText(file))
