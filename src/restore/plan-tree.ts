import { fail } from '../errors/error.ts'
import { type NsPid, nsPid } from '../kernel/types.ts'
import type { RestoreTask } from '../resources/restore-model.ts'
import type { SessionTerminal } from '../resources/terminals/sessions.ts'

/** Which objects a new task shares with the one that clones it. */
export interface Shares {
  readonly vm: boolean
  readonly files: boolean
  readonly fs: boolean
  readonly sighand: boolean
}

/**
 * One step of making the tree. Pids are those of the images; a negative one is a helper's whose number
 * nobody will see: it gets any that no task needs.
 */
export type Step =
  /** The root, made by ourselves. */
  | { readonly do: 'spawn'; readonly pid: NsPid }
  /** `sibling`: the parent of the new task is that of the one which clones it (CLONE_PARENT). */
  | {
      readonly do: 'clone'
      readonly pid: NsPid
      readonly by: NsPid
      readonly sibling: boolean
      readonly helper: boolean
      readonly shares: Shares
    }
  | { readonly do: 'setsid'; readonly pid: NsPid }
  | { readonly do: 'setpgid'; readonly pid: NsPid; readonly group: NsPid }
  /** A session's leader takes its terminal, before anybody is born who is to have it too. */
  | { readonly do: 'take-terminal'; readonly pid: NsPid; readonly session: NsPid }
  /** A group comes to the foreground of its session's terminal. */
  | {
      readonly do: 'foreground'
      readonly pid: NsPid
      readonly session: NsPid
      readonly group: NsPid
    }
  /** A member of a session is without its terminal. */
  | { readonly do: 'leave-terminal'; readonly pid: NsPid; readonly session: NsPid }
  /** Orphans of its descendants become its children, or no longer. */
  | { readonly do: 'subreaper'; readonly pid: NsPid; readonly on: boolean }
  /** A helper ends and its parent reaps it. */
  | { readonly do: 'end-helper'; readonly pid: NsPid; readonly parent: NsPid }
  /** A task dies with the status that the images have, for its parent to reap later. */
  | { readonly do: 'die'; readonly pid: NsPid; readonly status: number }

const ALONE: Shares = { vm: false, files: false, fs: false, sighand: false }

/** The session and process group that a task outside the tree leads: ours, with --shell-job. */
const OUTER = nsPid(0)

/**
 * The order in which a tree is made, so that each task ends with its parent, session and group.
 *
 * A session cannot be joined: a task is born in it or leads it. A child of P that is in another
 * session than P was therefore
 * 1. born before P called setsid, in the session that P itself was born in; or
 * 2. is the clone of a sibling with CLONE_PARENT: a child of P that is in that session, or a helper in
 *    place of the session's leader, which has ended; or
 * 3. was the child of a process deeper in the tree that has ended, and came to P as a subreaper.
 * A group without its leader is led by a helper until all its members have joined.
 */
export function planTree(
  tasks: readonly RestoreTask[],
  shellJob: boolean,
  terminals: readonly SessionTerminal[] = [],
): Step[] {
  return new TreePlanner(tasks, shellJob, terminals).run()
}

interface Helper {
  readonly pid: NsPid
  readonly parent: NsPid
}

class TreePlanner {
  readonly #tasks: readonly RestoreTask[]
  readonly #byPid: ReadonlyMap<NsPid, RestoreTask>
  readonly #root: RestoreTask
  readonly #steps: Step[] = []
  /** Session of each task and helper that exists so far. */
  readonly #session = new Map<NsPid, NsPid>()
  readonly #helpers: Helper[] = []
  readonly #later: RestoreTask[] = []
  readonly #terminals: ReadonlyMap<NsPid, SessionTerminal>
  #unnamed = 0

  constructor(
    tasks: readonly RestoreTask[],
    shellJob: boolean,
    terminals: readonly SessionTerminal[],
  ) {
    this.#tasks = tasks
    this.#terminals = new Map(terminals.map((one) => [one.session, one]))
    this.#byPid = new Map(tasks.map((task) => [task.nsPid, task]))
    this.#root = tasks[0]!
    const { nsPid: pid, sid } = this.#root
    if (sid !== pid && sid !== OUTER && !shellJob)
      fail({
        code: 'conflict',
        reason: `the root, process ${pid}, belongs to session ${sid}, which is not part of the images`,
        remedy: 'give --shell-job to restore it into the session of this terminal',
      })
  }

