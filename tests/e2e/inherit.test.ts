import { scenario } from './scenario.ts'

/** --inherit-fd and --external file, dev: descriptors of the caller in place of the tree's. */

const functions = `
  mkdir images
  link() { readlink /proc/$pid/fd/$1; }
  # What a restore calls the file behind fd 50: file[MOUNT:INODE], hexadecimal.
  file_id() {
    printf 'file[%x:%x]' $(sed -n 's/^mnt_id:[[:space:]]*//p' /proc/$pid/fdinfo/50) $(stat -Lc %i /proc/$pid/fd/50)
  }
  checkpoint() { works dump -t $pid -D images -o job.log -v4 "$@"; gone; }
  resume() { works restore -d -D images -o job.log -v4 "$@"; goes_on; }
`

/** Round after round into a pipe that a program of the caller's reads. */
const writes = (given: string): string => `${functions}
  begin inherit writer 50> >(cat >first)
  for round in 1 2 3; do
    name=$(link 50)
    works dump -t $pid -D images -R
    goes_on
    checkpoint
    resume --inherit-fd fd[60]:$name ${given}
    rm images/*
  done
  ends
`

scenario(
  'a pipe to a reader outside: another pipe takes its place, nothing written twice or lost',
  `${writes('60> >(cat >next.$round)')}
  sleep 0.2
  cat first next.1 next.2 next.3 >all
  seq $(wc -l <all) | cmp - all || failed "lines are missing, or are there twice"
`,
)

scenario(
  'the very same pipe, which the caller kept open',
  `${functions}
  exec 60> >(cat >all)
  begin inherit writer 50>&60
  for round in 1 2 3; do
    checkpoint
    resume --inherit-fd fd[60]:$(readlink /proc/self/fd/60)
    rm images/*
  done
  ends
  exec 60>&-
  sleep 0.2
  seq $(wc -l <all) | cmp - all || failed "lines are missing, or are there twice"
`,
)

scenario(
  'a file, and what is no pipe at all, take the place of a pipe',
  `${functions}
  begin inherit writer 50> >(cat >first)
  name=$(link 50)
  checkpoint
  resume --inherit-fd fd[60]:$name 60>second
  holds '[ "$(link 50)" = $dir/second ]'
  rm images/*
  checkpoint
  resume
  holds '[ "$(link 50)" = $dir/second ]'
  ends
`,
)

scenario(
  'without --inherit-fd a pipe to the outside is refused on restore, by name and with the remedy',
  `${functions}
  begin inherit writer 50> >(cat >first)
  name=$(link 50)
  checkpoint
  refuses 'process [0-9]+ .*fd 50.*pipe:\\[[0-9]+\\] whose read end was held outside' restore -d -D images
  refuses 'inherit-fd fd\\[N\\]:pipe:\\[[0-9]+\\]' restore -d -D images
  refuses 'descriptor 60, which is not open' restore -d -D images --inherit-fd fd[60]:$name
  refuses 'not open for writing' restore -d -D images --inherit-fd fd[60]:$name 60</proc
  resume --inherit-fd fd[60]:$name 60>/dev/null
  ends
`,
)

scenario(
  'a pipe whose reader has gone before the dump needs nothing',
  `${functions}
  begin inherit idle 50> >(sleep 0.1)
  within 5 '[ -z "$(pgrep -x sleep)" ]'
  checkpoint
  resume
  ends
`,
)

scenario(
  'what the tree had not read yet is in the pipe that it reads from now',
  `${functions}
  begin inherit reader 8 50< <(printf abcd; exec sleep 1000)
  name=$(link 50)
  checkpoint
  resume --inherit-fd fd[60]:$name 60< <(until [ -e more ]; do sleep 0.02; done; printf efgh; exec sleep 1000)
  touch more go
  goes_on
  ends
`,
)

scenario(
  'bytes in the new pipe cannot stand before those that the tree had not read',
  `${functions}
  begin inherit reader 4 50< <(printf abcd; exec sleep 1000)
  name=$(link 50)
  checkpoint
  exec 60< <(printf xyz; exec sleep 1000)
  sleep 0.2
  refuses 'holds 3 bytes already' restore -d -D images --inherit-fd fd[60]:$name
  exec 60< <(exec sleep 1000)
  resume --inherit-fd fd[60]:$name
  touch go
  goes_on
  ends
`,
)

scenario(
  'the inherited pipe is one description in the process and in its child',
  `${functions}
  begin inherit shared 50> >(cat >first)
  name=$(link 50)
  checkpoint
  resume --inherit-fd fd[60]:$name 60> >(cat >second)
  ends
  holds '[ -s second ]'
`,
)

