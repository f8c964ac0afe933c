import { TIOC } from '../kernel/constants/ioctl.ts'
import { SIG, SIG_HOW } from '../kernel/constants/signals.ts'
import type { Table } from '../kernel/table.ts'
import type { LocalFd } from '../kernel/types.ts'
import type { Step } from './plan-tree.ts'

export type TerminalStep = Extract<Step, { do: 'take-terminal' | 'foreground' | 'leave-terminal' }>

/** The calls of a step; the task has inherited `fd`, a descriptor of the terminal. */
export function addTerminalStep(table: Table, step: TerminalStep, fd: LocalFd): void {
  switch (step.do) {
    case 'take-terminal':
      table.call('ioctl', fd, TIOC.SCTTY, 0)
      break
    case 'leave-terminal':
      table.call('ioctl', fd, TIOC.NOTTY, 0)
      break
    case 'foreground': {
      // One in the background would be stopped for it, unless it blocks the signal.
      const ttou = table.space(8)
      ttou.view.setBigUint64(0, 1n << BigInt(SIG.TTOU - 1), true)
      const group = table.space(4)
      group.view.setInt32(0, step.group, true)
      table.call('rt_sigprocmask', SIG_HOW.BLOCK, ttou, 0, 8)
      table.call('ioctl', fd, TIOC.SPGRP, group)
      table.call('rt_sigprocmask', SIG_HOW.UNBLOCK, ttou, 0, 8)
      break
    }
    default:
      step satisfies never
  }
}
