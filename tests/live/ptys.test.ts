import { liveTest, refusalTest } from '../harness/live.ts'

liveTest('both sides in one process, the number kept', 'ptys pair')
liveTest('the master in a parent, the slave in its child', 'ptys parent-child')
liveTest('both sides shared by two processes', 'ptys shared')
liveTest('fifty at once', 'ptys many')
liveTest('numbers with gaps between, for those that come later', 'ptys gap')
liveTest('a slave opened several times, each with flags of its own', 'ptys opened-again')
liveTest('a master keeps its own flags', 'ptys master-flags')
liveTest('a master with O_ASYNC goes on to signal its owner', 'ptys asynchronous')
liveTest('owner and permissions of the slave', 'ptys node')
liveTest('owner and permissions of a slave that nobody has open', 'ptys node', {
  args: ['closed'],
})
liveTest('two instances of devpts with the same number', 'ptys instances')

liveTest('a master whose slave was closed', 'ptys slave-closed')
liveTest('a master whose slave was never opened waits', 'ptys never-opened')
liveTest('a locked one stays locked', 'ptys locked')
liveTest('a slave whose master is closed', 'ptys master-closed')
liveTest('a description that was hung up beside one that goes on', 'ptys hung-up')

liveTest('input in raw mode, not read yet', 'ptys raw-input')
liveTest('lines not read yet, ends of file, quoted newlines', 'ptys lines')
liveTest('lines that end by other characters', 'ptys other-ends')
liveTest('a line that is not finished', 'ptys open-line')
liveTest('input of a slave that was never opened', 'ptys early-input')
liveTest('input that is left in a closed slave', 'ptys left-input')
liveTest('output that the master has not read', 'ptys output')
liveTest('the last output of a closed slave', 'ptys last-output')
for (const piece of ['1', '100', '1000', '4096']) {
  liveTest(`as much output as goes in, in pieces of ${piece}`, 'ptys full-output', {
    args: [piece],
  })
  liveTest(`as much input as goes in, in pieces of ${piece}`, 'ptys full-input', {
    args: [piece],
  })
}
liveTest('more lines than the line discipline takes are interpreted once', 'ptys many-lines')

liveTest('every flag and character of termios', 'ptys modes')
liveTest('speeds that have no name', 'ptys speeds')
liveTest('EXTPROC', 'ptys external-processing')
liveTest('locked modes', 'ptys locked-modes')
liveTest('the size of the window, without a SIGWINCH', 'ptys window')
liveTest('exclusive use', 'ptys exclusive')
liveTest('output stopped by a call', 'ptys stopped')
liveTest('output stopped by ^S', 'ptys stopped-by-key')
liveTest('a stopped master', 'ptys master-stopped')
liveTest('packet mode', 'ptys packets')
for (const [what, bits] of [
  ['flushed input', 1],
  ['flushed output', 2],
  ['stopped output', 4],
  ['started output', 8],
  ['other characters for stopping', 16],
  ['^S and ^Q for stopping', 32],
  ['changed modes', 64],
  ['two flushed queues', 3],
  ['a flush and a stop', 6],
] as const)
  liveTest(`packet mode, ${what} not told yet`, 'ptys packet-status', { args: [`${bits}`] })

liveTest('a session with its terminal, and no signal out of nothing', 'ptys session')
liveTest('two sessions with a terminal each', 'ptys two-sessions')
liveTest('a job in the foreground and one in the background', 'ptys foreground')
liveTest('a group in the foreground that is gone', 'ptys foreground-gone')
liveTest('a member that left the terminal of its session', 'ptys without-terminal')
liveTest('/dev/tty beside the slave', 'ptys current')
liveTest('/dev/tty as the only way to the slave', 'ptys current', { args: ['only'] })
liveTest('a session whose leader has ended has no terminal', 'ptys leader-gone')
liveTest('^C still interrupts the foreground', 'ptys interrupt')
liveTest('closing the master hangs up the session', 'ptys hang-up-at-end')
liveTest('a job that was stopped since it wanted to read', 'ptys stopped-job')

liveTest('a virtual console', 'ptys device', { args: ['/dev/tty60'] })
liveTest('the console', 'ptys device', { args: ['/dev/console'] })
liveTest('a serial line', 'ptys device', { args: ['/dev/ttyS0'] })

refusalTest('a slave that is open outside of the tree', 'ptys outside-slave', [
  'master of pseudoterminal /dev/pts/[0-9]+, whose slave is open outside .*process [0-9]+, ptys',
])
refusalTest('a slave whose master is outside of the tree', 'ptys outside-master', [
  'terminal /dev/pts/[0-9]+, whose master is outside .*',
])
refusalTest('the terminal of a session outside of the tree', 'ptys outside-session', [
  'the terminal of session [0-9]+ .*outside of the tree',
])
refusalTest('another line discipline', 'ptys discipline', ['line discipline 27'])
