# A worker: one process that calls a WSGI application (PEP 3333), one request at a time, for the server that started it.
#
# It is compiled into the server, and sent over the socket to a Python that was started with this line, which reads one
# netstring and nothing behind it:
#
# import io,os;f=io.BufferedReader(io.FileIO(0,closefd=False),1);n=int(b"".join(iter(lambda:f.read(1)or os._exit(1),b":")));exec(compile(f.read(n+1)[:-1],"<ownhands>","exec"),{"__name__":"<ownhands>"})
#
# Its arguments are MODULE:CALLABLE, how many workers there are, and `reload` if the sources are to be watched. Descriptor 0 is
# the socket, 1 a pipe that names requests whose client has left, 2 the log. On the socket everything is a netstring:
#
# - from the worker, once: `ready`, or `failed WHY`
# - to the worker: the environ as NAME\0VALUE\0..., CONTENT_LENGTH first; if that is not 0, the body in blocks, and an
#   empty one
# - from the worker: the head, or `failed WHY` where there is none; the body in blocks; an empty one; the outcome, empty or why
#   the answer was cut short
# - from the worker, between requests, with `reload`: `stale`
#
# Python 3.8 or later, the standard library and nothing else. It does not speak HTTP, keeps no time and starts nobody:
# that is the server's. Where the application breaks a rule of PEP 3333, it gets an exception and the client a 500.

import contextlib
import faulthandler
import functools
import io
import itertools
import os
import re
import select
import signal
import socket
import sys
import time
import traceback
import types

# The longest block of a body, in both directions.
BLOCK = 65536

# One read takes such a block with what is around it.
READ = BLOCK + 16

# An error in one line is no longer than this, in characters.
LINE = 1000

# Sources that are watched at the most, and how often, in seconds.
SOURCES, EVERY = 5000, 1.0

# Directories in which nobody works on sources.
INSTALLED = {"site-packages", "dist-packages", "node_modules"}

# RFC 9110 section 5.6.2, and what PEP 3333 leaves of section 5.5 and of a status line.
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
STATUS = re.compile(r"[2-9][0-9]{2} [^\x00-\x1f\x7f]*")

# Fields that speak of a connection, which is the server's (PEP 3333, "Other HTTP Features").
HOP_BY_HOP = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization te trailer trailers transfer-encoding upgrade".split()
)


# How the traceback of an error names this file, which is no file there.
OWN = sys._getframe().f_code.co_filename


class Left(ConnectionError):
    """Who should read, or should send, has left. An application need not catch it, and the log need not tell."""


class Wire:
    """The socket to the server: netstrings in both directions."""

    def __init__(self, peer):
        self.peer = peer
        self.rest = b""
        self.ready = select.poll()
        self.ready.register(peer, select.POLLIN)

    def has_come(self, seconds):
        """Whether something has come, or comes in so many seconds; the end is something too."""
        return bool(self.rest or self.ready.poll(seconds * 1000))

    def has_more(self):
        """Waits until something has come; False at the end."""
        if not self.rest:
            # Who waits in recv is woken by room to send as well, whenever the server has read an answer.
            self.ready.poll()
            try:
                self.rest = self.peer.recv(READ)
            except OSError:
                return False
        return self.rest != b""

    def receive(self):
        """The next netstring. What comes behind it, by the same read, is kept for the next time."""
        data = self.rest
        colon = data.find(b":")
        while colon < 0:
            data += self._read(READ)
            colon = data.find(b":")
        start = colon + 1
        end = start + int(data[:colon])
        if end >= len(data):
            data = self._gather(data, end + 1)
        self.rest = data[end + 1 :]
        return data[start:end]

    def _gather(self, data, total):
        """What has come, and all that is missing of it but nothing beyond: a block is not copied again for its successor."""
        parts, missing = [data], total - len(data)
        while missing:
            parts.append(self._read(missing))
            missing -= len(parts[-1])
        return b"".join(parts)

    def _read(self, most):
        try:
            data = self.peer.recv(most)
        except OSError:
            data = b""
        if not data:
            raise Left("the server has left")
        return data

    def send(self, data):
        try:
            self.peer.sendall(data)
        except OSError:
            raise Left("the server has left") from None

    def stop(self):
        """From now on the server can send nothing; what it has sent can be read, and then comes the end."""
        with contextlib.suppress(OSError):
            self.peer.shutdown(socket.SHUT_RD)


