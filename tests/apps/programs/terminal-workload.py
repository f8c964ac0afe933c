"""Types on a pseudoterminal to a program and reads what it shows: `jobs` (bash) or `vim`."""
import os
import pty
import select
import signal
import sys
import time


class Terminal:
    def __init__(self, *command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # A shell starts what is in the background with these ignored.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.signal(signal.SIGQUIT, signal.SIG_DFL)
            os.environ.update(TERM='xterm', PS1='$ ', HISTFILE='')
            os.execvp(command[0], command)
        self.shown = b''

    def type(self, text):
        os.write(self.fd, text.encode())

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            self.shown += os.read(self.fd, 65536)
        except OSError:  # the program has ended
            return False
        return True

    def wait_for(self, text):
        """Reads until it shows, and forgets all up to there."""
        end = time.monotonic() + 60
        while text.encode() not in self.shown:
            if time.monotonic() > end:
                print('did not come:', repr(text), 'but', self.shown[-200:], flush=True)
                sys.exit(1)
            self.read(0.1)
        self.shown = self.shown.split(text.encode(), 1)[1]

    def end(self, text):
        self.type(text)
        while self.read(10):
            pass
        return os.waitpid(self.pid, 0)[1]


def rounds():
    n = 0
    while not os.path.exists('stop') or n < 3:
        n += 1
        yield n
        print('ok', n, flush=True)


def jobs():
    shell = Terminal('bash', '--norc', '-i')
    for n in rounds():
        shell.type(f'seq {n} {n + 4} | sort -rn | tr "\\n" , | sed s/^/list:/; echo\n')
        shell.wait_for(f'list:{n + 4},{n + 3},{n + 2},{n + 1},{n},')
        # A job in the foreground is stopped by ^Z, goes on in the background, and ends by ^C in front.
        shell.type(f'echo started-"{n}"; sleep 1000 | cat\n')
        shell.wait_for(f'started-{n}')
        time.sleep(0.1)
        shell.type('\x1a')
        shell.wait_for('Stopped')
        shell.type('bg >/dev/null; jobs; echo listed-"$((1))"\n')
        shell.wait_for('Running')
        shell.wait_for('listed-1')
        shell.type('fg\n')
        shell.wait_for('sleep 1000 | cat')
        time.sleep(0.1)
        shell.type('\x03')
        shell.wait_for('$ ')
        shell.type(f'echo status-"$?"-{n}\n')
        shell.wait_for(f'status-130-{n}')
    return shell.end('exit\n')


def vim():
    editor = Terminal('vim', '-u', 'NONE', '-n', 'text')
    for n in rounds():
        editor.type(f'Goline {n} of the text\x1b:w\r')
        end = time.monotonic() + 60
        want = ''.join(f'line {i} of the text\n' for i in range(1, n + 1))
        text = None
        while time.monotonic() < end and text != want:
            editor.read(0.05)
            with open('text', 'a+') as file:
                file.seek(0)
                text = file.read().lstrip('\n')
        if text != want:
            print('the text is', text[-300:], flush=True)
            return 1
        editor.shown = b''
    return editor.end(':q\r')


sys.exit({'jobs': jobs, 'vim': vim}[sys.argv[1]]() != 0)
