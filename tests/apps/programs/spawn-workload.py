"""Processes that begin and end all the time; each must give the answer and the exit code it should."""
import os
import subprocess
import threading

lock = threading.Lock()
wrong = []
n = 0


def report():
    global n
    with lock:
        n += 1
        print(n, flush=True)


def by_vfork(index):
    i = 0
    while not os.path.exists("stop"):
        i += 1
        done = subprocess.run(["/bin/sh", "-c", f"echo {index} {i}; exit {i % 200}"], stdout=subprocess.PIPE)
        if done.stdout != b"%d %d\n" % (index, i) or done.returncode != i % 200:
            wrong.append(f"thread {index}, {i}: {done}")
        report()


def by_fork():
    i = 0
    while not os.path.exists("stop"):
        i += 1
        pids = []
        for code in range(3):
            pid = os.fork()
            if pid == 0:
                os._exit(code + 10)
            pids.append(pid)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        if codes != [10, 11, 12]:
            wrong.append(f"forks {i}: {codes}")
        report()


threads = [threading.Thread(target=by_vfork, args=(i,)) for i in range(3)]
threads.append(threading.Thread(target=by_fork))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("end:", wrong or "all agree")