class Body(io.RawIOBase):
    """The body of a request, as it comes. io.BufferedReader makes the file of it that PEP 3333 wants."""

    def __init__(self, wire, length):
        self.wire, self.missing = wire, length
        self.block = memoryview(b"")
        self.is_over = False

    def readable(self):
        return True

    def readinto(self, buffer):
        block = self.block or self._next()
        count = min(len(block), len(buffer))
        buffer[:count] = block[:count]
        self.block = block[count:]
        return count

    def _next(self):
        """The next block; an empty one at the end."""
        block = b"" if self.is_over else self.wire.receive()
        self.missing -= len(block)
        if not block:
            self.is_over = True
            if self.missing:
                raise Left("the rest of the request does not come: its client has left")
        return memoryview(block)

    def drain(self):
        """Reads away what nobody has read. From now on it is over, whoever may keep it."""
        while not self.is_over:
            self.is_over = not self.wire.receive()


class FileWrapper:
    """`wsgi.file_wrapper`: a file in blocks. The size that is asked for is a hint, and small ones cost a send each."""

    def __init__(self, file, size=BLOCK):
        self.read, self.size = file.read, max(size, BLOCK)
        if hasattr(file, "close"):
            self.close = file.close

    def __iter__(self):
        return iter(lambda: self.read(self.size), b"")


class Control:
    """The pipe on which the server names the requests whose client has left, by number, one a line."""

    def __init__(self, descriptor):
        os.set_blocking(descriptor, False)
        self.descriptor, self.heard = descriptor, b""

    def close(self):
        os.close(self.descriptor)

    def has_left(self, number):
        try:
            said = self.heard + os.read(self.descriptor, BLOCK)
        except OSError:
            return False  # nothing was said
        *lines, self.heard = said.split(b"\n")
        return b"%d" % number in lines


def netstring(text):
    data = text.encode("utf-8", "backslashreplace")
    return b"%d:%b," % (len(data), data)


def log(text):
    """Puts a line or several into the server's log."""
    with contextlib.suppress(Exception):  # the server has left, which the socket tells too, or the application has closed it
        sys.stderr.write(f"{text.rstrip()}\n")


def trace(error):
    """The traceback of an error, without the part that is not the application's."""
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename == OWN:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


def one_line(error):
    """An error in a line that may go into logs and outcomes."""
    text = traceback.format_exception_only(type(error), error)[-1]
    return "".join(each if each.isprintable() else " " for each in text.strip())[:LINE]


@functools.lru_cache(maxsize=256)
def status_line(status):
    """The line of a status; kept, since an application has few of them."""
    if not isinstance(status, str) or not STATUS.fullmatch(status):
        raise AssertionError(f"the status must be a str such as '200 OK', not below 200, and is {status!r}")
    return "Status: " + status + "\r\n"


@functools.lru_cache(maxsize=256)
def field_name(name):
    """The name of a header field in lower case, if an application may use it."""
    if not isinstance(name, str) or not TOKEN.fullmatch(name):
        raise AssertionError(f"the name of a header field must be a str and a token, and is {name!r}")
    lower = name.lower()
    if lower in HOP_BY_HOP:
        raise AssertionError(f"the header field {name} is hop-by-hop: it is the server's, not an application's")
    if lower == "status":
        raise AssertionError("the status is no header field")
    return lower


