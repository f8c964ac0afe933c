"""A client of the RPC, down to its packets. pycriu brings the messages; CRIU names the program."""

import array
import os
import socket
import stat
import subprocess
import sys
import time

sys.path.insert(0, '/usr/lib/python3/dist-packages')
import pycriu.rpc_pb2 as pb  # noqa: E402
from pycriu.criu import CRIUExceptionExternal  # noqa: E402
from pycriu.criu import criu as Criu  # noqa: E402

CRIU = os.environ['CRIU']
EBADRQC, ESRCH, EEXIST, ENOTSUP, ECHILD = 56, 3, 17, 95, 10
LONGEST_ANSWER = 8192


def request(kind, **opts):
    """A criu_req with options; lists and messages in them as protobuf's constructor takes them."""
    message = pb.criu_req(type=kind)
    if opts:
        opts.setdefault('images_dir_fd', -1)
        message.opts.CopyFrom(pb.criu_opts(**opts))
    return message


def directory(name):
    os.makedirs(name, exist_ok=True)
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY)


def job(kind, images='images', **opts):
    """A dump or restore with a descriptor of the images and a log beside them."""
    name = {pb.DUMP: 'dump.log', pb.RESTORE: 'restore.log'}.get(kind, 'job.log')
    return request(kind, **{'images_dir_fd': directory(images), 'log_level': 4, 'log_file': name, **opts})


class Connection:
    """One connection, whoever serves it."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(50)

    def send(self, message):
        self.sock.send(message if isinstance(message, bytes) else message.SerializeToString())

    def receive(self):
        """The next message and the descriptors that came with it; None once it is closed."""
        bytes_, control, _, _ = self.sock.recvmsg(1 << 20, socket.CMSG_SPACE(64))
        if not bytes_:
            return None, []
        assert len(bytes_) <= LONGEST_ANSWER, len(bytes_)
        fds = [fd for _, _, data in control for fd in array.array('i', data)]
        return pb.criu_resp.FromString(bytes_), fds

    def ask(self, message):
        """Sends a request that wants no notifications; the answer."""
        self.send(message)
        answer, fds = self.receive()
        assert fds == []
        return answer

    def run(self, message, answer_hook=lambda name, pid, fds: True):
        """Sends a request and answers its notifications: the final answer, and (script, pid) of all."""
        self.send(message)
        told = []
        while True:
            answer, fds = self.receive()
            if answer is None or answer.type != pb.NOTIFY:
                return answer, told
            assert answer.success
            pid = answer.notify.pid if answer.notify.HasField('pid') else None
            told.append((answer.notify.script, pid))
            reply = answer_hook(answer.notify.script, pid, fds)
            if reply is None:
                self.close()
                return None, told
            if isinstance(reply, bool):
                reply = pb.criu_req(type=pb.NOTIFY, notify_success=reply)
            self.send(reply)

    def close(self):
        self.sock.close()


class Swrk(Connection):
    """criu swrk of our own."""

    def __init__(self, stderr=None, **popen):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        super().__init__(ours)
        fd = theirs.fileno()
        # Its descriptors 0 to 2 are no pipes: restored trees must not keep ours open.
        nothing = subprocess.DEVNULL
        self.process = subprocess.Popen(
            [CRIU, 'swrk', str(fd)], pass_fds=[fd, *popen.pop('pass_fds', [])],
            stdin=nothing, stdout=popen.pop('stdout', nothing), stderr=stderr or nothing, **popen)
        theirs.close()

    def ended(self, status=0):
        """It has ended with this exit code."""
        got = self.process.wait(20)
        assert got == status, f'exit code {got}, not {status}'


def once(message, status=0, **popen):
    """One request to a swrk of its own."""
    swrk = Swrk(**popen)
    answer = swrk.ask(message)
    swrk.ended(status)
    swrk.close()
    return answer


def succeeded(answer, kind=None):
    assert answer is not None and answer.success, answer
    assert not answer.HasField('cr_errmsg') and not answer.HasField('cr_errno'), answer
    assert kind is None or answer.type == kind, answer
    return answer


def failed(answer, text, number=None):
    """It tells of a failure in words that hold this text."""
    assert answer is not None and not answer.success, answer
    assert text in answer.cr_errmsg, f'{answer.cr_errmsg!r} without {text!r}'
    assert number is None or answer.cr_errno == number, answer
    return answer


def connect(path):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.connect(path)
    return Connection(sock)


def sleeper(**popen):
    """A process with nothing of ours open, in a session of its own."""
    nothing = subprocess.DEVNULL
    options = {'stdin': nothing, 'stdout': nothing, 'stderr': nothing, 'start_new_session': True}
    process = subprocess.Popen(['sleep', '1000'], **{**options, **popen})
    until(lambda: os.readlink(f'/proc/{process.pid}/exe').endswith('sleep'))
    time.sleep(0.1)
    return process


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'too late'
        time.sleep(0.02)


def state(pid):
    """`S`, `Z`, …; None if there is no such process."""
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rsplit(')', 1)[1].split()[0]
    except FileNotFoundError:
        return None


def parent(pid):
    with open(f'/proc/{pid}/stat') as file:
        return int(file.read().rsplit(')', 1)[1].split()[1])


def runs(pid):
    """Nobody holds it."""
    with open(f'/proc/{pid}/status') as file:
        status = file.read()
    return 'TracerPid:\t0\n' in status and state(pid) in 'RS'


def end(pid):
    """Ends a child of ours."""
    os.kill(pid, 9)
    os.waitpid(pid, 0)


def text(path):
    with open(path, errors='replace') as file:
        return file.read()


def images(name='images'):
    return [one for one in os.listdir(name) if one.endswith('.img')]


def is_socket(path):
    return stat.S_ISSOCK(os.stat(path).st_mode)


__all__ = [name for name in dir() if not name.startswith('_')]
