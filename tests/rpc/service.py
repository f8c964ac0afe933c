"""criu service: many clients, of several users. Clients of another user are programs of their own."""

import threading

from rpc import *

USER = 1000


class Service:
    """A service that listens; what it says is in service.log."""

    def __init__(self, *arguments):
        reading, writing = os.pipe()
        self.path = f'{os.getcwd()}/socket'
        nothing = subprocess.DEVNULL
        self.process = subprocess.Popen(
            [CRIU, 'service', '--address', self.path, '-v4', '-o', 'service.log', '--status-fd', str(writing),
             *arguments], pass_fds=[writing], stdin=nothing, stdout=nothing, stderr=nothing)
        os.close(writing)
        assert os.read(reading, 2) == b'\0', text('service.log')
        assert os.read(reading, 1) == b''  # closed
        os.close(reading)

    def ask(self, message):
        connection = connect(self.path)
        answer = connection.ask(message)
        connection.close()
        return answer

    def end(self):
        self.process.kill()
        self.process.wait()


def as_user(function, *arguments, options=(), user=USER):
    """A function of this file in a program of a user; what it returned, or raised."""
    setpriv = ['setpriv', f'--reuid={user}', f'--regid={user}', '--clear-groups', *options]
    run = [sys.executable, '-B', f'{os.path.dirname(__file__)}/run.py', f'service.{function.__name__}', *arguments]
    done = subprocess.run([*setpriv, *run], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def users_directory():
    os.makedirs('user/images')
    os.chown('user', USER, USER)
    os.chown('user/images', USER, USER)


def answers():
    service = Service()
    assert is_socket(service.path) and os.stat(service.path).st_mode & 0o777 == 0o666
    for _ in range(3):
        succeeded(service.ask(request(pb.VERSION)), pb.VERSION)
    client = Criu()
    client.use_sk(service.path)
    client.check()
    service.end()
    # The next one takes the place of its socket.
    service = Service('--pidfile', 'pid')
    assert text('pid') == str(service.process.pid)
    succeeded(service.ask(request(pb.VERSION)), pb.VERSION)
    service.end()


def several():
    """So many at once, each in a process of its own; another client is not kept waiting by a silent one."""
    service = Service()
    silent = [connect(service.path) for _ in range(3)]
    targets = [sleeper() for _ in range(8)]
    results = {}

    def dump(target):
        name = f'images.{target.pid}'
        results[target.pid] = service.ask(job(pb.DUMP, name, pid=target.pid, leave_running=True))

    threads = [threading.Thread(target=dump, args=[target]) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for target in targets:
        succeeded(results[target.pid], pb.DUMP)
        assert runs(target.pid) and 'inventory.img' in images(f'images.{target.pid}')
        end(target.pid)
    for one in silent:
        one.close()
    succeeded(service.ask(request(pb.VERSION)))
    # Those who have served are buried.
    until(lambda: children(service.process.pid) == [])
    service.end()


def children(pid):
    with open(f'/proc/{pid}/task/{pid}/children') as file:
        return file.read().split()


def dump_and_restore():
    """The restored tree is nobody's child; criu goes on."""
    service = Service()
    target = sleeper()
    connection = connect(service.path)
    answer, told = connection.run(job(pb.DUMP, pid=target.pid, notify_scripts=True))
    succeeded(answer)
    assert [name for name, _ in told] == ['pre-dump', 'network-lock', 'query-ext-files', 'post-dump']
    target.wait()
    answer = succeeded(service.ask(job(pb.RESTORE)), pb.RESTORE)
    assert answer.restore.pid == target.pid
    until(lambda: parent(target.pid) not in [os.getpid(), service.process.pid])
    os.kill(target.pid, 9)
    until(lambda: state(target.pid) is None)
    service.end()


def own_process():
    """What needs a process of the client's own."""
    service = Service()
    for opts in [{'rst_sibling': True}, {'inherit_fd': [{'key': 'pipe:[1]', 'fd': 0}]}, {'exec_cmd': ['id']},
                 {'status_fd': 1}]:
        failed(service.ask(job(pb.RESTORE, **opts)), 'is not for clients of the service', EBADRQC)
    service.end()


def hang_ups():
    service = Service()
    target = sleeper()
    for name in ['pre-dump', 'network-lock', 'post-dump']:
        connection = connect(service.path)
        connection.run(job(pb.DUMP, pid=target.pid, notify_scripts=True),
                       lambda script, pid, fds: None if script == name else True)
        until(lambda: children(service.process.pid) == [])
        assert runs(target.pid) and images() == []
    connection = connect(service.path)
    connection.send(b'garbage')
    failed(connection.receive()[0], 'sent what is no request')
    succeeded(service.ask(request(pb.VERSION)))
    end(target.pid)
    service.end()


def at_another_place():
    """A client for whom paths, or root, are something else."""
    service = Service()
    run = [sys.executable, '-B', f'{os.path.dirname(__file__)}/run.py', 'service.is_refused', service.path]
    for command, why in [
        (['unshare', '--mount'], 'has another mount namespace'),
        (['unshare', '--user', '--map-root-user'], 'has another user namespace'),
        (['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin'], 'is root without CAP_SYS_ADMIN'),
    ]:
        done = subprocess.run([*command, *run, why], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    service.end()


def is_refused(path, why):
    connection = connect(path)
    failed(connection.receive()[0], why)


def users():
    """A client of another user gets what that user may do, and no more."""
    service = Service()
    users_directory()
    foreign = sleeper()
    with open('secret', 'w') as file:
        file.write('secret')
    os.chmod('secret', 0o600)
    os.chdir('user')
    as_user(user_works, service.path)
    as_user(user_is_limited, service.path, str(foreign.pid))
    assert runs(foreign.pid)
    end(foreign.pid)
    service.end()


def user_works(path):
    """Dumps and restores its own process, by paths and descriptors of its own."""
    service = Service.__new__(Service)
    service.path = path
    target = sleeper()
    succeeded(service.ask(job(pb.DUMP, pid=target.pid, leave_running=True)))
    # The images are the user's, and nobody else's.
    owners = {os.stat(f'images/{one}').st_uid for one in os.listdir('images')}
    assert owners == {USER}, owners
    succeeded(service.ask(job(pb.DUMP, pid=target.pid)))
    target.wait()
    succeeded(service.ask(job(pb.RESTORE)))
    with open(f'/proc/{target.pid}/status') as file:
        status = file.read()
    assert f'Uid:\t{USER}\t{USER}\t{USER}\t{USER}' in status and 'CapPrm:\t0000000000000000' in status, status
    assert 'CapAmb:\t0000000000000000' in status, status
    os.kill(target.pid, 9)


def user_is_limited(path, foreign):
    service = Service.__new__(Service)
    service.path = path
    failed(service.ask(job(pb.DUMP, pid=int(foreign))), 'denied')
    failed(service.ask(job(pb.DUMP, pid=1)), 'init of this pid namespace')
    target = sleeper()
    for place in ['/etc', '/root', '..']:
        try:
            fd = os.open(place, os.O_PATH)
        except PermissionError:
            continue
        answer = service.ask(request(pb.DUMP, images_dir_fd=fd, pid=target.pid, leave_running=True))
        failed(answer, 'denied')
    for name in ['criu.log', 'dump.log']:
        assert not os.path.exists(f'/etc/{name}') and not os.path.exists(f'../{name}')
    # A name in a directory of its own that leads elsewhere.
    os.unlink('images/dump.log')
    os.symlink('/etc/passwd', 'images/dump.log')
    before = os.stat('/etc/passwd')
    failed(service.ask(job(pb.DUMP, pid=target.pid, leave_running=True)), 'denied')
    assert os.stat('/etc/passwd').st_mtime == before.st_mtime
    os.unlink('images/dump.log')
    # Programs are not run for it: they would have our capability.
    failed(service.ask(job(pb.DUMP, pid=target.pid, config_file='own.conf')), 'is not for clients', EBADRQC)
    end(target.pid)


def foreign_images():
    """Images of a process of root's, in the hands of a user."""
    service = Service()
    users_directory()
    target = sleeper()
    succeeded(once(job(pb.DUMP, 'user/images', pid=target.pid)))
    target.wait()
    for one in os.listdir('user/images'):
        os.chown(f'user/images/{one}', USER, USER)
    # One with our own ids that keeps a capability which the client has not.
    subprocess.check_call(['cp', '-a', 'user/images', 'user/crafted'])
    with_capability(f'user/crafted/core-{target.pid}.img')
    os.chdir('user')
    as_user(user_gets_no_root, service.path, 'images', 'permitted set has')
    as_user(user_gets_no_root, service.path, 'crafted', 'CAP_CHECKPOINT_RESTORE, which its client lacks')
    assert state(target.pid) is None
    service.end()


def with_capability(path):
    """Makes it an image of that user's, with CAP_CHECKPOINT_RESTORE in its sets."""
    import json
    core = json.loads(subprocess.check_output(['crit', 'decode', '-i', path]))
    creds = core['entries'][0]['thread_core']['creds']
    for name in ['uid', 'gid', 'euid', 'egid', 'suid', 'sgid', 'fsuid', 'fsgid']:
        creds[name] = USER
    creds.pop('groups', None)
    for name in ['cap_prm', 'cap_eff', 'cap_inh']:
        creds[name] = [0, 1 << 8]
    with open('core.json', 'w') as file:
        json.dump(core, file)
    subprocess.check_call(['crit', 'encode', '-i', 'core.json', '-o', path])


def user_gets_no_root(path, name, why):
    service = Service.__new__(Service)
    service.path = path
    failed(service.ask(job(pb.RESTORE, name)), why)


def too_many():
    """One user cannot take all the room."""
    service = Service()
    held = [connect(service.path) for _ in range(32)]
    for one in held:
        message = request(pb.VERSION)
        message.keep_open = True
        succeeded(one.ask(message))
    failed(connect(service.path).receive()[0], 'has 32 connections already')
    users_directory()
    os.chdir('user')
    as_user(user_asks, service.path)
    for one in held:
        one.close()
    until(lambda: children(service.process.pid) == [])
    succeeded(service.ask(request(pb.VERSION)))
    service.end()


def user_asks(path):
    succeeded(connect(path).ask(request(pb.VERSION)))


def daemon():
    """It leaves its starter once it listens, in a session of its own, with nothing of the terminal."""
    for words in [['-d'], ['--daemon']]:
        done = subprocess.run([CRIU, 'service', *words, '--address', 'socket', '--pidfile', 'pid', '-o', 'log', '-v4'],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout == '' and done.stderr == '', done
        pid = int(text('pid'))
        with open(f'/proc/{pid}/stat') as file:
            fields = file.read().rsplit(')', 1)[1].split()
        assert int(fields[3]) == pid and int(fields[4]) == 0, fields  # session, terminal
        assert [os.readlink(f'/proc/{pid}/fd/{fd}') for fd in range(3)] == ['/dev/null'] * 3
        succeeded(connect('socket').ask(request(pb.VERSION)))
        # What it cannot do is said by its starter.
        again = subprocess.run([CRIU, 'service', '-d', '--address', 'other', '--pidfile', 'pid'],
                               stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert again.returncode == 1 and 'criu: ' in again.stderr, again
        os.kill(pid, 9)
        until(lambda: state(pid) is None)
        os.unlink('pid')


def addresses():
    for address, why in [('/no/such/socket', 'No such file'), ('file', 'is no socket'), ('x' * 200, 'must be shorter')]:
        with open('file', 'w') as file:
            file.write('mine')
        done = subprocess.run([CRIU, 'service', '--address', address], capture_output=True, text=True, timeout=20)
        assert done.returncode == 1 and why in done.stderr, done
        assert text('file') == 'mine'
    done = subprocess.run([CRIU, 'service', '-t', '5'], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and 'does not go with service' in done.stderr, done
