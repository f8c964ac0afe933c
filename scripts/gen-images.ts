/**
 * Writes src/images/gen from a protobuf FileDescriptorSet: types of all messages (messages.ts, no
 * code), enums (enums.ts) and the tables that the codec runs on (tables.ts). Run by gen-images.sh.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DescEnum, DescField, DescFile, DescMessage } from '@bufbuild/protobuf'
import { createFileRegistry, fromBinary, ScalarType } from '@bufbuild/protobuf'
import { FeatureSet_FieldPresence, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'

const scalars: Readonly<Partial<Record<ScalarType, readonly [table: string, type: string]>>> = {
  [ScalarType.INT32]: ['int32', 'number'],
  [ScalarType.UINT32]: ['uint32', 'number'],
  [ScalarType.SINT32]: ['sint32', 'number'],
  [ScalarType.INT64]: ['int64', 'bigint'],
  [ScalarType.UINT64]: ['uint64', 'bigint'],
  [ScalarType.SINT64]: ['sint64', 'bigint'],
  [ScalarType.FIXED32]: ['fixed32', 'number'],
  [ScalarType.FIXED64]: ['fixed64', 'bigint'],
  [ScalarType.BOOL]: ['bool', 'boolean'],
  [ScalarType.STRING]: ['string', 'string'],
  [ScalarType.BYTES]: ['bytes', 'Uint8Array'],
}

const flat = (name: string): string => name.replaceAll('.', '_')

/** The type as the table names it (`#` an enum, `.` a message), and as TypeScript does. */
function typeOf(field: DescField): readonly [table: string, type: string] {
  const { enum: enumeration, message, scalar } = field
  if (enumeration) return [`#${flat(enumeration.typeName)}`, flat(enumeration.typeName)]
  if (message) return [`.${flat(message.typeName)}`, flat(message.typeName)]
  const known = scalar === undefined ? undefined : scalars[scalar]
  if (known === undefined) throw new Error(`${field}: no codec for this type`)
  return known
}

function ruleOf(field: DescField): '!' | '?' | '*' {
  if (field.fieldKind === 'list') return '*'
  return field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED ? '!' : '?'
}

function defaultOf(field: DescField): string | undefined {
  if (field.fieldKind !== 'scalar' && field.fieldKind !== 'enum') return undefined
  const value = field.getDefaultValue()
  return value === undefined ? undefined : String(value)
}

function typeLines(message: DescMessage): string[] {
  const fields = byNumber(message).flatMap((field) => {
    const type = typeOf(field)[1]
    const note = ruleOf(field) === '?' ? defaultOf(field) : undefined
    const doc = note === undefined ? [] : [`  /** Absent means ${note}. */`]
    if (ruleOf(field) === '*') return [`  ${field.name}: ${type}[]`]
    if (ruleOf(field) === '!') return [`  ${field.name}: ${type}`]
    return [...doc, `  ${field.name}?: ${type} | undefined`]
  })
  return [`export interface ${flat(message.typeName)} extends Message {`, ...fields, '}', '']
}

function tableLine(message: DescMessage): string {
  const fields = byNumber(message).map((field) => {
    const preset = defaultOf(field)
    if (preset !== undefined && /^$|[ ']/.test(preset)) throw new Error(`${field}: default`)
    return [field.number, ruleOf(field), typeOf(field)[0], field.name, preset ?? '-'].join(' ')
  })
  return `  ${flat(message.typeName)}: '${fields.join(' ')}',`
}

function enumLines(enumeration: DescEnum): string[] {
  const name = flat(enumeration.typeName)
  return [
    `export const ${name} = {`,
    ...enumeration.values.map((value) => `  ${value.name}: ${value.number},`),
    '} as const',
    `export type ${name} = (typeof ${name})[keyof typeof ${name}]`,
    '',
  ]
}

const byNumber = (message: DescMessage): DescField[] =>
  message.fields.toSorted((a, b) => a.number - b.number)

function nested(messages: readonly DescMessage[]): DescMessage[] {
  return messages.flatMap((message) => [message, ...nested(message.nestedMessages)])
}

function write(name: string, lines: readonly string[]): void {
  const note = '// Made by scripts/gen-images.sh from src/images/proto; do not edit.'
  const directory = join(import.meta.dirname, '../src/images/gen')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, name), `${[note, ...lines].join('\n').trimEnd()}\n`)
}

const input = process.argv[2]
if (input === undefined) throw new Error('usage: gen-images.ts descriptor-set')
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(input)))
const files: DescFile[] = [...registry.files].toSorted((a, b) => (a.name < b.name ? -1 : 1))
const messages = files.flatMap((file) => nested(file.messages))
const enums = files.flatMap((file) => [
  ...file.enums,
  ...nested(file.messages).flatMap((message) => message.nestedEnums),
])
const messageNames = messages.map((message) => flat(message.typeName))
const enumNames = enums.map((enumeration) => flat(enumeration.typeName))
const used = enumNames.filter((name) =>
  messages.some((message) => message.fields.some((field) => typeOf(field)[1] === name)),
)

write('messages.ts', [
  "import type { Message } from '../message.ts'",
  `import type {\n${used.map((name) => `  ${name},`).join('\n')}\n} from './enums.ts'`,
  '',
  ...messages.flatMap(typeLines),
  '/** All messages by their name. */',
  'export interface Messages {',
  ...messageNames.map((name) => `  ${name}: ${name}`),
  '}',
])
write('enums.ts', [
  ...enums.flatMap(enumLines),
  '/** All enums by their name; nested ones as `message_enum`. */',
  `export const enums = {\n${enumNames.map((name) => `  ${name},`).join('\n')}\n}`,
])
write('tables.ts', [
  '/**',
  ' * One line a message, five words a field, by number: number, rule (`!` required, `?` optional,',
  ' * `*` repeated), type (`#` enum, `.` message), name, default or `-`. ../schema.ts reads a line when',
  ' * it is first used.',
  ' */',
  'export const tables = {',
  ...messages.map(tableLine),
  '} as const',
])
