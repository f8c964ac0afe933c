"""An HTTP server of python: a thread for each connection, which is kept."""
import hashlib
import http.server
import sys
import threading
import time

counted = threading.Lock()
count = 0
ticks = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self, text):
        self.send_response(200)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        global count
        if self.path == '/count':
            with counted:
                count += 1
            self.answer(str(count).encode())
        elif self.path == '/ticks':
            self.answer(str(ticks).encode())
        elif self.path == '/square':
            self.answer(str(count * count).encode())
        elif self.path == '/end':
            self.answer(b'bye')
            threading.Thread(target=self.server.shutdown).start()

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers['Content-Length'])))


def tick():
    global ticks
    while True:
        time.sleep(0.005)
        ticks += 1


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


threading.Thread(target=tick, daemon=True).start()
Server(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