scenario(
  'both ends of a pipe of the tree come from one descriptor, or from one each',
  `${functions}
  begin inherit both
  name=$(link 50)
  checkpoint
  mkfifo door other
  exec 60<>door
  resume --inherit-fd fd[60]:$name
  holds '[ "$(link 50)" = $dir/door ]'
  name=$(link 50)
  rm images/*
  checkpoint
  exec 62<>other 63<other 64>other 62>&-
  resume --inherit-fd fd[64]:\${name#/} --inherit-fd fd[63]:\${name#/}
  ends
`,
)

scenario(
  'a log file is replaced by the path that it had',
  `${functions}
  begin inherit text
  name=$(link 50)
  checkpoint
  rm text
  resume --inherit-fd fd[60]:\${name#/} 60>second
  holds '[ "$(link 50)" = $dir/second ]'
  rm images/*
  checkpoint
  resume --inherit-fd fd[60]:\${dir#/}/second 60> >(cat >third)
  ends
  sleep 0.2
  holds '[ -s second ] && [ -s third ]'
`,
)

scenario(
  'a descriptor for what the images do not have is told of, and does no harm',
  `${functions}
  begin inherit text
  checkpoint
  resume --inherit-fd fd[60]:pipe:[4711] 60>/dev/null
  holds 'grep -q "fd.60.:pipe:.4711. has no effect" images/job.log'
  ends
`,
)

scenario(
  'a failed restore leaves the inherited description as it was',
  `${functions}
  begin inherit writer 50> >(cat >first)
  name=$(link 50)
  checkpoint
  exec 60> >(cat >second)
  before=$(sed -n 's/^flags://p' /proc/self/fdinfo/60)
  printf '#!/bin/sh\\n[ $CRTOOLS_SCRIPT_ACTION != pre-resume ]\\n' >script
  chmod +x script
  refuses 'pre-resume' restore -d -D images --inherit-fd fd[60]:$name --action-script $dir/script
  holds '[ "$before" = "$(sed -n s/^flags://p /proc/self/fdinfo/60)" ]'
  resume --inherit-fd fd[60]:$name
  ends
`,
)

scenario(
  'an external file is not looked at, and comes back as the descriptor that was given',
  `${functions}
  echo content >one
  echo content2 >two
  begin inherit idle 50<one
  id=$(file_id)
  works dump -t $pid -D images -R --external $id
  rm one
  checkpoint --external $id
  refuses "process [0-9]+ .*fd 50.*external file" restore -d -D images
  resume --inherit-fd fd[60]:$id 60<two
  holds '[ "$(link 50)" = $dir/two ]'
  ends
`,
)

scenario(
  'an external file that is mapped as well',
  `${functions}
  echo content >one
  echo contents >two
  begin inherit mapped 50<one
  id=$(file_id)
  checkpoint --external $id
  refuses "memory .*external file" restore -d -D images
  resume --inherit-fd fd[60]:$id 60<two
  holds 'grep -q $dir/two /proc/$pid/maps'
  ends
`,
)

scenario(
  'a socket and a fifo held elsewhere may be external',
  `${functions}
  mkfifo door
  exec 61<>door 62>door 61>&-
  (exec 61<door; exec sleep 1000) & sleep 0.1
  begin inherit idle 50>&62 62>&-
  refuses 'external file\\[' dump -t $pid -D images
  checkpoint --external $(file_id)
  id=$("$program" show images/files.img 2>/dev/null | grep -o 'file\\[[^"]*' | head -1)
  refuses 'inherit-fd fd\\[N\\]:file' restore -d -D images
  name=$(grep -o 'inherit-fd fd.N.:file.[0-9a-f:]*.' out | head -1 | sed 's/.*N.://')
  resume --inherit-fd "fd[60]:$name" 60>/dev/null
  ends
`,
)

scenario(
  'an external device is opened at the path that restore is told, or inherited',
  `${functions}
  begin inherit device /dev/null zero
  checkpoint --external dev[1/3]:nothing
  refuses 'external dev.nothing' restore -d -D images
  refuses 'is no device' restore -d -D images --external dev[nothing]:$dir/log
  touch go
  resume --external dev[nothing]:/dev/zero
  holds '[ "$(link 50)" = /dev/zero ]'
  rm images/*
  checkpoint --external dev[1/5]:zeroes
  resume --inherit-fd fd[60]:dev[zeroes] 60<>/dev/zero
  ends
`,
)

scenario(
  'a device with a state of its own may be external',
  `${functions}
  begin inherit device /dev/fuse
  refuses 'fuse' dump -t $pid -D images
  checkpoint --external dev[10/229]:fuses
  resume --external dev[fuses]:/dev/fuse
  ends
`,
)
