import { fail } from '../errors/error.ts'
import type { Deadline } from '../job/deadline.ts'
import {
  existsSync,
  isDirectory,
  readdirSync,
  readFileSync,
  tryStatSync,
  writeFileSync,
} from '../kernel/fs.ts'
import { pause } from '../kernel/pause.ts'
import type { HostPid } from '../kernel/types.ts'

const POLL_MICROS = 500

const refuse = (reason: string): never =>
  fail({ code: 'option', option: '--freeze-cgroup', reason })

function versionOf(path: string): (typeof VERSIONS)[number] {
  const version = VERSIONS.find(({ control }) => existsSync(`${path}/${control}`))
  if (version) return version
  return refuse(`must name a freezer cgroup: ${path} has neither cgroup.freeze nor freezer.state`)
}

/** Processes of a cgroup and of those below it, which are frozen with it. */
function membersOf(path: string): Set<number> {
  const pids = readFileSync(`${path}/cgroup.procs`, 'utf8').match(/\d+/g) ?? []
  const below = readdirSync(path).filter((name) => {
    const stat = tryStatSync(`${path}/${name}`)
    return stat !== undefined && isDirectory(stat)
  })
  return new Set([
    ...pids.map(Number),
    ...below.flatMap((name) => [...membersOf(`${path}/${name}`)]),
  ])
}

/** How the two versions of cgroups freeze and tell that they have (cgroups(7)). */
const VERSIONS = [
  {
    // v2, and v2's own state file beside it
    control: 'cgroup.freeze',
    freeze: '1',
    thaw: '0',
    isFrozen: (path: string) => /^frozen 1$/m.test(readFileSync(`${path}/cgroup.events`, 'utf8')),
    wasFrozen: (path: string) => readFileSync(`${path}/cgroup.freeze`, 'utf8').trim() === '1',
  },
  {
    control: 'freezer.state',
    freeze: 'FROZEN',
    thaw: 'THAWED',
    isFrozen: (path: string) => readFileSync(`${path}/freezer.state`, 'utf8').trim() === 'FROZEN',
    wasFrozen: (path: string) => readFileSync(`${path}/freezer.state`, 'utf8').trim() !== 'THAWED',
  },
] as const

/**
 * A freezer cgroup that holds the tree still while it is collected (`--freeze-cgroup`), so that tasks
 * that fork quickly cannot run ahead of us. It is thawed as soon as every task has our interrupt
 * pending: a task in the freezer of version 1 cannot stop for a tracer.
 */
export class Freezer implements Disposable {
  readonly #path: string
  readonly #version: (typeof VERSIONS)[number]
  #frozen = false

  constructor(path: string, root: HostPid, deadline: Deadline) {
    const version = versionOf(path)
    const members = membersOf(path)
    if (members.has(process.pid)) refuse(`names ${path}, which criu itself is in`)
    if (!members.has(root)) refuse(`names ${path}, which process ${root} is not in`)
    this.#path = path
    this.#version = version
    if (version.wasFrozen(path))
      fail({
        code: 'conflict',
        path,
        reason: 'the freezer cgroup is frozen already',
        remedy: 'thaw it first',
      })
    this.#write(version.freeze)
    this.#frozen = true
    try {
      while (!version.isFrozen(path)) {
        deadline.check()
        pause(POLL_MICROS)
      }
    } catch (error) {
      this.thaw()
      throw error
    }
  }

  thaw(): void {
    if (!this.#frozen) return
    this.#frozen = false
    this.#write(this.#version.thaw)
  }

  [Symbol.dispose](): void {
    this.thaw()
  }

  #write(state: string): void {
    writeFileSync(`${this.#path}/${this.#version.control}`, state)
  }
}
