"""Requests without a job, the protocol itself, and errors."""

import json
import random

from rpc import *


def version():
    answer = succeeded(once(request(pb.VERSION)), pb.VERSION).version
    assert (answer.major_number, answer.minor_number) == (4, 2)
    # A client that sees one counts the next minor version.
    assert not answer.HasField('gitid')


def version_with_options():
    succeeded(once(request(pb.VERSION, log_level=4, leave_running=True)), pb.VERSION)


def any_descriptor():
    for extra in range(1, 40, 13):
        held = [os.open('/dev/null', os.O_RDONLY) for _ in range(extra)]
        succeeded(once(request(pb.VERSION)))
        for fd in held:
            os.close(fd)


def features():
    message = request(pb.FEATURE_CHECK, log_level=4, track_mem=True)
    message.features.lazy_pages = True
    answer = succeeded(once(message), pb.FEATURE_CHECK).features
    assert answer.mem_track is False and answer.pidfd_store is False
    failed(once(request(pb.FEATURE_CHECK)), 'names no feature')


def keep_open():
    swrk = Swrk()
    for _ in range(5):
        message = request(pb.VERSION)
        message.keep_open = True
        succeeded(swrk.ask(message))
    message = request(pb.FEATURE_CHECK)
    message.features.mem_track = True
    message.keep_open = True
    succeeded(swrk.ask(message))
    # One that has failed is the last.
    message = job(pb.DUMP, pid=os.getpid() + 100000)
    message.keep_open = True
    failed(swrk.ask(message), 'must be a pid' if os.getpid() + 100000 > 4194303 else 'no such process')
    assert swrk.receive() == (None, [])
    swrk.ended()


def closed_after_one():
    swrk = Swrk()
    succeeded(swrk.ask(request(pb.VERSION)))
    assert swrk.receive() == (None, [])


def not_built_yet():
    for kind, what in [(pb.PRE_DUMP, 'a pre-dump'), (pb.SINGLE_PRE_DUMP, 'a pre-dump'),
                       (pb.PAGE_SERVER, 'a page server'), (pb.PAGE_SERVER_CHLD, 'a page server')]:
        answer = pb.criu_resp.FromString(raw(kind_only(kind)))
        failed(answer, f'{what} is not supported yet', EBADRQC)
        assert answer.type == kind


def kind_only(number):
    """A criu_req of any type, also one that this pycriu has no name for."""
    return bytes([0x08, number])


def raw(packet, status=0):
    """The bytes of the answer to some bytes."""
    swrk = Swrk()
    swrk.send(packet)
    answer = swrk.sock.recv(1 << 16)
    swrk.ended(status)
    return answer


def unknown_types():
    for number in [0, 6, 14, 99]:
        answer = pb.criu_resp.FromString(raw(kind_only(number)).replace(kind_only(number), b'\x08\x00', 1))
        failed(answer, f'type {number}')


def malformed():
    good = job(pb.DUMP, pid=1, external=['file[1:2]', 'unix[3]'], exec_cmd=['a', 'b']).SerializeToString()
    for packet in [b'\xff', b'garbage', b'\x08', b'\x10\x01', good[:-1], good[:9], bytes(1000), b'\x12\x00']:
        answer = pb.criu_resp.FromString(raw(packet, 1))
        failed(answer, 'sent what is no request')
        assert answer.type == pb.EMPTY


def empty_packet():
    failed(pb.criu_resp.FromString(raw(b'', 1)), 'sent what is no request')


def oversize():
    swrk = Swrk()
    swrk.sock.setsockopt(socket.SOL_SOCKET, 32, 4 << 20)  # SO_SNDBUFFORCE
    failed(swrk.ask(bytes(2 << 20)), 'is too long')
    swrk.ended(1)


def random_requests():
    """Each gives an answer within a moment, and no exit but 0 or 1."""
    seed = random.randrange(1 << 30)
    print('seed', seed)
    dice = random.Random(seed)
    good = job(pb.DUMP, pid=1 << 21, external=['file[1:2]'], root='/x', timeout=3).SerializeToString()
    for _ in range(60):
        packet = bytearray(good)
        for _ in range(dice.randrange(1, 6)):
            packet[dice.randrange(len(packet))] = dice.randrange(256)
        # Not to dump by accident: a type that needs no target, and one that has none here.
        swrk = Swrk()
        swrk.send(bytes(packet))
        answer, _ = swrk.receive()
        assert answer is not None and (answer.type != pb.DUMP or not answer.success), bytes(packet)
        assert swrk.process.wait(5) in (0, 1)
        swrk.close()


def hang_up_at_once():
    swrk = Swrk()
    swrk.close()
    swrk.ended(1)


def no_socket():
    for argument in ['0', '77', 'x', '-1', '99999999999']:
        done = subprocess.run([CRIU, 'swrk', argument], stdin=subprocess.DEVNULL, capture_output=True)
        assert done.returncode == 1 and b'swrk needs the number of a connected socket' in done.stderr, done
    stream, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    done = subprocess.run([CRIU, 'swrk', str(stream.fileno())], pass_fds=[stream.fileno()], capture_output=True)
    assert done.returncode == 1, done


