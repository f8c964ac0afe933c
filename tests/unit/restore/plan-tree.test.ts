import { expect, test } from 'bun:test'
import { planTree, type Step } from '../../../src/restore/plan-tree.ts'
import { task } from './images.ts'

/** Steps in short: `2<1` a clone of 2 by 1, `2^1` one by its sibling 1, `S2` setsid, `G2:3` setpgid. */
function short(steps: readonly Step[]): string {
  return steps
    .map((step) => {
      switch (step.do) {
        case 'spawn':
          return `*${step.pid}`
        case 'clone':
          return `${step.pid}${step.helper ? 'h' : ''}${step.sibling ? '^' : '<'}${step.by}`
        case 'setsid':
          return `S${step.pid}`
        case 'setpgid':
          return `G${step.pid}:${step.group}`
        case 'take-terminal':
          return `T${step.pid}`
        case 'foreground':
          return `F${step.pid}:${step.group}`
        case 'leave-terminal':
          return `L${step.pid}`
        case 'subreaper':
          return `${step.on ? '+' : '-'}${step.pid}`
        case 'end-helper':
          return `!${step.pid}`
        case 'die':
          return `Z${step.pid}`
        default:
          return step satisfies never
      }
    })
    .join(' ')
}

/** Plays the steps and tells what each task ends as: `pid parent session group`. */
function outcome(steps: readonly Step[]): string[] {
  const made = new Map<number, { parent: number; session: number; group: number }>()
  const reaper = { pid: 0 }
  for (const step of steps) {
    const it = made.get(step.pid)
    if (step.do === 'spawn') made.set(step.pid, { parent: 0, session: 0, group: 0 })
    else if (step.do === 'clone') {
      const by = made.get(step.by)!
      made.set(step.pid, { ...by, parent: step.sibling ? by.parent : step.by })
    } else if (step.do === 'setsid') Object.assign(it!, { session: step.pid, group: step.pid })
    else if (step.do === 'setpgid') {
      const leader = made.get(step.group)
      expect(leader?.session).toBe(it!.session)
      it!.group = step.group
    } else if (step.do === 'subreaper') reaper.pid = step.on ? step.pid : 0
    else if (step.do === 'end-helper') {
      made.delete(step.pid)
      for (const child of made.values()) if (child.parent === step.pid) child.parent = reaper.pid
    }
  }
  return [...made].map(
    ([pid, { parent, session, group }]) => `${pid} ${parent} ${session} ${group}`,
  )
}

test('a leader takes its terminal before anybody is born who is to have it', () => {
  const tasks = [
    task({ pid: 1 }),
    task({ pid: 2, parent: 1, session: 1, group: 2 }),
    task({ pid: 3, parent: 1, session: 1 }),
  ]
  const [session, group, other] = tasks.map(({ nsPid }) => nsPid)
  const terminal = { session: session!, group: group!, without: [other!] }
  expect(short(planTree(tasks, false, [terminal]))).toBe('*1 S1 T1 2<1 3<1 G2:2 F1:2 L3')
})

test('a group in the foreground that is gone is led by a helper, or by the task of its number', () => {
  const tasks = [task({ pid: 1 }), task({ pid: 2, parent: 1, session: 1 })]
  const [session, second] = tasks.map(({ nsPid }) => nsPid)
  const terminal = { session: session!, without: [] }
  const steps = (group: number) =>
    short(planTree(tasks, false, [{ ...terminal, group: group as typeof second }]))
  expect(steps(9)).toBe('*1 S1 T1 2<1 9h<1 G9:9 F1:9 !9')
  expect(steps(2)).toBe('*1 S1 T1 2<1 G2:2 F1:2 G2:1')
})

test('a parent and its child are in one session', () => {
  const steps = planTree([task({ pid: 1 }), task({ pid: 2, parent: 1, session: 1 })], false)
  expect(short(steps)).toBe('*1 S1 2<1')
})

