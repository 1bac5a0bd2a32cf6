#!/usr/bin/env python3
"""An SCGI server, a thread for each request: what an application server looks like that runs already.

    scgi_server.py unix:PATH|HOST:PORT    prints where it listens; with port 0, the system picks one
"""

import os
import socket
import socketserver
import sys
import threading
import time


def netstring(file):
    length = b"".join(iter(lambda: file.read(1) or b":", b":"))
    data = file.read(int(length))
    assert file.read(1) == b","
    return data


class Handler(socketserver.StreamRequestHandler):
    """Answers by the path. Most say in X-Length what CONTENT_LENGTH said."""

    def handle(self):
        items = iter(netstring(self.rfile).decode("latin-1").split("\0"))
        environ = dict(zip(items, items))
        assert next(iter(environ)) == "CONTENT_LENGTH" and environ["SCGI"] == "1", environ
        name = environ["PATH_INFO"].strip("/").replace("-", "_")
        getattr(self, "answer_" + name)(environ, int(environ["CONTENT_LENGTH"]))

    def head(self, *fields):
        self.wfile.write("".join(f"{field}\r\n" for field in (*fields, "")).encode("latin-1"))

    def answer_environ(self, environ, length):
        self.head("Status: 200 OK", "Content-Type: text/plain")
        self.wfile.write("".join(f"{name}={value}\n" for name, value in environ.items()).encode("latin-1"))

    def answer_echo(self, environ, length):
        self.head("Content-Type: application/octet-stream", f"X-Length: {length}")
        while length:
            data = self.rfile.read(min(length, 65536))
            self.wfile.write(data)
            length -= len(data)

    def answer_status(self, environ, length):
        self.head("Status: 418 I'm a teapot", "Content-Type: text/plain", "Content-Length: 7")
        self.wfile.write(b"teapot\n")

    def answer_slow(self, environ, length):
        self.head("Content-Type: text/plain")
        for number in range(3):
            self.wfile.write(b"%d\n" % number)
            time.sleep(0.2)

    def answer_never(self, environ, length):
        time.sleep(30)

    def answer_gone(self, environ, length):
        """Closes without a word."""

    def answer_halfway(self, environ, length):
        self.head("Content-Type: text/plain", "Content-Length: 100")
        self.wfile.write(b"begun\n")
        time.sleep(0.1)  # so that this much is on its way

    def answer_no_head(self, environ, length):
        self.wfile.write(b"<p>output without a head</p>\n")

    def answer_endless(self, environ, length):
        """A stream; in the file that the query names, a line tells of its end."""
        self.head("Content-Type: text/plain")
        try:
            while True:
                self.wfile.write(b"x" * 10_000)
                time.sleep(0.001)
        except OSError:
            with open(environ["QUERY_STRING"], "a") as file:
                file.write("closed\n")


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        """Clients that leave are none of the tests' business."""


def main(place):
    if place.startswith("unix:"):
        Server.address_family = socket.AF_UNIX
        server = Server(place[len("unix:") :], Handler)
    else:
        host, _, port = place.rpartition(":")
        Server.allow_reuse_address = True
        server = Server((host, int(port)), Handler)
        place = f"{host}:{server.server_address[1]}"
    print(place, flush=True)
    # Nobody is left behind: it ends with the pipe that it reads from.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.serve_forever()


main(*sys.argv[1:])
