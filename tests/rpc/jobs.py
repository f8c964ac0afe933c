"""Dumps and restores of other processes."""

import shutil

from rpc import *

# What runc and crun send with every dump and restore (read off both).
RUNC = {
    'root': '/', 'manage_cgroups': True, 'notify_scripts': True, 'shell_job': False, 'tcp_established': False,
    'ext_unix_sk': False, 'file_locks': False, 'empty_ns': 0x40000000, 'orphan_pts_master': True,
    'config_file': '/etc/criu/runc.conf',
}
RUNC_DUMP = {**RUNC, 'leave_running': False, 'auto_dedup': False, 'lazy_pages': False,
             'ext_mnt': [{'key': '/proc/kcore', 'val': '/dev/null'}]}
RUNC_RESTORE = {**RUNC, 'evasive_devices': True, 'rst_sibling': True,
                'cg_root': [{'ctrl': 'memory', 'path': '/x'}, {'ctrl': '', 'path': '/y'}],
                'ext_mnt': [{'key': '/etc/hosts', 'val': '/var/hosts'}]}
CRUN_DUMP = {'root': '/', 'leave_running': False, 'ext_unix_sk': True, 'shell_job': False, 'tcp_established': True,
             'file_locks': True, 'orphan_pts_master': True, 'manage_cgroups': True, 'manage_cgroups_mode': 3}
CRUN_RESTORE = {**CRUN_DUMP, 'rst_sibling': True, 'notify_scripts': True, 'cg_root': [{'path': '/x'}]}
del CRUN_RESTORE['leave_running']

ON_DUMP = ['pre-dump', 'network-lock', 'query-ext-files', 'post-dump']
ON_RESTORE = ['pre-restore', 'setup-namespaces', 'post-setup-namespaces', 'post-restore', 'network-unlock',
              'pre-resume', 'post-resume']


def run(message, hook=lambda name, pid, fds: True, status=0):
    swrk = Swrk()
    answer, told = swrk.run(message, hook)
    swrk.ended(status)
    return answer, told


def dump_leaving_it(pid):
    succeeded(once(job(pb.DUMP, pid=int(pid), leave_running=True)), pb.DUMP)


def dump(pid):
    succeeded(once(job(pb.DUMP, pid=int(pid))), pb.DUMP)


def restore_detached(pid):
    """Without rst_sibling it goes on when criu has ended."""
    answer = succeeded(once(job(pb.RESTORE)), pb.RESTORE)
    assert answer.restore.pid == int(pid), answer


def sibling():
    """By pycriu: the caller becomes the parent, and learns how it ends."""
    target = sleeper()
    client = Criu()
    client.use_binary(CRIU)
    client.opts.images_dir_fd = directory('images')
    client.opts.work_dir_fd = directory('work')
    client.opts.pid = target.pid
    client.opts.log_file = 'dump.log'
    assert client.dump().restored is False
    assert target.wait() == -9
    client.opts.rst_sibling = True
    client.opts.log_file = 'restore.log'
    answer = client.restore()
    assert answer.pid == target.pid and parent(answer.pid) == os.getpid()
    assert {'dump.log', 'restore.log', 'stats-dump', 'stats-restore'} <= set(os.listdir('work'))
    assert 'stats-dump' not in os.listdir('images')
    os.kill(answer.pid, 15)
    assert os.waitpid(answer.pid, 0) == (answer.pid, 15)


def pid_is_taken():
    target = sleeper()
    succeeded(once(job(pb.DUMP, pid=target.pid, leave_running=True)))
    answer = failed(once(job(pb.RESTORE)), f'{target.pid}', EEXIST)
    assert answer.restore.pid == -1 and 'Error (' in text('images/restore.log')
    client = Criu()
    client.use_binary(CRIU)
    client.opts.images_dir_fd = directory('images')
    try:
        client.restore()
        raise AssertionError('restored')
    except CRIUExceptionExternal as error:
        assert 'already exists' in str(error), error
    end(target.pid)


def as_runc():
    by_runtime(RUNC_DUMP, RUNC_RESTORE, True)


def as_crun():
    by_runtime(CRUN_DUMP, CRUN_RESTORE, False)


def by_runtime(dumping, restoring, notified):
    target = sleeper()
    answer, told = run(job(pb.DUMP, pid=target.pid, **dumping))
    succeeded(answer, pb.DUMP)
    assert told == ([(name, None) for name in ON_DUMP] if notified else []), told
    target.wait()
    answer, told = run(job(pb.RESTORE, **restoring))
    pid = succeeded(answer, pb.RESTORE).restore.pid
    known = ['setup-namespaces', 'post-restore']
    assert told == [(name, pid if name in known else None) for name in ON_RESTORE], told
    assert parent(pid) == os.getpid()
    end(pid)


