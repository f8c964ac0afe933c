/**
 * What the manual page says of an option besides its line in the table; paragraphs. `*bold*` and
 * `_italic_` are marked so.
 */
export const manual: Readonly<Record<string, readonly string[]>> = {
  verbosity: [
    '0 is silence, 1 errors, 2 warnings as well (the default), 3 stages with their times, 4 everything: each table of system calls that ran inside a task. Each plain *-v* adds 1; *-v4* sets.',
  ],
  'log-file': [
    'The file is in the work directory. One that exists is emptied and kept. *-* is standard output.',
  ],
  'images-dir': ['For *restore*, where the images are; for *dump*, where they go. It must exist.'],
  pidfile: ['The file is in the work directory and must not exist. *service* writes its own pid.'],
  close: ['May be given several times. Descriptors of the runtime itself are refused.'],
  'action-script': [
    'An existing file is run as it is; anything with a blank in it is a command line for /bin/sh. May be given several times. *CRTOOLS_SCRIPT_ACTION* names the hook: pre-dump, network-lock, post-dump and network-unlock of a dump; pre-restore, setup-namespaces, post-setup-namespaces, post-restore, network-unlock, pre-resume and post-resume of a restore. A script that fails makes the job fail, but for the last one. See *ENVIRONMENT*.',
  ],
  'leave-running': [
    'What the tasks do from then on is not in the images: files change, and the other ends of connections hear of it. Restore with the files as they were.',
  ],
  'leave-stopped': ['They go on with SIGCONT.'],
  'shell-job': [
    'Session and process group of the root are those of whoever restores it, and a terminal of the outside is the restorer’s. To be given at dump and at restore.',
  ],
  'link-remap': [
    'A file that was unlinked by the name under which it was opened, and has another, gets a name for the time between dump and restore: link_remap.N in the directory where it was.',
  ],
  'ghost-limit': ['A larger one makes the dump fail. *K*, *M* and *G* stand behind the number.'],
  timeout: [
    'If tasks cannot be stopped by then, the dump fails and all go on. A system call of *exec* that has not returned by then is interrupted. 10 by default; 0 is no limit.',
  ],
  'freeze-cgroup': [
    'The directory of a group of the freezer (version 1) or of cgroup2. It is frozen while the tasks are collected, so that none is made meanwhile.',
  ],
  'cpu-cap': [
    'At dump, *cpu* and *ins* have cpuinfo.img written. At restore, *cpu* asks for the very same features, *ins* for all that programs may use, *fpu* for the parts of the extended state that the threads use; *none* compares nothing. *^* in front takes one away. Without a list all are meant. Without the option *fpu* and, if the images tell of it, *ins* are compared.',
  ],
  'restore-sibling': ['It becomes a child of our parent. Only with *-d*.'],
  'exec-cmd': ['criu is replaced by the command, which is then the parent of the tree.'],
  'ext-unix-sk': [
    'Numbers of inodes, with commas between; without them, any. The socket’s end in the tree is saved; at restore a connection to the same address is made, or *--inherit-fd* gives one.',
  ],
  'tcp-established': [
    'Packets are held back from the dump on until the restore, so that the other end notices a delay at most. The addresses must be there when it is restored.',
  ],
  'network-lock': ['Without it, what the kernel can do: nf_tables first.'],
  'tcp-close': ['Programs find their connections reset. At dump: nothing of them is saved.'],
  external: [
    '*dev[*_MAJOR_*/*_MINOR_*]:*_NAME_ at dump and *dev[*_NAME_*]:*_PATH_ at restore; *file[*_MOUNT_*:*_INODE_*]*, *tty[*_RDEV_*:*_DEV_*]* in hexadecimal, and *unix[*_INODE_*]*: the object is not looked at, and *--inherit-fd* gives what takes its place. May be given several times.',
  ],
  'inherit-fd': [
    'RESOURCE is as /proc/PID/fd showed it at dump: *pipe:[*_N_*]*, *socket:[*_N_*]*, *file[*_MOUNT_*:*_INODE_*]*, *tty[*_RDEV_*:*_DEV_*]*, or a path without its first slash. May be given several times.',
  ],
  'file-validation': [
    '*buildid*, the default: a mapped program or library is the same if its build-id is; where it has none, and for all other files, the size tells. *filesize*: always the size.',
  ],
  'ghost-fiemap': [
    'Quicker for files with many holes. Where the file system has no FIEMAP, lseek(2) tells.',
  ],
  feature: ['May be given several times. *list* prints the names.'],
  extra: ['What is missing costs those trees alone that use it; criu says which.'],
  'status-fd': ['The descriptor is closed after that.'],
  config: ['See *CONFIGURATION FILES*.'],
  'no-default-config': ['CRIU_CONFIG_FILE and *--config* are read all the same.'],
  address: ['criu_service.socket in the work directory, unless told otherwise.'],
  html: [
    'It shows processes, memory, descriptors, sockets and stages in any browser, without network.',
  ],
  core: [
    'gdb PROGRAM FILE opens it. It goes to *core.*_PID_ in the current directory, unless *-o* says otherwise. Memory that was not saved because it is as the mapped file has it, gdb takes from that file.',
  ],
  'dry-run': ['Who is created by whom, which files are opened, and what stands in the way.'],
}

