import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commands } from '../../../src/options/row.ts'
import { rowOf, table } from '../../../src/options/table.ts'

const unique = (words: readonly string[]): boolean => new Set(words).size === words.length
const present = (words: readonly (string | undefined)[]) =>
  words.filter((word) => word !== undefined)

describe('the table', () => {
  test('has every long name, short name and RPC field once', () => {
    expect(unique(table.map((row) => row.name))).toBe(true)
    expect(unique(present(table.map((row) => row.rpc)))).toBe(true)
  })

  test('has every short name once in a command, and for one kind of value', () => {
    for (const command of commands) {
      const own = table.filter(({ on, idle }) => [...on, ...idle].includes(command))
      expect(unique(present(own.map((row) => row.short)))).toBe(true)
    }
    const kinds = new Map(table.map((row) => [row.short, row.kind]))
    for (const row of table.filter((one) => one.short)) expect(kinds.get(row.short)).toBe(row.kind)
  })

  test('names only fields that criu_opts has', () => {
    const proto = join(import.meta.dir, '../../../src/images/proto/rpc.proto')
    expect(existsSync(proto)).toBe(true)
    const [, body] = /message criu_opts \{([^}]*)\}/.exec(readFileSync(proto, 'utf8')) ?? []
    for (const field of present(table.map((row) => row.rpc))) {
      expect(body).toMatch(new RegExp(`\\s${field} = \\d+`))
    }
  })

  test('gives no flag a name that begins with no- of another', () => {
    const negated = table.filter((row) => row.kind === 'flag').map((row) => `no-${row.name}`)
    expect(negated.filter((name) => rowOf(name) !== undefined)).toEqual([])
  })

  test('says for each option where it acts, and nothing twice', () => {
    for (const row of table) {
      expect(row.on.length).toBeGreaterThan(0)
      expect(row.on.filter((command) => row.idle.includes(command))).toEqual([])
    }
  })

  test('explains each option in one line', () => {
    for (const row of table) expect(row.help).toMatch(/^\S.{4,70}$/)
  })
})