def notified_leaving_it():
    target = sleeper()
    answer, told = run(job(pb.DUMP, pid=target.pid, notify_scripts=True, leave_running=True))
    succeeded(answer)
    assert told == [(name, None) for name in [*ON_DUMP, 'network-unlock']], told
    end(target.pid)


def held_at_hooks():
    """The target stands still from network-lock to post-dump; a restored one until its last hook."""
    seen = {}
    target = sleeper()

    def look(name, _pid, _fds):
        seen[name] = state(target.pid)
        return True

    succeeded(run(job(pb.DUMP, pid=target.pid, notify_scripts=True), look)[0])
    assert seen == {'pre-dump': 'S', 'network-lock': 't', 'query-ext-files': 't', 'post-dump': 't'}, seen
    target.wait()
    seen.clear()
    succeeded(run(job(pb.RESTORE, rst_sibling=True, notify_scripts=True), look)[0])
    assert seen.pop('pre-restore') is None and seen.pop('post-resume') in 'RS'
    assert set(seen.values()) == {'t'}, seen
    end(target.pid)


def none_left(pid):
    """No task but the remains of one that was ours already, which is for us to bury."""
    if state(pid) is not None:
        assert state(pid) == 'Z' and parent(pid) == os.getpid()
        os.waitpid(pid, 0)


def refused_hooks():
    """A client that answers no: the dump fails, the target goes on; the restore leaves nothing."""
    target = sleeper()
    refusals = [False, pb.criu_req(type=pb.VERSION), pb.criu_req(type=pb.NOTIFY), b'\xff']
    for at, name in enumerate(ON_DUMP):
        refusal = refusals[at % len(refusals)]
        answer, told = run(job(pb.DUMP, pid=target.pid, notify_scripts=True),
                           lambda script, pid, fds: refusal if script == name else True)
        failed(answer, 'the client of the RPC')
        # Those that undo what was done are told as well.
        assert [one for one, _ in told if one in ON_DUMP][-1] == name, told
        assert runs(target.pid) and images() == []
    succeeded(once(job(pb.DUMP, pid=target.pid)))
    target.wait()
    for at, name in enumerate(ON_RESTORE[:-1]):
        refusal = refusals[at % len(refusals)]
        answer, told = run(job(pb.RESTORE, rst_sibling=True, notify_scripts=True),
                           lambda script, pid, fds: refusal if script == name else True)
        failed(answer, 'the client of the RPC')
        assert told[-1][0] == name, told
        none_left(target.pid)
    # Once it runs, nobody can have it undone.
    answer, _ = run(job(pb.RESTORE, rst_sibling=True, notify_scripts=True),
                    lambda script, pid, fds: script != 'post-resume')
    succeeded(answer)
    end(target.pid)


def hang_ups():
    """A client that is gone at any hook: the target goes on, or no task stays; and nothing else."""
    target = sleeper()
    for name in ON_DUMP:
        swrk = Swrk()
        swrk.run(job(pb.DUMP, pid=target.pid, notify_scripts=True),
                 lambda script, pid, fds: None if script == name else True)
        swrk.ended()
        assert runs(target.pid) and images() == [], name
        assert 'Error (' in text('images/dump.log') and 'hung up' in text('images/dump.log')
    succeeded(once(job(pb.DUMP, pid=target.pid)))
    target.wait()
    for name in ON_RESTORE[:-1]:
        swrk = Swrk()
        swrk.run(job(pb.RESTORE, rst_sibling=True, notify_scripts=True),
                 lambda script, pid, fds: None if script == name else True)
        swrk.ended()
        none_left(target.pid)
    succeeded(once(job(pb.RESTORE, rst_sibling=True)))
    end(target.pid)


def unheard():
    """One that asks and goes away, without notifications, is noticed as well."""
    target = sleeper()
    swrk = Swrk()
    swrk.send(job(pb.DUMP, pid=target.pid))
    swrk.close()
    swrk.ended()
    assert runs(target.pid) and images() == []
    # Who only sends no more is still there to listen.
    swrk = Swrk()
    swrk.send(job(pb.DUMP, pid=target.pid, leave_running=True))
    swrk.sock.shutdown(socket.SHUT_WR)
    succeeded(swrk.receive()[0])
    end(target.pid)