def no_options():
    failed(once(request(pb.DUMP)), 'without criu_opts')
    failed(once(request(pb.DUMP, pid=2)), 'criu_opts.images_dir_fd is needed')
    failed(once(request(pb.DUMP, pid=2, images_dir_fd=999)), 'names descriptor 999 of the client')
    with open('file', 'w') as file:
        failed(once(request(pb.DUMP, pid=2, images_dir_fd=file.fileno())), 'is no directory')


def bad_options():
    """Each with cr_errno as upstream, in the answer and in the log; nothing is written."""
    for opts, text_ in [
        ({'pid': -5}, 'criu_opts.pid must be'),
        ({'log_level': 9, 'external': ['nonsense']}, 'criu_opts.external is written'),
        ({'freeze_cgroup': '/no/such'}, 'freeze-cgroup'),
        ({'empty_ns': 0x20000}, 'criu_opts.empty_ns can be CLONE_NEWNET alone'),
        ({'irmap_scan_paths': ['a\0b']}, 'zero byte'),
        ({'lazy_pages': True}, 'criu_opts.lazy_pages is not supported yet'),
        ({'track_mem': True}, 'criu_opts.track_mem is not supported yet'),
        ({'auto_dedup': True}, 'criu_opts.auto_dedup is not supported yet'),
        ({'parent_img': '../x'}, 'criu_opts.parent_img is not supported yet'),
        ({'ps': pb.criu_page_server_info(port=1)}, 'criu_opts.ps is not supported yet'),
        ({'cgroup_props': 'x'}, 'criu_opts.cgroup_props is not supported yet'),
        ({'external': ['net[4]:extRootNetNS']}, 'criu_opts.external with net'),
    ]:
        answer = once(job(pb.DUMP, **{'pid': os.getppid(), **opts}))
        failed(answer, text_, EBADRQC)
        assert 'Error (' in text('images/dump.log') and text_ in text('images/dump.log')
        assert images() == []
        assert answer.dump.restored is False


def log_names():
    failed(once(job(pb.DUMP, pid=2, log_file='a/b')), 'criu_opts.log_file must be a name without a slash', EBADRQC)
    failed(once(job(pb.DUMP, pid=2, log_file='../b')), 'without a slash', EBADRQC)
    assert not os.path.exists('b')


def no_process():
    failed(once(job(pb.DUMP, pid=30000)), 'process 30000 is gone', ESRCH)
    assert images() == []
    try:
        client = Criu()
        client.use_binary(CRIU)
        client.opts.images_dir_fd = directory('images')
        client.opts.pid = 30000
        client.dump()
        raise AssertionError('dumped')
    except CRIUExceptionExternal as error:
        assert error.errno == ESRCH and 'No process with such pid' in str(error), error


def no_images():
    answer = failed(once(job(pb.RESTORE)), 'inventory.img: there is no such file')
    assert answer.restore.pid == -1
    # Names of the client's, not numbers of ours.
    assert f'{os.getcwd()}/images/inventory.img' in answer.cr_errmsg, answer


def long_error():
    """More things that cannot be dumped than an answer has room for."""
    pairs = [socket.socketpair() for _ in range(300)]
    target = sleeper(pass_fds=[theirs.fileno() for _, theirs in pairs])
    for _, theirs in pairs:
        theirs.close()
    answer = failed(once(job(pb.DUMP, pid=target.pid)), '300 things that cannot be dumped', ENOTSUP)
    assert len(answer.cr_errmsg.encode()) > 7000 and answer.cr_errmsg.endswith('…')
    assert runs(target.pid) and images() == []
    assert text('images/dump.log').count('Error (') > 300
    end(target.pid)


def check():
    succeeded(once(request(pb.CHECK)), pb.CHECK)
    succeeded(once(request(pb.CHECK, log_level=4)), pb.CHECK)
    client = Criu()
    client.use_binary(CRIU)
    client.check()


def cpuinfo():
    succeeded(once(job(pb.CPUINFO_DUMP)), pb.CPUINFO_DUMP)
    assert images() == ['cpuinfo.img']
    succeeded(once(job(pb.CPUINFO_CHECK)), pb.CPUINFO_CHECK)
    # Of a CPU with every feature there can be.
    info = json.loads(subprocess.check_output(['crit', 'decode', '-i', 'images/cpuinfo.img']))
    for entry in info['entries'][0]['x86_entry']:
        entry['capability'] = [0xffffffff] * len(entry['capability'])
    with open('all.json', 'w') as file:
        json.dump(info, file)
    subprocess.check_call(['crit', 'encode', '-i', 'all.json', '-o', 'images/cpuinfo.img'])
    answer = failed(once(job(pb.CPUINFO_CHECK)), 'CPU')
    assert answer.cr_errno == -ENOTSUP, answer
