"""Threads and processes of Python that must agree about how often they did what."""
import hashlib
import mmap
import os
import queue
import random
import subprocess
import sys
import threading
import time

stop = threading.Event()
lock = threading.Lock()
condition = threading.Condition()
barrier = threading.Barrier(3)
jobs = queue.Queue(maxsize=8)
results = queue.Queue()
total = 0
timer_fired = 0
at_barrier = [0, 0, 0]
shared = mmap.mmap(-1, 4096)


def adder(times):
    global total
    while not stop.is_set():
        with lock:
            seen = total
            time.sleep(0)
            total = seen + 1
        times[0] += 1
        time.sleep(0.002)


def worker():
    while (job := jobs.get()) is not None:
        n, data = job
        results.put((n, hashlib.sha256(data).hexdigest(), data))


def meets(index):
    try:
        while True:
            barrier.wait()
            at_barrier[index] += 1
            time.sleep(0.003)
    except threading.BrokenBarrierError:
        pass


def timer():
    global timer_fired
    timer_fired += 1
    if not stop.is_set():
        threading.Timer(0.02, timer).start()


def child_of_shared_memory():
    pid = os.fork()
    if pid == 0:
        n = 0
        while shared[0] == 0:
            n += 1
            shared[8:16] = n.to_bytes(8, "little")
            time.sleep(0.002)
        shared[16:24] = n.to_bytes(8, "little")
        os._exit(23)
    return pid


counts = [[0] for _ in range(3)]
threads = [threading.Thread(target=adder, args=(c,)) for c in counts]
threads += [threading.Thread(target=worker) for _ in range(2)]
threads += [threading.Thread(target=meets, args=(i,)) for i in range(3)]
forked = child_of_shared_memory()
for t in threads:
    t.start()
timer()
cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
rng, again = random.Random(5), random.Random(5)
n = 0
while not os.path.exists("stop"):
    n += 1
    jobs.put((n, rng.randbytes(5000)))
    _, digest, data = results.get()
    if digest != hashlib.sha256(data).hexdigest() or data != again.randbytes(5000):
        sys.exit(f"job {n}: other bytes")
    line = b"line %d\n" % n
    cat.stdin.write(line)
    cat.stdin.flush()
    if cat.stdout.readline() != line:
        sys.exit(f"line {n} got lost")
    print(n, digest, flush=True)
    time.sleep(0.003)

stop.set()
barrier.abort()
for _ in range(2):
    jobs.put(None)
for t in threads:
    t.join()
cat.stdin.close()
shared[0] = 1
status = os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1])
wrong = []
if total != sum(c[0] for c in counts):
    wrong.append(f"lock: {total} of {counts}")
if cat.wait() != 0:
    wrong.append("cat")
if status != 23 or shared[8:16] != shared[16:24]:
    wrong.append("fork")
if max(at_barrier) - min(at_barrier) > 1 or min(at_barrier) == 0:
    wrong.append(f"barrier {at_barrier}")
if timer_fired < 2:
    wrong.append("timer")
print("end:", wrong or "all agree")
