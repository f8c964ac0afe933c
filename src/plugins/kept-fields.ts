import { fail } from '../errors/error.ts'
import type { Message } from '../images/message.ts'
import { ownFieldsOf, withOwnFields } from '../images/own-fields.ts'
import type { Kept } from './plugins.ts'

/** Fields of ours in the entry of an object that a plugin keeps; upstream skips them. */
const FIELD = { plugin: 15100, state: 15101, flags: 15102 } as const

/** The entry, with what the plugin keeps of its object. `flags`: of open(2), where it has a use. */
export function withKept<M extends Message>(entry: M, { plugin, state }: Kept, flags = 0): M {
  const fields = new Map<number, bigint | Uint8Array>([
    [FIELD.plugin, Buffer.from(plugin)],
    [FIELD.state, Buffer.from(JSON.stringify(state))],
    [FIELD.flags, BigInt(flags)],
  ])
  return withOwnFields(entry, fields)
}

/** What a plugin keeps of an entry's object; undefined: it is none of a plugin's. */
export function tryKeptOf(entry: Message): (Kept & { readonly flags: number }) | undefined {
  const fields = ownFieldsOf(entry)
  const [name, state, flags] = [FIELD.plugin, FIELD.state, FIELD.flags].map((f) => fields.get(f))
  if (!(name instanceof Uint8Array) || !(state instanceof Uint8Array)) return undefined
  const plugin = Buffer.from(name).toString('utf8')
  return { plugin, state: parsed(plugin, state), flags: Number(flags ?? 0n) }
}

function parsed(plugin: string, state: Uint8Array): Kept['state'] {
  try {
    return JSON.parse(Buffer.from(state).toString('utf8'))
  } catch (error) {
    const reason = `the state that plugin ${plugin} keeps is damaged`
    return fail({ code: 'image', file: 'files.img', reason }, error)
  }
}