/** What the manual page says of a command besides its summary. */
export const commandManual: Readonly<Record<string, readonly string[]>> = {
  dump: [
    'The tree is the process of *-t* and all below it. What cannot be restored faithfully is refused before anything is touched: all of it at once, each with the process, the object and what can be done. A dump that fails leaves all tasks running. In the end the tasks are killed, unless *-R* or *-s* is given.',
  ],
  restore: [
    'Every task gets the pid it had; one that is taken is told of. A restore that fails leaves no task behind. Without *-d* criu stays until the root has ended.',
  ],
  exec: [
    'The system call runs in the process or thread of *-t* (or *-p*), which stays as it was. An argument that begins with *&* is copied into the process, and the call gets its address; any other is a number as strtol(3) takes it. Numbers below zero need no *--*. What the call returns is printed, or -1 and the error; the exit code is 1 then. One that blocks is interrupted after *--timeout*. Calls that a task could not go on from (exit, execve, clone and the like) are refused.',
  ],
  show: [
    'DIR is the directory of images; without it, that of *-D*, or the current one. VIEW is *tree* (without one), *ps*, *fds*, *mems*, *rss* (the four as crit x prints them), *files*, *sockets* or *mounts*.',
    '*decode* prints one image as JSON, in the form of crit; *encode* makes the image of it again, byte for byte the same, with *-o* for the file. What crit decode wrote is taken as well.',
    'Pages of memory are not read, but by *--core*; images of any size are shown at once.',
  ],
  diff: [
    'Processes, mappings, descriptors and pages, these by their content, through parents. The exit code is 0 whether something differs or not.',
  ],
  check: [
    'Every feature is tried on the running kernel with the privileges that criu has. The last line is «Looks good.», «Does not look good.» (something that is always needed is missing), or «Looks good but some kernel features are missing which, depending on your process tree, may cause dump or restore failure.»; the exit code is 0 for the first alone.',
  ],
  cpuinfo: [
    '*dump* writes the features of this CPU to cpuinfo.img; *check* compares them with those of the image, as *--cpu-cap* says.',
  ],
  explain: [
    'Looks at the tree of *-t* as a dump with the same options does, and lets it go: nothing is changed. Told are all obstacles with process, object and remedy, the options that help against them, how large the images would be, and how long the tree would stand still. The exit code is 0 if a dump with these options would work.',
  ],
  service: ['Answers requests of the RPC on a UNIX socket, each client in a process of its own.'],
  swrk: ['Answers requests on the descriptor FD, a connected socket of sequenced packets.'],
  completion: [
    'For one shell: *source <(criu completion bash)*; for all, the output in /usr/share/bash-completion/completions/criu, /usr/share/zsh/site-functions/_criu or /usr/share/fish/vendor_completions.d/criu.fish.',
  ],
}
