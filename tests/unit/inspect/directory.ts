import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CriuError, type ErrorDetail } from '../../../src/errors/error.ts'

/** Images that CRIU wrote of a `sleep`, process 30101; without pages. */
export const fixtures = join(import.meta.dirname, '../images/fixtures')
export const pid = 30101

/** A directory of the test's own, with the fixtures' images where they are asked for. */
export class Work implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'criu-inspect-'))

  withFixtures(): this {
    cpSync(fixtures, this.path, { recursive: true })
    return this
  }

  file(name: string): string {
    return join(this.path, name)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** The error of a job that must fail with one of ours. */
export function detailOf(job: () => unknown): ErrorDetail {
  try {
    job()
  } catch (error) {
    if (error instanceof CriuError) return error.detail
    throw error
  }
  throw new Error('no error')
}