def outside_named_at_query():
    """What the client knows to lie outside of the tree, told while it stands still."""
    ours, theirs = socket.socketpair()
    target = sleeper(stdin=theirs)
    inode = os.fstat(theirs.fileno()).st_ino
    theirs.close()
    failed(run(job(pb.DUMP, pid=target.pid, notify_scripts=True))[0], 'outside of the tree', ENOTSUP)

    def answer(script, _pid, _fds):
        if script != 'query-ext-files':
            return True
        reply = pb.criu_req(type=pb.NOTIFY, notify_success=True)
        reply.opts.images_dir_fd = -1
        reply.opts.unix_sk_ino.add(inode=inode)
        return reply

    succeeded(run(job(pb.DUMP, pid=target.pid, notify_scripts=True, leave_running=True), answer)[0])
    end(target.pid)
    ours.close()


def logs():
    """A log that is there is emptied and kept: runtimes make it beforehand with a label of theirs."""
    target = sleeper()
    os.makedirs('images')
    with open('images/dump.log', 'w') as file:
        file.write('old\n' * 100000)
    os.chmod('images/dump.log', 0o640)
    before = os.stat('images/dump.log')
    succeeded(once(job(pb.DUMP, pid=target.pid, leave_running=True)))
    after = os.stat('images/dump.log')
    assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)
    assert 'old' not in text('images/dump.log') and 'dump begins' in text('images/dump.log')
    # Without a name it has upstream's.
    succeeded(once(job(pb.DUMP, pid=target.pid, leave_running=True, log_file='')))
    assert 'dump begins' in text('images/criu.log')
    end(target.pid)


def config_file():
    """What it says replaces the request; one that is not there says nothing."""
    target = sleeper()
    with open('own.conf', 'w') as file:
        file.write('leave-running\nlog-file other.log # of the administrator\n')
    succeeded(once(job(pb.DUMP, pid=target.pid, leave_running=False, config_file=f'{os.getcwd()}/own.conf')))
    assert runs(target.pid) and 'other.log' in os.listdir('images')
    succeeded(once(job(pb.DUMP, pid=target.pid, leave_running=True, config_file='/no/such.conf')))
    with open('own.conf', 'w') as file:
        file.write('no-such-option\n')
    failed(once(job(pb.DUMP, pid=target.pid, config_file='own.conf')), 'own.conf:1: no-such-option', EBADRQC)
    assert runs(target.pid)
    # With scripts of its own, which are told before the client.
    with open('own.conf', 'w') as file:
        file.write('action-script "echo $CRTOOLS_SCRIPT_ACTION >>told"\n')
    answer, told = run(job(pb.DUMP, pid=target.pid, leave_running=True, notify_scripts=True, config_file='own.conf'))
    succeeded(answer)
    assert text('told').split() == [name for name, _ in told if name != 'query-ext-files'], text('told')
    end(target.pid)


def wait_pid():
    """The next request of the connection that restored it."""
    target = sleeper()
    succeeded(once(job(pb.DUMP, pid=target.pid)))
    target.wait()
    swrk = Swrk()
    message = job(pb.RESTORE)
    message.keep_open = True
    succeeded(swrk.ask(message))
    os.kill(target.pid, 15)
    message = pb.criu_req(type=pb.WAIT_PID, pid=target.pid, keep_open=True)
    assert succeeded(swrk.ask(message), pb.WAIT_PID).status == 15
    failed(swrk.ask(message), 'wait4', ECHILD)
    swrk.ended()


def becomes():
    """exec_cmd: criu becomes it, with the log for its output."""
    target = sleeper()
    succeeded(once(job(pb.DUMP, pid=target.pid)))
    target.wait()
    swrk = Swrk()
    succeeded(swrk.ask(job(pb.RESTORE, rst_sibling=True, exec_cmd=['sh', '-c', 'echo out; echo err >&2; exit 7'])))
    swrk.ended(7)
    assert text('images/restore.log').endswith('out\nerr\n')
    end(target.pid)
    failed(once(job(pb.RESTORE, exec_cmd=['no-such-program'])), 'names no program', EBADRQC)
    assert state(target.pid) is None


def inherited():
    """inherit_fd names a descriptor that criu was started with."""
    reading, writing = os.pipe()
    target = sleeper(stdout=writing)
    name = os.readlink(f'/proc/{target.pid}/fd/1')
    succeeded(once(job(pb.DUMP, pid=target.pid)))
    target.wait()
    failed(once(job(pb.RESTORE, rst_sibling=True)), name)
    other, given = os.pipe()
    opts = {'rst_sibling': True, 'inherit_fd': [{'key': name, 'fd': given}]}
    succeeded(once(job(pb.RESTORE, **opts), pass_fds=[given]))
    assert os.readlink(f'/proc/{target.pid}/fd/1') == os.readlink(f'/proc/self/fd/{given}')
    end(target.pid)
    for fd in [reading, writing, other, given]:
        os.close(fd)


