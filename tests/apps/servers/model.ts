import type { Terminal } from './terminal.ts'

/** What a server and its client are handed: all in namespaces of their own, as root. */
export interface Workplace {
  /** A directory of this run alone, readable for everybody. */
  readonly directory: string
  /** Where programs of these tests are: tests/apps/servers. */
  readonly programs: string
  /** Of a server that is a job of a shell. */
  readonly terminal: Terminal | undefined
}

/** A program from Debian that serves clients, who stay connected while it is dumped and restored. */
export interface ServerApp {
  /** Title of its test. */
  readonly title: string
  /** Is started, and restored, by a command in a user's terminal (--shell-job). */
  readonly isJob?: boolean
  /** What makes ready for the start; is not dumped. */
  prepare?(at: Workplace): void
  /** The server with its arguments; it stays in the foreground and is the tree's root. */
  command(at: Workplace): readonly string[]
  /** Further arguments of `criu dump` and `criu restore`: those that a user would give. */
  readonly arguments: readonly string[]
  /** Connects as soon as the server answers, and fills it with what is verified later. */
  connect(at: Workplace): Promise<Client>
}

/** Whoever uses the server, over connections that are never made anew. Each call throws at a wrong answer. */
export interface Client {
  /** Uses every connection, and holds what the server says against what it must be. */
  use(): Promise<void>
  /** Something short through every connection, again and again, also while the server is dumped. */
  ask(): Promise<void>
  /** A last look at everything, after which the server is told to end. */
  finish(): Promise<void>
}
