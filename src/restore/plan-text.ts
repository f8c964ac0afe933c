import { sentenceOf } from '../errors/sentence.ts'
import { displayPath } from '../kernel/proc/bytes.ts'
import type { RestoreTask } from '../resources/restore-model.ts'
import type { Plan } from './plan.ts'
import type { Shares, Step } from './plan-tree.ts'

/** The plan for a person: what would be made, in which order, and what stands in the way. */
export function printPlan({ model, steps, obstacles }: Plan): string {
  const lines = [
    `${model.tasks.length} processes, ${model.files.size} open files`,
    '',
    ...model.tasks.map(taskLine),
    '',
    'The tree is made so:',
    ...steps.map((step) => `  ${stepText(step)}`),
  ]
  if (obstacles.length > 0)
    lines.push('', sentenceOf({ code: 'obstacles', obstacles, restoring: true }))
  return `${lines.join('\n')}\n`
}

function taskLine(task: RestoreTask): string {
  const { nsPid: pid, ppid, pgid, sid, state, threads, fds, mm } = task
  const size = (mm?.vmas ?? []).reduce((sum, { start, end }) => sum + (end - start), 0n) >> 10n
  const name = displayPath(task.core.tc?.comm ?? '')
  const ids = `parent ${ppid}, group ${pgid}, session ${sid}`
  if (state === 'zombie') return `${pid} ${name}: a zombie; ${ids}`
  const parts = `${threads.length} threads, ${fds.length} descriptors, ${size} KiB mapped`
  return `${pid} ${name}: ${state}; ${ids}; ${parts}`
}

function stepText(step: Step): string {
  switch (step.do) {
    case 'spawn':
      return `${step.pid} is made by criu`
    case 'clone': {
      const what = step.helper ? `${step.pid}, a helper,` : `${step.pid}`
      const how = step.sibling ? ', as its sibling' : ''
      return `${what} is cloned by ${step.by}${how}${shared(step.shares)}`
    }
    case 'setsid':
      return `${step.pid} begins its session`
    case 'setpgid':
      return `${step.pid} enters process group ${step.group}`
    case 'take-terminal':
      return `${step.pid} takes the terminal of its session`
    case 'foreground':
      return `${step.pid} brings process group ${step.group} to the foreground`
    case 'leave-terminal':
      return `${step.pid} leaves the terminal of its session`
    case 'subreaper':
      return `${step.pid} ${step.on ? 'takes orphans' : 'takes orphans no more'}`
    case 'end-helper':
      return `${step.pid} ends and is reaped by ${step.parent}`
    case 'die':
      return `${step.pid} dies with status ${step.status}`
    default:
      return step satisfies never
  }
}

function shared({ vm, files, fs, sighand }: Shares): string {
  const names = [
    vm && 'memory',
    files && 'descriptors',
    fs && 'directories',
    sighand && 'signal actions',
  ].filter((name) => name !== false)
  return names.length > 0 ? `, sharing ${names.join(', ')}` : ''
}
