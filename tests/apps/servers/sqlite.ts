import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client, ServerApp, Workplace } from './model.ts'
import { same, untilIt } from './patience.ts'
import { run } from './process.ts'

const FILES = ['written', 'read0', 'read1', 'read2']

/** Of sqlite-tree.py: sees its processes get on, and looks at the database as any other process may. */
class DatabaseReader implements Client {
  readonly #at: Workplace

  constructor(at: Workplace) {
    this.#at = at
  }

  async use(): Promise<void> {
    await this.ask()
    const [count, squares, written] = this.#query(
      'SELECT count(*), total(square) FROM t; SELECT squares FROM sums',
    ).split(/[|\n]/)
    same(Number(count) > 0, true, 'rows')
    same(squares, written, 'the sum of all squares')
  }

  /** Each process is further than it was. */
  async ask(): Promise<void> {
    for (const name of FILES) {
      const before = this.#number(name)
      while (this.#number(name) < before + 3) await Bun.sleep(5)
    }
  }

  async finish(): Promise<void> {
    await this.use()
    same(this.#query('PRAGMA integrity_check'), 'ok', 'integrity_check')
    same(this.#query('PRAGMA journal_mode'), 'wal', 'journal_mode')
    writeFileSync(join(this.#at.directory, 'stop'), '')
    same(readFileSync(join(this.#at.directory, 'err'), 'utf8'), '', 'complaints')
  }

  #number(name: string): number {
    return Number(readFileSync(join(this.#at.directory, name), 'utf8'))
  }

  #query(sql: string): string {
    const script = `.timeout 20000\n${sql.includes('PRAGMA') ? sql : `BEGIN; ${sql}; COMMIT`};\n`
    return run(['sqlite3', 'test.db'], { cwd: this.#at.directory, input: script }).trim()
  }
}

export const sqlite: ServerApp = {
  title: 'sqlite in WAL mode: a writer, readers, one of them in a transaction; the integrity check',
  command: ({ programs }) => ['/usr/bin/python3', join(programs, 'sqlite-tree.py')],
  arguments: ['--file-locks'],
  async connect(at) {
    for (const name of FILES) await untilIt(() => readFileSync(join(at.directory, name)))
    return new DatabaseReader(at)
  },
}
