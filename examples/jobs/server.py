"""A server that takes long to start: what it has learnt by then is in its memory."""
import http.server
import sys
import time

time.sleep(2)
learnt = {"started": time.time_ns(), "answers": 0}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        learnt["answers"] += 1
        body = f"{learnt['started']} {learnt['answers']}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