def checked_head(status, headers):
    """The lines of a head, and the Content-Length that they promise."""
    lines, length = [status_line(status)], None
    if not isinstance(headers, list):
        raise AssertionError(f"the headers must be a list, and are {headers!r}")
    for pair in headers:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise AssertionError(f"a header must be a tuple of name and value, and is {pair!r}")
        name, value = pair
        lower = field_name(name)
        if not isinstance(value, str) or (not value.isprintable() and CONTROL.search(value)):
            raise AssertionError(f"the value of {name} must be a str without control characters, and is {value!r}")
        if lower == "content-length":
            if length is not None or not (value.isascii() and value.isdigit()):
                raise AssertionError(f"Content-Length must be one number, and is {value!r}")
            length = int(value)
        lines += (name, ": ", value, "\r\n")  # of a subclass of str too what was looked at, not what it formats to
    return "".join(lines).encode("latin-1"), length


class Exchange:
    """One request and its answer: what PEP 3333 asks of a server."""

    head = length = None  # what start_response was given
    known = None  # how long the whole body is, where that shows before the head is sent
    missing = None  # of what Content-Length promises
    has_begun = False  # the head is in what is sent next, or sent
    is_sent = False  # something is
    is_full = False  # no more of a body is taken
    is_over = False

    def __init__(self, worker, environ):
        self.wire, self.control, self.number = worker.wire, worker.control, worker.number
        self.environ = environ
        self.is_head = environ["REQUEST_METHOD"] == "HEAD"  # the application may say otherwise later
        self.pending, self.size = [], 0  # what is sent next, and how much of a body is in it

    def run(self, application):
        """Calls the application and sends its answer. Nothing the application does gets out of here."""
        iterable, outcome = None, ""
        try:
            iterable = application(self.environ, self.start_response)
            self._send_all(iterable)
        except Left as left:
            outcome = str(left)
        except BaseException as error:  # SystemExit too: a request does not end a worker
            outcome = self._fail(error)
        self._close(iterable)
        self._end(outcome)

    def start_response(self, status, headers, exc_info=None):
        if exc_info:
            try:
                if self.has_begun:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # or the traceback and this frame keep each other
        elif self.head is not None:
            raise AssertionError("start_response was called a second time, without exc_info")
        self.head, self.length = checked_head(status, headers)
        return self.write

    def write(self, block):
        """What start_response returns, for applications that push."""
        if self.is_over:
            raise AssertionError("write was called after the answer was over")
        self._put(block)
        self._flush()

    def _send_all(self, iterable):
        """Sends the blocks as they come, each before the next is asked for."""
        # Of these all blocks are made already: they leave together, and their length is known.
        is_whole = type(iterable) in (list, tuple)
        if is_whole:
            self.known = sum(map(len, iterable))
        is_only = not is_whole and hasattr(iterable, "__len__") and len(iterable) == 1
        for block in iterable:
            if is_only:
                self.known = len(block)
            self._put(block)
            if self.is_full:
                break
            if not is_whole:
                self._flush()
        if not self.has_begun:
            self.known = 0
            self._begin()

    def _begin(self):
        """Puts the head before what is sent."""
        if self.head is None:
            raise AssertionError("the application has not called start_response")
        self.has_begun = True
        end = b"\r\n"
        if self.is_head or self.head.startswith((b"Status: 204 ", b"Status: 205 ", b"Status: 304 ")):
            self.is_full = True
        elif self.length is None and self.known is not None:
            self.length = self.known
            end = b"Content-Length: %d\r\n\r\n" % self.length
        self.missing = self.length
        self.pending.append(b"%d:%b%b," % (len(self.head) + len(end), self.head, end))

    def _put(self, block):
        """Puts a block behind what is sent next: as much as Content-Length has promised."""
        if not isinstance(block, bytes):
            raise AssertionError(f"the blocks of an answer must be bytes, and one is of type {type(block).__name__}")
        if block and not self.has_begun:
            self._begin()
        if self.is_full:
            return
        if self.missing is not None:
            if len(block) > self.missing:
                self._log(f"the answer is longer than its Content-Length of {self.length} bytes: the rest is left out")
                block, self.is_full = block[: self.missing], True
            self.missing -= len(block)
        for at in range(0, len(block), BLOCK):
            if self.size >= BLOCK:
                self._flush()
            piece = block[at : at + BLOCK]
            self.pending.append(b"%d:%b," % (len(piece), piece))
            self.size += len(piece)

    def _flush(self):
        """Sends what is pending, and stops where the client has left."""
        if self.pending:
            data = b"".join(self.pending)
            self.pending, self.size, self.is_sent = [], 0, True
            self.wire.send(data)
            if self.missing == 0:
                return  # nothing more is for the client, gone or not
        if self.control.has_left(self.number):
            raise Left("the client has left")

    def _fail(self, error):
        """An error of the application: a traceback in the log, and no answer if none has begun. Returns the outcome."""
        self._log("an error, whose traceback follows\n" + trace(error))
        if self.is_sent:
            return one_line(error)
        self._refuse(one_line(error))
        return ""

    def _refuse(self, why):
        """No answer instead of all that was to be sent: the server makes it a 500."""
        self.pending, self.size, self.has_begun, self.is_full = [netstring("failed " + why)], 0, True, True

    def _close(self, iterable):
        try:
            if hasattr(iterable, "close"):
                iterable.close()
        except BaseException as error:
            self._log("an error at the end, whose traceback follows\n" + trace(error))

    def _end(self, outcome):
        """The end of the body and the outcome, with all that is still to be sent."""
        if not self.has_begun:
            self._refuse(outcome)
            outcome = ""
        if self.missing and not self.is_full and not outcome:
            outcome = f"the answer lacks {self.missing} of the {self.length} bytes of its Content-Length"
        self.is_over = True
        self.pending.append(b"0:," + netstring(outcome) if outcome else b"0:,0:,")
        self.wire.send(b"".join(self.pending))

    def _log(self, text):
        log(f"{self.environ.get('REQUEST_METHOD')} {self.environ.get('REQUEST_URI')}: {text}")


