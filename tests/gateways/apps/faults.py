"""An application that does everything wrong, each thing at a path of its own. The query is an argument, where there is one."""

import os
import signal
import time

# So long that what came before is on its way to the client.
PAUSE = 0.1

TEXT = [("Content-Type", "text/plain")]


def hello(argument, environ, start_response):
    start_response("200 OK", TEXT)
    return [b"hello\n"]


def pid(argument, environ, start_response):
    start_response("200 OK", TEXT)
    return [b"%d" % os.getpid()]


def sleep(argument, environ, start_response):
    """Says nothing for so many seconds."""
    time.sleep(float(argument))
    start_response("200 OK", TEXT)
    return [b"awake\n"]


def dies(argument, environ, start_response):
    """In the middle of its answer, as by the kernel when memory is short."""
    start_response("200 OK", TEXT)
    yield b"begun\n"
    time.sleep(PAUSE)
    os.kill(os.getpid(), signal.SIGKILL)


def dies_at_once(argument, environ, start_response):
    os.kill(os.getpid(), signal.SIGKILL)


def raises(argument, environ, start_response):
    raise RuntimeError("raised on purpose")


def raises_later(argument, environ, start_response):
    start_response("200 OK", TEXT)
    yield b"begun\n"
    time.sleep(PAUSE)
    raise RuntimeError("raised on purpose")


def no_head(argument, environ, start_response):
    return [b"output without start_response\n"]


def injects(argument, environ, start_response):
    """As an application does that puts what a client sent into a field."""
    start_response("200 OK", TEXT + [("X-Name", "a\r\nX-Injected: b\r\n\r\n<script>")])
    return [b"injected\n"]


def injects_name(argument, environ, start_response):
    start_response("200 OK", TEXT + [("X-Name: a\r\nX-Injected", "b")])
    return [b"injected\n"]


def injects_status(argument, environ, start_response):
    start_response("200 OK\r\nX-Injected: b", TEXT)
    return [b"injected\n"]


def hop_by_hop(argument, environ, start_response):
    start_response("200 OK", TEXT + [("Transfer-Encoding", "chunked")])
    return [b"0\r\n\r\n"]


def too_short(argument, environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "100")])
    return [b"begun\n"]


def too_short_later(argument, environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "100")])
    yield b"begun\n"
    time.sleep(PAUSE)


def too_long(argument, environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "6")])
    return [b"begun\nHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled"]


def ignores(argument, environ, start_response):
    """Its body, however long."""
    start_response("200 OK", TEXT)
    return [b"ignored\n"]


def prints(argument, environ, start_response):
    print("by print")
    environ["wsgi.errors"].write("by wsgi.errors\n")
    start_response("200 OK", TEXT)
    return [b"printed\n"]


class Endless:
    """A stream without end, whose close() writes a line into the file that the argument names."""

    def __init__(self, path):
        self.path = path

    def __iter__(self):
        return self

    def __next__(self):
        time.sleep(0.001)
        return b"x" * 10_000

    def close(self):
        with open(self.path, "a") as file:
            file.write("closed\n")


def endless(argument, environ, start_response):
    start_response("200 OK", TEXT)
    return Endless(argument)


def large(argument, environ, start_response):
    """So many bytes, made before they are asked for."""
    start_response("200 OK", TEXT)
    return [b"x" * int(argument)]


def marks(argument, environ, start_response):
    """A line in a file for each call."""
    with open(argument, "a") as file:
        file.write("called\n")
    time.sleep(0.2)
    start_response("200 OK", TEXT)
    return [b"marked\n"]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"][1:]](environ["QUERY_STRING"], environ, start_response)
