/** What of a socket no restore could bring back, and what can be done. */
export interface Refusal {
  /** Behind the name of the socket: `with messages not yet read`. */
  readonly what: string
  readonly remedy: string
  /** The option of the dump that helps, with its value. */
  readonly option?: string
}