def named_directory():
    """images_dir by its path; no descriptor, as clients in Go send it."""
    target = sleeper()
    os.makedirs('images')
    if 'images_dir' not in pb.criu_opts.DESCRIPTOR.fields_by_name:
        # This pycriu does not know the field: its number and wire type by hand.
        path = f'{os.getcwd()}/images'.encode()
        message = request(pb.DUMP, images_dir_fd=-1, pid=target.pid, leave_running=True)
        opts = message.opts.SerializeToString() + bytes([0xa2, 0x04, len(path)]) + path
        packet = bytes([0x08, 0x01, 0x12, len(opts)]) + opts
        swrk = Swrk()
        succeeded(swrk.ask(packet))
    else:
        succeeded(once(request(pb.DUMP, images_dir=f'{os.getcwd()}/images', pid=target.pid, leave_running=True)))
    assert 'inventory.img' in os.listdir('images')
    end(target.pid)


def cgroups():
    """All tasks come back in one cgroup: those of another are refused where cgroups are to be restored."""
    target = subprocess.Popen(['sh', '-c', 'sleep 1000 & echo $! >child; wait'], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    until(lambda: os.path.exists('child') and text('child').endswith('\n'))
    child = int(text('child'))
    group = f'{own_cgroup()}/criu-rpc-{os.getpid()}'
    os.mkdir(group)
    try:
        with open(f'{group}/cgroup.procs', 'w') as file:
            file.write(str(child))
        for opts in [{}, {'manage_cgroups': False}, {'manage_cgroups': True, 'manage_cgroups_mode': 1}]:
            succeeded(once(job(pb.DUMP, pid=target.pid, leave_running=True, **opts)))
        for opts in [{'manage_cgroups': True}, {'manage_cgroups_mode': 3}]:
            answer = failed(once(job(pb.DUMP, pid=target.pid, leave_running=True, **opts)), 'one thing', ENOTSUP)
            assert f'process {child}' in answer.cr_errmsg and os.path.basename(group) in answer.cr_errmsg, answer
        assert runs(target.pid) and runs(child)
    finally:
        os.kill(child, 9)
        target.wait()
        os.rmdir(group)


def own_cgroup():
    """Of the pids hierarchy, or the unified one."""
    with open('/proc/self/cgroup') as file:
        lines = [line.rstrip('\n').split(':', 2) for line in file]
    paths = {name: path for _, name, path in lines}
    name = 'pids' if 'pids' in paths else ''
    with open('/proc/self/mountinfo') as file:
        for line in file:
            left, right = line.split(' - ')
            kind, _, super_options = right.split()[:3]
            if kind == 'cgroup2' if name == '' else name in super_options.split(','):
                return left.split()[4] + paths[name].rstrip('/')
    raise AssertionError('no cgroups')


def terminal():
    """The client has the master of the tree's terminal: it is given a new one."""
    import fcntl
    import termios
    master, slave = os.openpty()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for fd in range(3):
            os.dup2(slave, fd)
        os.closerange(3, 256)
        os.execvp('cat', ['cat'])
    os.close(slave)
    until(lambda: os.readlink(f'/proc/{pid}/exe').endswith('cat'))
    echoed(master, b'one\n')
    failed(once(job(pb.DUMP, pid=pid)), 'whose master is outside of the tree', ENOTSUP)
    succeeded(once(job(pb.DUMP, pid=pid, orphan_pts_master=True)))
    os.waitpid(pid, 0)
    os.close(master)
    given = []
    answer, told = run(job(pb.RESTORE, rst_sibling=True, notify_scripts=True, orphan_pts_master=True),
                       lambda name, _pid, fds: given.extend(fds) or True)
    succeeded(answer)
    order = ON_RESTORE[:3] + ['orphan-pts-master'] + ON_RESTORE[3:]
    assert [name for name, _ in told] == order and len(given) == 1, (told, given)
    echoed(given[0], b'two\n')
    # It is the controlling terminal, with cat in the foreground.
    os.write(given[0], b'\x03')
    assert os.waitpid(pid, 0) == (pid, 2)


def echoed(master, line):
    """The terminal's echo, then what cat says."""
    os.write(master, line)
    wanted = line.replace(b'\n', b'\r\n') * 2
    got = b''
    while len(got) < len(wanted):
        got += os.read(master, 100)
    assert got == wanted, got
