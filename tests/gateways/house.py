"""The command under test, with what stands behind it; and what asks it.

Everything stays on 127.0.0.1, on ports that the system picks, and in directories that are removed. Whatever is started here is
ended here, by its process id.
"""

import contextlib
import http.client
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from urllib.parse import urlsplit

HERE = pathlib.Path(__file__).resolve().parent
APPS, CGI_BIN = HERE / "apps", HERE / "cgi-bin"

# Both are set by `run`.
BINARY = os.environ.get("OWNHANDS", "")
PYTHON = os.environ.get("GATEWAYS_PYTHON", sys.executable)

# Seconds that anything may take that takes no time.
PATIENCE = 15


def wait_for(what, condition, seconds=PATIENCE):
    """Waits until a condition holds, and returns what it says."""
    until = time.monotonic() + seconds
    while True:
        said = condition()
        if said:
            return said
        if time.monotonic() > until:
            raise AssertionError(f"after {seconds} seconds: {what}")
        time.sleep(0.01)


def is_alive(pid):
    """Whether a process is there. A zombie is: somebody should have waited for it."""
    return os.path.exists(f"/proc/{pid}")


class Answer:
    """What came, as far as it came."""

    def __init__(self, answer, body, is_whole):
        self.status, self.body, self.is_whole = answer.status, body, is_whole
        self.headers = answer.headers

    def __getitem__(self, name):
        return self.headers[name]

    @property
    def text(self):
        return self.body.decode("latin-1")


class House:
    """One `ownhands`, started with these arguments."""

    def __init__(self, *arguments, cwd=APPS, variables=None):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="ownhands-gateways-"))
        self.log_file, self.access_file = self.scratch / "log", self.scratch / "access"
        command = [BINARY, "--port", "0", "--access-log", str(self.access_file), *map(str, arguments)]
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, cwd=cwd,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(variables or {})},
            )
        line = self.process.stdout.readline().decode()
        found = re.match(r"(http://127\.0\.0\.1:\d+)/ ", line)
        if not found:
            self.process.kill()
            self.process.stdout.close()
            code, log = self.process.wait(), self.log()
            remove(self.scratch)
            raise AssertionError(f"{' '.join(command)} said {line!r}, ended with {code}, and logged {log}")
        self.url = found[1]
        self.address = urlsplit(self.url).hostname, urlsplit(self.url).port
        self.pid = self.process.pid

    def log(self):
        return self.log_file.read_text(errors="replace")

    def logs(self, pattern, since=0):
        """Waits for a line of the log that matches."""
        wait_for(f"no line of the log matches {pattern!r}: {self.log()[since:][-3000:]}", lambda: re.search(pattern, self.log()[since:]))

    def ask(self, path, body=None, method=None, headers=None, seconds=PATIENCE):
        """One answer, on a connection of its own."""
        connection = http.client.HTTPConnection(*self.address, timeout=seconds)
        try:
            try:
                connection.request(method or ("GET" if body is None else "POST"), path, body, headers or {})
            except (BrokenPipeError, ConnectionResetError):
                pass  # it may have answered before the body was over
            answer = connection.getresponse()
            try:
                return Answer(answer, answer.read(), True)
            except http.client.IncompleteRead as short:
                return Answer(answer, short.partial, False)
            except ConnectionResetError:
                return Answer(answer, b"", False)
        finally:
            connection.close()

    def connect(self, data=b""):
        """A connection by hand."""
        peer = socket.create_connection(self.address, timeout=PATIENCE)
        peer.sendall(data)
        return peer

    def tree(self):
        """The processes that the server has started, and theirs, with their command lines; without itself."""
        parents = {}
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        tree = [self.pid]
        for pid in tree:
            tree.extend(child for child, parent in parents.items() if parent == pid)
        return tree[1:]

    def is_own(self, pid):
        """Whether a process is one of the command itself, which has some beside the server."""
        try:
            return os.path.samefile(f"/proc/{pid}/exe", f"/proc/{self.pid}/exe")
        except OSError:
            return True  # it has ended meanwhile

    def workers(self):
        """Those that run the worker program."""
        found = []
        for pid in self.tree():
            with contextlib.suppress(OSError):
                if b"<ownhands>" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
        return sorted(found)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory(self):
        """Resident KiB of the server itself."""
        return int(re.search(r"^VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE)[1])

    def stop(self):
        """Ends it: with code 0, in time, and with nobody left behind. Returns the log."""
        family = self.tree()
        try:
            if self.process.poll() is None:
                self.process.terminate()
            code = self.process.wait(PATIENCE)
            wait_for("somebody is left behind", lambda: not any(map(is_alive, family)))
        finally:
            for pid in [self.pid, *family]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
            self.process.stdout.close()
            log = self.log()
            remove(self.scratch)
        if code != 0:
            raise AssertionError(f"it ended with code {code}: {log}")
        return log


class Housed(unittest.TestCase):
    """Tests with a house: one for all of a class where it names `arguments`, and more by `house()`."""

    arguments = None
    shared = None

    @classmethod
    def setUpClass(cls):
        if cls.arguments is not None:
            cls.shared = House(*cls.arguments)

    @classmethod
    def tearDownClass(cls):
        if cls.shared:
            cls.shared.stop()

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="ownhands-gateways-"))
        self.addCleanup(remove, self.directory)
        self.since = len(self.shared.log()) if self.shared else 0

    def house(self, *arguments, **more):
        house = House(*arguments, **more)
        self.addCleanup(lambda: house.process.returncode is None and house.stop())
        return house

    def ask(self, *arguments, **more):
        return self.shared.ask(*arguments, **more)

    def logs(self, pattern):
        self.shared.logs(pattern, self.since)


def remove(directory):
    """A directory and all that is in it."""
    for path in sorted(directory.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    directory.rmdir()


def wsgi(application, *more):
    """The options for an application of ours."""
    return ["--wsgi", application, "--chdir", str(APPS), "--python", PYTHON, *more]
