import type { Client } from './model.ts'

/** A client that asks again and again, and notes whether it is answered. */
export class Traffic {
  readonly #client: Client
  readonly #end: Promise<void>
  #answers = 0
  #isStopped = false
  #error: unknown

  constructor(client: Client) {
    this.#client = client
    this.#end = this.#ask().catch((error) => {
      this.#error = error
    })
  }

  /** Answers until now do not count; those under way may still come in. */
  forget(): void {
    this.#answers = 0
  }

  /** No further answer, and no connection that was lost. */
  expectNone(when: string): void {
    if (this.#error) throw new Error(`${when}: ${this.#error}`)
    if (this.#answers > 0) throw new Error(`${when}: ${this.#answers} answers came`)
  }

  /** Ends with the answer that it waits for. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#end
    if (this.#error) throw this.#error
  }

  async #ask(): Promise<void> {
    do {
      await this.#client.ask()
      this.#answers++
    } while (!this.#isStopped)
  }
}
