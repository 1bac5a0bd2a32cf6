"""Connections on which nothing happens while others are served."""

import contextlib
import socket
import struct

REQUEST = b"GET /1k.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"
LENGTH = 1024

# SO_LINGER without a time: closing sends a reset, and leaves no port behind that must wait.
RESET = struct.pack("ii", 1, 0)


class IdleFailed(Exception):
    """A connection was not kept. Says how many."""


def connect(address):
    """A connection that has got one answer, and waits for the next request."""
    connection = socket.create_connection(address, timeout=10)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.sendall(REQUEST)
    answer = b""
    while b"\r\n\r\n" not in answer or len(answer.partition(b"\r\n\r\n")[2]) < LENGTH:
        more = connection.recv(65536)
        if not more:
            raise IdleFailed("an idle connection was closed before its answer")
        answer += more
    return connection


@contextlib.contextmanager
def idle(address, count):
    """Keeps so many connections open meanwhile, and looks at the end whether they still are."""
    connections = []
    try:
        for _ in range(count):
            connections.append(connect(address))
        yield
        gone = 0
        for connection in connections:
            connection.setblocking(False)
            try:
                gone += connection.recv(1) == b""
            except BlockingIOError:
                pass  # open, and nothing to read
            except OSError:
                gone += 1
        if gone:
            raise IdleFailed(f"{gone} of {count} idle connections were closed")
    finally:
        for connection in connections:
            connection.close()
