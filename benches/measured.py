"""A server under measurement: started for it, watched through /proc, ended by its process id and by nothing else.

Shared by `compare`, `latency`, `listing` and `memory`. Linux, and the standard library of Python 3.8 or later.
"""

import http.client
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time
from urllib.parse import urlsplit

HERE = pathlib.Path(__file__).resolve().parent

# Seconds that a server gets to answer its first request, and to end when it is asked to.
START, END = 10, 15

# Descriptors wanted for each process here, servers and clients.
DESCRIPTORS = 24_000


class Skipped(Exception):
    """Something the measurement needs is not here. Says what."""


class Failed(Exception):
    """A server did not do what it must. Says which and what."""


def run(main):
    """Runs `main`. Ctrl-C, SIGTERM and SIGHUP end it in order, so that every `finally` is reached."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(f"ended by {signal.Signals(number).name}"))
    try:
        sys.exit(main())
    except Skipped as why:
        print(f"SKIPPED: {why}")
    except Failed as why:
        sys.exit(f"FAILED: {why}")
    except KeyboardInterrupt:
        sys.exit("interrupted")


def release_binary():
    """Builds the command, and returns where it is."""
    return built(HERE.parent, "ownhands")


def built(directory, name, *options):
    """Builds a binary of the package in a directory as a release, and returns where it is."""
    command = ["cargo", "build", "--release", "--bin", name, "--message-format=json-render-diagnostics", *options]
    try:
        done = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise Skipped("there is no cargo") from None
    if done.returncode != 0:
        raise Failed(f"the release build of {name} failed")
    for line in done.stdout.splitlines():
        artifact = json.loads(line)
        if artifact.get("executable") and artifact["target"]["name"] == name:
            return artifact["executable"]
    raise Failed(f"cargo has built no binary named {name}")


def raise_descriptors():
    """Raises the limit on open files, for this process and those it starts. Returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft != unlimited and soft < DESCRIPTORS:
        wanted = [(DESCRIPTORS, max(hard, DESCRIPTORS) if hard != unlimited else hard)]
        if hard == unlimited or hard > soft:
            wanted.append((DESCRIPTORS if hard == unlimited else min(DESCRIPTORS, hard), hard))
        for limits in wanted:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
                break
            except (ValueError, OSError):
                pass  # only root may raise the hard limit
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if soft == unlimited else soft


class Server:
    """A process that serves, with all its children."""

    def __init__(self, name, command, core=None, url=None, errors=None):
        """Starts it, on one core if one is named. Without a URL, the first line on its stdout begins with it. What it
        says on its stderr goes to the file `errors`, if there is one."""
        self.name = name
        pin = None if core is None else lambda: os.sched_setaffinity(0, {core})
        output = subprocess.PIPE if url is None else subprocess.DEVNULL
        # A session of its own: Ctrl-C at the terminal reaches this script alone, which then ends the server.
        try:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=errors, preexec_fn=pin, start_new_session=True, text=True
            )
        except OSError as error:
            raise Failed(f"{name} cannot be started: {error}") from error
        try:
            self.url = url or self.process.stdout.readline().split(" ")[0].strip()
            if not self.url.startswith("http://"):
                raise Failed(f"{name} did not start: it said {self.url!r}")
            self.address = urlsplit(self.url).hostname, urlsplit(self.url).port
            self.resident_at_start, self.own_at_start = self.rss(), self.own()
            self._wait_until_it_answers()
        except BaseException:
            self.stop()
            raise

    def _wait_until_it_answers(self):
        until = time.monotonic() + START
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise Failed(f"{self.name} has ended with code {self.process.returncode}")
            try:
                return self.get("/")
            except OSError:
                time.sleep(0.02)
        raise Failed(f"{self.name} does not answer after {START} seconds")

    def get(self, path):
        """The status, the Content-Length and the body of one answer, on a connection of its own."""
        connection = http.client.HTTPConnection(*self.address, timeout=START)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Length"), answer.read()
        finally:
            connection.close()

    def tree(self):
        """The process ids of the server and of what it has started."""
        parents = {}
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    # The name in parentheses may have anything in it; the parent is the second field behind it.
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                    parents[int(entry.name)] = int(fields[1])
                except OSError:
                    pass  # it has ended meanwhile
        tree = [self.process.pid]
        for pid in tree:
            tree.extend(child for child, parent in parents.items() if parent == pid)
        return tree

    def cpu(self):
        """Nanoseconds of CPU used so far, by every thread of the tree."""
        return sum(self.threads().values())

    def threads(self):
        """Nanoseconds of CPU used so far, by each thread of the tree that is there."""
        used = {}
        for pid in self.tree():
            for file in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
                try:
                    used[file.parent.name] = int(file.read_text().split()[0])
                except OSError:
                    pass  # it has ended meanwhile
        if not any(used.values()):
            raise Skipped("this kernel does not count CPU time in /proc/PID/task/*/schedstat")
        return used

    def used_since(self, before):
        """Nanoseconds of CPU used since `threads` said so. A thread that has ended since takes its last part along, and
        nothing of what it used before."""
        return sum(used - before.get(thread, 0) for thread, used in self.threads().items())

    def rss(self):
        """Resident bytes of the tree. A page shared by two of its processes counts twice."""
        return sum(int(kilobytes) for pid in self.tree() for kilobytes in self._fields(pid, "smaps_rollup", "Rss")) * 1024

    def own(self):
        """Bytes of the tree that are not pages of the program and its libraries: its data."""
        return sum(int(kilobytes) for pid in self.tree() for kilobytes in self._fields(pid, "smaps_rollup", "Anonymous")) * 1024

    def wake_ups(self):
        """How often the first process has gone to sleep so far."""
        return sum(int(count) for count in self._fields(self.process.pid, "status", "voluntary_ctxt_switches"))

    @staticmethod
    def _fields(pid, file, name):
        try:
            lines = pathlib.Path(f"/proc/{pid}/{file}").read_text().splitlines()
        except OSError:
            return []  # it has ended meanwhile
        return [line.split()[1] for line in lines if line.startswith(f"{name}:")]

    def stop(self):
        """Asks it to end, waits, and ends it by force if that does not help."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(END)
            except subprocess.TimeoutExpired:
                print(f"{self.name} did not end on SIGTERM", file=sys.stderr)
                for pid in reversed(self.tree()):
                    os.kill(pid, signal.SIGKILL)
                self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
