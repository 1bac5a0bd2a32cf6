"""The server's side of a worker, by hand: starts one as the server does, and speaks with it over a socket pair.

Whatever the worker says that the protocol does not have, or says at the wrong time, is an AssertionError.
"""

import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = HERE.parent.parent / "src/gateway/wsgi/worker.py"

# The line that reads the program; it stands in its head.
BOOTSTRAP = re.search(r"^# (import .*exec.*)$", PROGRAM.read_text(), re.MULTILINE)[1]

# Seconds that anything may take.
PATIENCE = 10


def netstring(data):
    return b"%d:%b," % (len(data), data)


def environ(path, query="", method="GET", length=0, **more):
    """What the server says of a request."""
    pairs = {
        "CONTENT_LENGTH": str(length),
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "REQUEST_METHOD": method,
        "REQUEST_URI": path + ("?" + query if query else ""),
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        **more,
    }
    return "".join(f"{name}\0{value}\0" for name, value in pairs.items()).encode("latin-1")


def request(path, query="", body=b"", method=None, block=65536, **more):
    """A request as it goes over the socket."""
    method = method or ("POST" if body else "GET")
    blocks = b"".join(netstring(body[at : at + block]) for at in range(0, len(body), block))
    return netstring(environ(path, query, method, len(body), **more)) + (blocks + b"0:," if blocks else b"")


class Answer:
    """What the worker has said to a request: `why` where that is no answer."""

    def __init__(self, head, blocks, outcome):
        self.status, self.fields, self.why = None, [], None
        self.blocks, self.body, self.outcome = blocks, b"".join(blocks), outcome
        if head.startswith(b"failed "):
            self.why = head[7:].decode()
            assert not blocks and not outcome, "more is said of an answer that is none"
            return
        lines = head.decode("latin-1").split("\r\n")
        assert lines[-2:] == ["", ""], f"the head does not end as one: {head}"
        fields = [line.split(": ", 1) for line in lines[:-2]]
        assert fields[0][0] == "Status", f"the head does not begin with the status: {head}"
        self.status, self.fields = fields[0][1], [(name, value) for name, value in fields[1:]]

    def __getitem__(self, name):
        return ", ".join(value for other, value in self.fields if other.lower() == name.lower()) or None


class Worker:
    """A worker, started as the server starts it."""

    def __init__(self, name="served:application", workers=1, *more, cwd=HERE, program=None, first=b"", variables=None):
        """`first` is sent in one with the program."""
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(PATIENCE)
        control, self.control = os.pipe()
        self.errors, errors = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", BOOTSTRAP, name, str(workers), *more],
            stdin=theirs, stdout=control, stderr=errors, cwd=cwd, env={**os.environ, **(variables or {})},
        )
        theirs.close()
        os.close(control)
        os.close(errors)
        self.log, self.reader = b"", threading.Thread(target=self._read_log, daemon=True)
        self.reader.start()
        self.rest = b""
        self.socket.sendall(netstring(program or PROGRAM.read_bytes()) + first)

    def _read_log(self):
        while True:
            data = os.read(self.errors, 65536)
            if not data:
                return os.close(self.errors)
            self.log += data

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """The next netstring; None at the end."""
        while b":" not in self.rest:
            data = self.socket.recv(1 << 20)
            if not data:
                assert not self.rest, f"the worker has ended within {self.rest}"
                return None
            self.rest += data
        length, _, data = self.rest.partition(b":")
        length = int(length)
        parts, missing = [data], length + 1 - len(data)
        while missing > 0:
            parts.append(self.socket.recv(1 << 20))
            assert parts[-1], "the worker has ended within a netstring"
            missing -= len(parts[-1])
        data = b"".join(parts)
        assert data[length : length + 1] == b",", f"no comma behind {data[:length]}"
        self.rest = data[length + 1 :]
        return data[:length]

    def answer(self):
        """The next answer, whole, and nothing behind it."""
        head = self.receive()
        assert head is not None, f"the worker has ended: {self.log.decode()}"
        blocks = []
        while True:
            block = self.receive()
            assert block is not None, f"the worker has ended within an answer: {self.log.decode()}"
            assert len(block) <= 65536, "a block is too long"
            if not block:
                break
            blocks.append(block)
        outcome = self.receive().decode()
        assert "\n" not in outcome
        assert not self.rest, f"something stands behind the answer: {self.rest}"
        return Answer(head, blocks, outcome)

    def ask(self, *arguments, **more):
        """Sends a request, while it reads the answer."""
        sender = threading.Thread(target=self.send, args=(request(*arguments, **more),), daemon=True)
        sender.start()
        answer = self.answer()
        sender.join(PATIENCE)
        return answer

    def is_quiet(self, seconds=0.05):
        return not self.rest and not select.select([self.socket], [], [], seconds)[0]

    def says(self, text):
        """Waits until the log has a text."""
        for _ in range(PATIENCE * 100):
            if text.encode() in self.log:
                return True
            if not self.reader.is_alive():
                break
            select.select([], [], [], 0.01)
        raise AssertionError(f"{text!r} is not in the log: {self.log.decode()}")

    def signal(self, number):
        self.process.send_signal(number)

    def code(self):
        """How it has ended, which it must have by now or soon; the log is whole then."""
        code = self.process.wait(PATIENCE)
        self.reader.join(0.5)  # a child of the worker may keep it open
        return code

    def leave(self):
        """The server closes the socket. Returns how the worker has ended."""
        self.socket.close()
        return self.code()

    def stop(self):
        """Whatever it is about."""
        self.socket.close()
        os.close(self.control)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.reader.join(0.2)
