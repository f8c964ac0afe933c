import { Meter, noProgress, type Progress, type ProgressState } from '../job/progress.ts'
import { TIOC } from '../kernel/constants/ioctl.ts'
import { POLL } from '../kernel/constants/poll.ts'
import { scratch } from '../kernel/memory.ts'
import { sys } from '../kernel/sys.ts'
import type { JobLog } from '../log/file-log.ts'

const STDERR = 2

/** Milliseconds: a job that is over before is not worth a line; and how often the line changes. */
const timing = { delay: 500, interval: 100 }

/** The line of a job on standard error, if that is a terminal that knows more than plain text. */
export function terminalProgress(command: string, log: JobLog): Progress {
  if (columns() === undefined || process.env.TERM === 'dumb') return noProgress
  const line = new Line(command)
  log.beforeLines(() => line.clear())
  return line
}

class Line extends Meter {
  #drawn = false

  constructor(command: string) {
    super((state) => this.#draw(`${command}: ${progressText(state)}`), timing)
  }

  /** Takes the line away, before anything else is written there. */
  clear(): void {
    if (this.#drawn && mayDraw()) write('\r\x1b[K')
    this.#drawn = false
  }

  override end(): void {
    super.end()
    this.clear()
  }

  /** The cursor stays at the beginning of the line: what somebody else writes stands there. */
  #draw(text: string): void {
    if (!mayDraw()) return
    write(`\r\x1b[K${text.slice(0, (columns() ?? 80) - 1)}\r`)
    this.#drawn = true
  }
}

/** The stage; bytes, rate and time left, as far as there are any. */
export function progressText({ stage, bytes, total, rate, left }: ProgressState): string {
  const parts = [stage]
  if (total > 0) parts.push(`${sizeText(bytes)} of ${sizeText(total)}`)
  if (rate > 0) parts.push(`${sizeText(rate)}/s`)
  if (left !== undefined) parts.push(`${timeText(left)} left`)
  return parts.join(', ')
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

function sizeText(bytes: number): string {
  let [size, unit] = [bytes, 0]
  for (; size >= 1000 && unit < units.length - 1; unit++) size /= 1024
  return `${unit > 0 && size < 10 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`
}

function timeText(seconds: number): string {
  const whole = Math.ceil(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** Width of the terminal; undefined if it is none. */
function columns(): number | undefined {
  using s = scratch()
  const size = s.take(8)
  if (sys('ioctl', STDERR, TIOC.GWINSZ, size.address) < 0) return undefined
  return size.view.getUint16(2, true) || 80
}

/**
 * Tasks may be stopped: we must not be. A job in the background would be by what it writes (stty tostop),
 * and one whose terminal was held by ^S would wait in write(2).
 */
function mayDraw(): boolean {
  using s = scratch()
  const group = s.take(8)
  const known = sys('ioctl', STDERR, TIOC.GPGRP, group.address) === 0
  if (known && group.view.getInt32(0, true) !== sys('getpgrp')) return false
  const poll = s.take(8)
  poll.view.setInt32(0, STDERR, true)
  poll.view.setInt16(4, POLL.OUT, true)
  return sys('poll', poll.address, 1, 0) === 1 && poll.view.getInt16(6, true) === POLL.OUT
}

function write(text: string): void {
  using s = scratch()
  const memory = s.put(Buffer.from(text))
  sys('write', STDERR, memory.address, memory.bytes.length)
}