test('a child of a session that its parent has left was born before', () => {
  const tasks = [
    task({ pid: 1 }),
    task({ pid: 2, parent: 1 }),
    task({ pid: 3, parent: 2, session: 1 }),
  ]
  const steps = planTree(tasks, false)
  expect(short(steps)).toBe('*1 S1 2<1 3<2 S2')
  expect(outcome(steps)).toEqual(['1 0 1 1', '2 1 2 2', '3 2 1 1'])
})

test('a child of its brother’s session is cloned by him', () => {
  const tasks = [
    task({ pid: 1 }),
    task({ pid: 2, parent: 1 }),
    task({ pid: 3, parent: 1, session: 2 }),
  ]
  const steps = planTree(tasks, false)
  expect(short(steps)).toBe('*1 S1 2<1 S2 3^2')
  expect(outcome(steps)).toEqual(['1 0 1 1', '2 1 2 2', '3 1 2 2'])
})

test('a helper leads a session whose leader has ended, and is gone at the end', () => {
  const tasks = [
    task({ pid: 1 }),
    task({ pid: 3, parent: 1, session: 2 }),
    task({ pid: 4, parent: 1, session: 2 }),
  ]
  const steps = planTree(tasks, false)
  expect(short(steps)).toBe('*1 S1 2h<1 S2 3^2 4^3 !2')
  expect(outcome(steps)).toEqual(['1 0 1 1', '3 1 2 2', '4 1 2 2'])
})

test('an orphan that a subreaper adopted from deep in the tree comes to it again', () => {
  const tasks = [
    task({ pid: 1 }),
    task({ pid: 2, parent: 1, session: 1 }),
    task({ pid: 3, parent: 2 }),
    task({ pid: 4, parent: 1, session: 3 }),
  ]
  const steps = planTree(tasks, false)
  expect(short(steps)).toBe('*1 S1 2<1 3<2 S3 +1 -1h<3 4<-1 !-1 -1')
  expect(outcome(steps)).toEqual(['1 0 1 1', '2 1 1 1', '3 2 3 3', '4 1 3 3'])
})

test('a group without its leader is led by a helper until all have joined', () => {
  const tasks = [
    task({ pid: 1 }),
    task({ pid: 2, parent: 1, session: 1, group: 9 }),
    task({ pid: 3, parent: 1, session: 1, group: 9 }),
  ]
  const steps = planTree(tasks, false)
  expect(short(steps)).toBe('*1 S1 2<1 3<1 9h<2 G9:9 G2:9 G3:9 !9')
})

test('the leader of a group that others belong to may itself be in another one', () => {
  const tasks = [
    task({ pid: 1 }),
    task({ pid: 2, parent: 1, session: 1, group: 3 }),
    task({ pid: 3, parent: 1, session: 1, group: 2 }),
  ]
  expect(outcome(planTree(tasks, false))).toEqual(['1 0 1 1', '2 1 1 3', '3 1 1 2'])
})

test('zombies die last, with the status of the images', () => {
  const tasks = [
    task({ pid: 1 }),
    task({ pid: 2, parent: 1, session: 1, state: 'zombie', exitCode: 0x0500 }),
  ]
  expect(planTree(tasks, false).at(-1)).toEqual({ do: 'die', pid: tasks[1]!.nsPid, status: 0x500 })
})

test('a root of another session needs --shell-job, and then takes ours', () => {
  const tasks = [
    task({ pid: 5, session: 2, group: 4 }),
    task({ pid: 6, parent: 5, session: 2, group: 4 }),
    task({ pid: 7, parent: 5, session: 2, group: 7 }),
  ]
  expect(() => planTree(tasks, false)).toThrow(expect.objectContaining({ name: 'CriuError' }))
  expect(outcome(planTree(tasks, true))).toEqual(['5 0 0 0', '6 5 0 0', '7 5 0 7'])
})

test('what a task shares with its parent is shared by the clone', () => {
  const tasks = [
    task({ pid: 1 }),
    task({ pid: 2, parent: 1, session: 1, ids: { files_id: 1, fs_id: 1 } }),
  ]
  const step = planTree(tasks, false).at(-1)
  expect(step).toMatchObject({ shares: { vm: false, files: true, fs: true, sighand: false } })
})