class Sources:
    """The files of which the application is made, as far as somebody may be working on them."""

    def __init__(self, root):
        self.root = root
        self.stamps = self._look()
        self.looked = time.monotonic()

    def have_changed(self):
        """Whether one has, since this was asked the last time. Looks once a second at the most."""
        if time.monotonic() - self.looked < EVERY:
            return False
        before, now = self.stamps, self._look()
        self.looked = time.monotonic()
        # What has vanished is kept in mind: an editor may be about to put the next version there.
        self.stamps = {**before, **now}
        return any(now.get(path, stamp) != stamp for path, stamp in before.items())

    def _look(self):
        stamps = {}
        for path in itertools.chain(self._modules(), itertools.islice(self._tree(), SOURCES)):
            try:
                status = os.stat(path)
            except OSError:
                continue
            stamps[path] = status.st_mtime_ns, status.st_size, status.st_ino
        return stamps

    @staticmethod
    def _modules():
        """The files of the modules that are loaded, without Python's own and installed ones."""
        own = os.path.dirname(os.__file__) + os.sep
        for module in list(sys.modules.values()):
            path = getattr(module, "__file__", None)
            if isinstance(path, str) and not path.startswith(own) and not INSTALLED.intersection(path.split(os.sep)):
                yield path

    def _tree(self):
        """Those below the working directory, which may be loaded later."""
        for directory, names, files in itertools.islice(os.walk(self.root), SOURCES):
            names[:] = [name for name in names if not name.startswith((".", "__")) and name not in INSTALLED]
            yield from (os.path.join(directory, file) for file in files if file.endswith(".py"))