  run(): Step[] {
    const root = this.#root
    this.#steps.push({ do: 'spawn', pid: root.nsPid })
    this.#session.set(root.nsPid, OUTER)
    this.#enter(root)
    for (const task of this.#later) this.#bearOrphan(task)
    this.#joinGroups()
    for (const { pid, parent } of this.#helpers.reverse())
      this.#steps.push({ do: 'end-helper', pid, parent })
    for (const { nsPid: pid, state, core } of this.#tasks)
      if (state === 'zombie') this.#steps.push({ do: 'die', pid, status: core.tc!.exit_code })
    return this.#steps
  }

  /** The session that a task is in at last. */
  #final({ sid }: RestoreTask): NsPid {
    return sid === this.#root.sid && sid !== this.#root.nsPid ? OUTER : sid
  }

  #isLeader(task: RestoreTask): boolean {
    return task.sid === task.nsPid
  }

  #childrenOf({ nsPid: pid }: RestoreTask): RestoreTask[] {
    return this.#tasks.filter((task) => task.ppid === pid && task !== this.#root)
  }

  /** The session that a task must be born in; undefined: any, since it leads one of its own. */
  #wish(task: RestoreTask): NsPid | undefined {
    if (!this.#isLeader(task)) return this.#final(task)
    for (const child of this.#childrenOf(task)) {
      const wish = this.#wish(child)
      if (wish !== undefined && wish !== task.nsPid && this.#canBeBornIn(task, wish)) return wish
    }
    return undefined
  }

  #canBeBornIn(task: RestoreTask, session: NsPid): boolean {
    const parent = this.#byPid.get(task.ppid)
    if (task === this.#root || !parent) return session === OUTER
    if (this.#final(parent) === session) return true
    return this.#isLeader(parent) && this.#canBeBornIn(parent, session)
  }

  /** What a task that exists now does next: early children, its session, all other children. */
  #enter(task: RestoreTask): void {
    const born = this.#session.get(task.nsPid)!
    const children = this.#childrenOf(task)
    const early = this.#isLeader(task) ? children.filter((child) => this.#wish(child) === born) : []
    for (const child of early) this.#bear(child, task.nsPid, false)
    if (this.#isLeader(task)) {
      const session = task.nsPid
      this.#steps.push({ do: 'setsid', pid: session })
      this.#session.set(session, session)
      if (this.#terminals.has(session))
        this.#steps.push({ do: 'take-terminal', pid: session, session })
    }
    const now = this.#session.get(task.nsPid)!
    const rest = children.filter((child) => !early.includes(child))
    const foreign = rest.filter((child) => !this.#isLeader(child) && this.#final(child) !== now)
    for (const child of rest) if (!foreign.includes(child)) this.#bear(child, task.nsPid, false)
    for (const child of foreign) this.#bearForeign(child, task)
  }

  #bear(task: RestoreTask, by: NsPid, sibling: boolean): void {
    const shares = this.#shares(task, by)
    this.#steps.push({ do: 'clone', pid: task.nsPid, by, sibling, helper: false, shares })
    this.#session.set(task.nsPid, this.#session.get(by)!)
    this.#enter(task)
  }

  /** Ways 2 and 3. */
  #bearForeign(child: RestoreTask, parent: RestoreTask): void {
    const session = this.#final(child)
    const isThere = (pid: NsPid) => this.#session.get(pid) === session
    const sibling = this.#childrenOf(parent).find(({ nsPid: pid }) => isThere(pid))
    const helper = this.#helpers.find(({ pid, parent: by }) => by === parent.nsPid && isThere(pid))
    const provider = sibling?.nsPid ?? helper?.pid
    if (provider !== undefined) {
      this.#bear(child, provider, true)
      return
    }
    if (this.#byPid.has(session) || [...this.#session.values()].includes(session)) {
      this.#later.push(child)
      return
    }
    this.#makeHelper(session, parent.nsPid)
    this.#steps.push({ do: 'setsid', pid: session })
    this.#session.set(session, session)
    this.#bear(child, session, true)
  }

  /** Way 3: a helper of that session has the task, and ends. */
  #bearOrphan(task: RestoreTask): void {
    const session = this.#final(task)
    const member = this.#tasks.find(
      ({ nsPid: pid }) => this.#session.get(pid) === session && this.#isAncestor(task.ppid, pid),
    )
    if (!member)
      fail({
        code: 'conflict',
        pid: task.nsPid,
        reason: `process ${task.nsPid} cannot be born in session ${session}: none of it is below its parent ${task.ppid}`,
      })
    const between = nsPid(-++this.#unnamed)
    this.#steps.push({ do: 'subreaper', pid: task.ppid, on: true })
    this.#cloneHelper(between, member.nsPid)
    this.#bear(task, between, false)
    this.#steps.push(
      { do: 'end-helper', pid: between, parent: member.nsPid },
      { do: 'subreaper', pid: task.ppid, on: false },
    )
  }

  #isAncestor(ancestor: NsPid, pid: NsPid): boolean {
    for (let at = this.#byPid.get(pid); at; at = this.#byPid.get(at.ppid))
      if (at.ppid === ancestor) return true
    return false
  }

  #makeHelper(pid: NsPid, parent: NsPid): void {
    this.#cloneHelper(pid, parent)
    this.#helpers.push({ pid, parent })
  }

  #cloneHelper(pid: NsPid, by: NsPid): void {
    this.#steps.push({ do: 'clone', pid, by, sibling: false, helper: true, shares: ALONE })
    this.#session.set(pid, this.#session.get(by)!)
  }

  #shares(task: RestoreTask, by: NsPid): Shares {
    const other = this.#byPid.get(by)
    if (task.state === 'zombie' || !other || other.state === 'zombie') return ALONE
    const vm = task.ids.vm_id === other.ids.vm_id
    return {
      vm,
      files: task.ids.files_id === other.ids.files_id,
      fs: task.ids.fs_id === other.ids.fs_id,
      // The kernel shares signal actions between those alone who share memory.
      sighand: vm && task.ids.sighand_id === other.ids.sighand_id,
    }
  }

  /** All are born in the group of their session's leader, or in ours. */
  #joinGroups(): void {
    const outerGroup = this.#byPid.has(this.#root.pgid) ? undefined : this.#root.pgid
    const joining = this.#tasks.filter(({ pgid, sid, nsPid: pid }) => {
      const isOuter = pgid === OUTER || (pgid === outerGroup && this.#session.get(pid) === OUTER)
      return pgid !== sid && !isOuter
    })
    const groups = new Map<NsPid, NsPid>()
    for (const { pgid, nsPid: pid } of joining) if (!groups.has(pgid)) groups.set(pgid, pid)
    const gone = [...this.#terminals.values()].flatMap((terminal) => this.#goneGroup(terminal))
    for (const [group, parent] of [...groups, ...gone]) {
      if (!this.#session.has(group)) this.#makeHelper(group, parent)
      this.#steps.push({ do: 'setpgid', pid: group, group })
    }
    // Those who lead a group themselves leave it last, when all others have joined.
    const members = joining.filter(({ pgid, nsPid: pid }) => pgid !== pid)
    const join = (leads: boolean) => {
      for (const { nsPid: pid, pgid } of members)
        if (groups.has(pid) === leads) this.#steps.push({ do: 'setpgid', pid, group: pgid })
    }
    join(false)
    for (const terminal of this.#terminals.values()) this.#setForeground(terminal)
    join(true)
    for (const [group] of gone) {
      const { pgid } = this.#byPid.get(group) ?? {}
      if (pgid !== undefined) this.#steps.push({ do: 'setpgid', pid: group, group: pgid })
    }
  }

  /**
   * The group in the foreground of a session without any member left (its job has ended just now), and
   * who is to bear a helper for it. A task that has its number, but is of another group, leads it for
   * the moment.
   */
  #goneGroup({ session, group }: SessionTerminal): [NsPid, NsPid][] {
    if (group === undefined || this.#tasks.some(({ pgid }) => pgid === group)) return []
    const task = this.#byPid.get(group)
    if (!task || (task.sid === session && task.nsPid !== session)) return [[group, session]]
    return fail({
      code: 'conflict',
      pid: group,
      reason: `process group ${group} cannot be in the foreground of session ${session}: it has no members, and process ${group} is of another session`,
    })
  }

  #setForeground({ session, group, without }: SessionTerminal): void {
    if (group !== undefined && group !== session) {
      // In the session that the tree was born in, any member may do it; its leader is not here.
      const member = this.#tasks.find((task) => task.pgid === group)
      const pid = session === OUTER ? member!.nsPid : session
      this.#steps.push({ do: 'foreground', pid, session, group })
    }
    for (const pid of without) this.#steps.push({ do: 'leave-terminal', pid, session })
  }
}
