#!/usr/bin/env python3
"""The server of the lab: HTTP on ports 8000 and 8001, names on port 53.

    GET /peer      4 or 6, the family by which the client came
    GET /lines/N   N numbered lines
    POST /echo     the body

    quick.lab      has an address
    late.lab       has one, told after four seconds
    silent.lab     is never answered
"""
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADDRESS = "10.77.0.2"
A, IN, NO_SUCH_NAME = 1, 1, 3
SECONDS = {b"quick.lab": 0, b"late.lab": 4, b"silent.lab": None}


class Http(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        if self.path == "/peer":
            mapped = self.client_address[0].startswith("::ffff:")
            return self.answer(b"4" if mapped else b"6")
        count = int(self.path.removeprefix("/lines/"))
        self.answer(b"".join(b"%07d\n" % number for number in range(count)))

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class BothFamilies(ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def handle_error(self, *_):
        pass  # clients that leave are what the lab is for


def question(query):
    """The name, the type, and where the question ends."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]])
        at += 1 + query[at]
    kind, _ = struct.unpack_from("!HH", query, at + 1)
    return b".".join(labels).lower(), kind, at + 5


def reply(query):
    """The answer and how long it takes; nothing if it is never given (RFC 1035 §4.1)."""
    name, kind, end = question(query)
    seconds = SECONDS.get(name, 0)
    if seconds is None:
        return None
    count = int(name in SECONDS and kind == A)
    code = 0 if name in SECONDS else NO_SUCH_NAME
    head = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, count, 0, 0)
    record = struct.pack("!HHHLH", 0xC00C, A, IN, 0, 4) + socket.inet_aton(ADDRESS)
    return head + query[12:end] + record * count, seconds


def names():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((ADDRESS, 53))
    while True:
        query, client = udp.recvfrom(4096)
        answer = reply(query)
        if answer is not None:
            threading.Timer(answer[1], udp.sendto, (answer[0], client)).start()


for port in (8000, 8001):
    threading.Thread(target=BothFamilies(("::", port), Http).serve_forever, daemon=True).start()
names()