class Worker:
    """The loop: a request after the other, until the server closes the socket or somebody asks for the end."""

    def __init__(self, wire, control):
        self.wire, self.control = wire, control
        self.number = 0
        self.is_idle = self.is_ending = False

    def end(self, *_):
        """SIGTERM: the request at hand is served. Nothing that has come gets lost: it is read, up to an end of our making."""
        self.is_ending = True
        if self.is_idle:
            self.wire.stop()

    def forget(self):
        """In a process that the application has forked: the socket, the pipe and SIGTERM are not its own."""
        self.wire.peer.close()
        self.control.close()
        if signal.getsignal(signal.SIGTERM) == self.end:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def serve(self, application, common, sources):
        """Serves until the end. `common` is what all environs have; `sources` are watched, if there are any."""
        while self._has_next(sources):
            self.number += 1
            environ = common.copy()
            pairs = iter(self.wire.receive().decode("latin-1").split("\0"))
            environ.update(zip(pairs, pairs))
            body = None
            if environ["CONTENT_LENGTH"] == "0":
                environ["wsgi.input"] = io.BytesIO()
            else:
                body = Body(self.wire, int(environ["CONTENT_LENGTH"]))
                environ["wsgi.input"] = io.BufferedReader(body, BLOCK)
            if environ.get("HTTPS") in ("on", "1"):
                environ["wsgi.url_scheme"] = "https"
            Exchange(self, environ).run(application)
            if body:
                body.drain()

    def _has_next(self, sources):
        """Waits for a request. False if there is none any more."""
        self.is_idle = True
        if self.is_ending:
            self.wire.stop()
        while sources:
            if sources.have_changed():
                self.wire.send(netstring("stale"))
            if self.wire.has_come(EVERY):
                break
        has_next = self.wire.has_more()
        self.is_idle = False
        return has_next


def load(name):
    """The application MODULE:CALLABLE. The callable may have dots, or be the call of a factory; without one it is `application`."""
    module_name, _, path = name.partition(":")
    path = path or "application"
    __import__(module_name)  # importlib.import_module would put its own frames into a traceback
    found = sys.modules[module_name]
    is_factory = path.endswith("()")
    for part in (path[:-2] if is_factory else path).split("."):
        if not hasattr(found, part):
            there = [other for other in dir(found) if not other.startswith("_") and callable(getattr(found, other))]
            raise AttributeError(f"{module_name} has no {path!r}; what can be called there is: {', '.join(there) or 'nothing'}")
        found = getattr(found, part)
    application = found() if is_factory else found
    if not callable(application):
        raise TypeError(f"{name} is of type {type(application).__name__}, which cannot be called")
    return application


def take_descriptors():
    """Moves the socket and the pipe out of the way: the application has nothing to read, and what it prints goes to the log."""
    wire, control = Wire(socket.socket(fileno=os.dup(0))), Control(os.dup(1))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    return wire, control


def leave_to(name):
    """Makes this process look like a Python program of the application's own."""
    sys.argv = [name]
    sys.modules["__main__"] = types.ModuleType("__main__")
    here = os.getcwd()
    if sys.path and sys.path[0] == "":
        sys.path[0] = here
    elif here not in sys.path:
        sys.path.insert(0, here)
    return here


def main(name, workers, *wishes):
    wire, control = take_descriptors()
    worker = Worker(wire, control)
    faulthandler.enable(sys.stderr)  # SIGABRT is how the server ends a worker that takes too long
    os.register_at_fork(after_in_child=worker.forget)
    try:
        if sys.version_info < (3, 8):
            raise RuntimeError(f"Python 3.8 or later is needed, and {sys.executable} is {sys.version.split()[0]}")
        here = leave_to(name)
        sources = Sources(here) if "reload" in wishes else None
        application = load(name)
    except BaseException as error:
        log(trace(error))
        sys.stdout.flush()
        wire.send(netstring("failed " + one_line(error)))
        os._exit(1)  # whatever threads the application has started
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, worker.end)
    common = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": int(workers) > 1,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,  # reading ends where the body does, whoever knows of CONTENT_LENGTH
    }
    with contextlib.suppress(Left):
        wire.send(netstring("ready"))
        worker.serve(application, common, sources)


main(*sys.argv[1:])
