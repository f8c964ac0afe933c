import { scenario } from './scenario.ts'

/** CHECK, CPUINFO_DUMP and CPUINFO_CHECK of the RPC, by Debian's Python bindings. */

scenario(
  'RPC: check, cpuinfo dump and check; a CPU that lacks something is refused by the name of it',
  `
  mkdir images
  cat >client.py <<'P'
import os, socket, sys
sys.path.append('/usr/lib/python3/dist-packages')
import pycriu
rpc = pycriu.rpc
def ask(kind, cap=None):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        os.set_inheritable(theirs.fileno(), True)
        os.execv(os.environ['CRIU'], ['criu', 'swrk', str(theirs.fileno())])
    theirs.close()
    request = rpc.criu_req(type=kind)
    directory = os.open('images', os.O_DIRECTORY)
    request.opts.images_dir_fd = directory
    request.opts.log_file = 'cpu.log'
    if cap is not None: request.opts.cpu_cap = cap
    ours.send(request.SerializeToString())
    answer = rpc.criu_resp()
    answer.ParseFromString(ours.recv(8192))
    ours.close(); os.waitpid(pid, 0); os.close(directory)
    return answer
def good(answer): assert answer.success, answer
good(ask(rpc.CHECK))
lacking = ask(rpc.CPUINFO_CHECK)
assert not lacking.success and 'no such file' in lacking.cr_errmsg, lacking
good(ask(rpc.CPUINFO_DUMP))
assert os.listdir('images').count('cpuinfo.img') == 1
good(ask(rpc.CPUINFO_CHECK))
good(ask(rpc.CPUINFO_CHECK, 2))
os.system('crit decode -i images/cpuinfo.img >good.json')
import json
image = json.load(open('good.json'))
image['entries'][0]['x86_entry'][0]['capability'][6] |= 1 << 11
json.dump(image, open('other.json', 'w'))
os.system('crit encode -i other.json -o images/cpuinfo.img')
answer = ask(rpc.CPUINFO_CHECK)
assert not answer.success and 'xop' in answer.cr_errmsg, answer
assert 'xop' in open('images/cpu.log').read()
good(ask(rpc.CPUINFO_CHECK, 1))
P
  CRIU=$program python3 client.py >out 2>&1 || failed client
`,
)
