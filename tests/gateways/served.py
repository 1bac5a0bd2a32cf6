"""The applications that test_worker.py asks its worker for, each by its name as the path."""

import atexit
import os
import subprocess
import sys
import threading
import time
from wsgiref.validate import validator

TEXT = [("Content-Type", "text/plain")]

# What was closed, and with what fault: told by `closed`, and forgotten.
seen = []

# What an application has kept of a request that is over.
kept = []


class Blocks:
    """Blocks and errors in turn, of any length or none, and a close() that is counted."""

    def __init__(self, blocks, fault=None):
        self.blocks, self.fault = iter(blocks), fault

    def __iter__(self):
        return self

    def __next__(self):
        block = next(self.blocks)
        if isinstance(block, BaseException):
            raise block
        return block

    def close(self):
        seen.append("closed")
        if self.fault:
            raise self.fault


class Only(Blocks):
    """As PEP 3333 has it: where there is one block, the server may know the length."""

    def __len__(self):
        return 1


class Word(str):
    """A str that formats to something else, as the members of some enumerations do."""

    def __format__(self, spec):
        return "a\r\nX-Injected: b"


def hello(environ, start_response):
    start_response("200 OK", TEXT + [("X-Name", "a"), ("X-Name", "b")])
    return [b"hello\n"]


def closed(environ, start_response):
    start_response("200 OK", TEXT)
    said = [" ".join(seen).encode()]
    seen.clear()
    return said


def environ_of(environ, start_response):
    start_response("200 OK", TEXT)
    return [repr(sorted((k, v) for k, v in environ.items() if isinstance(v, (str, bool, tuple)))).encode()]


def types_of(environ, start_response):
    """What is wrong with the types in the environ; nothing should be."""
    start_response("200 OK", TEXT)
    wrong = [k for k, v in environ.items() if type(k) is not str or ("." not in k and type(v) is not str)]
    return [repr((type(environ) is dict, wrong)).encode()]


def spoil(environ, start_response):
    environ.clear()
    start_response("200 OK", TEXT)
    return [b"spoiled"]


def read(environ, start_response):
    """Calls methods of the input, which the query names as Python has them, and tells what they return."""
    start_response("200 OK", TEXT)
    body = environ["wsgi.input"]
    return [repr([eval(call, {"body": body}) for call in environ["QUERY_STRING"].split(";")]).encode()]


def read_anyhow(environ, start_response):
    """Reads, and survives what comes of it."""
    start_response("200 OK", TEXT)
    try:
        return [repr(environ["wsgi.input"].read()).encode()]
    except OSError as error:
        return [f"OSError: {error}".encode()]


def count(environ, start_response):
    start_response("200 OK", TEXT)
    total = sum(iter(lambda: len(environ["wsgi.input"].read(1_000_000)), 0))
    return [str(total).encode()]


def echo(environ, start_response):
    """The body, while it comes."""
    start_response("200 OK", TEXT)
    return iter(lambda: environ["wsgi.input"].read(100_000), b"")


def ignore(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"ignored"]


def keep(environ, start_response):
    kept.append(environ["wsgi.input"])
    kept.append(start_response("200 OK", TEXT))
    return [b"kept"]


def use_kept(environ, start_response):
    """Uses the input and the write of a request that is over: neither may touch this one."""
    said = []
    try:
        said.append(kept[0].read())
    except OSError as error:
        said.append(str(error))
    try:
        kept[1](b"intruder")
    except AssertionError as error:
        said.append(str(error))
    kept.clear()
    said.append(environ["wsgi.input"].read())
    start_response("200 OK", TEXT)
    return [repr(said).encode()]


def answer(environ, start_response):
    """What the query says, as Python has it: status, headers, and the iterable."""
    status, headers, iterable = eval(environ["QUERY_STRING"], globals())
    start_response(status, headers)
    return iterable


def raw(environ, start_response):
    """What the query makes of start_response and the rest."""
    return eval(environ["QUERY_STRING"], globals(), {"environ": environ, "start_response": start_response})


def pushes(environ, start_response):
    write = start_response("200 OK", TEXT)
    write(b"one ")
    write(b"")
    write(b"two ")
    return [b"three"]


def late(environ, start_response):
    """Calls start_response when its first block is asked for, and not before."""

    def blocks():
        yield b""
        start_response("201 Created", TEXT)
        yield b""
        yield b"late"

    return blocks()


def waits(environ, start_response):
    """The second block comes when there is a file of the name in the query, but not later than in five seconds."""
    start_response("200 OK", TEXT)
    yield b"first"
    until = time.monotonic() + 5
    while not os.path.exists(environ["QUERY_STRING"]):
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.01)
    yield b"second"


def file_wrapped(environ, start_response):
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](open(__file__, "rb"), 10)


class Pages:
    """A file that can be read and closed."""

    def __init__(self, pages):
        self.pages = pages

    def read(self, size):
        return self.pages.pop(0) if self.pages else b""

    def close(self):
        seen.append("closed")


def pages(environ, start_response):
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](Pages([b"one", b"two"]))


def error_page(environ, start_response):
    """PEP 3333, "The start_response() Callable": another head takes the place of one that was not sent."""
    start_response("200 OK", TEXT + [("X-First", "1")])
    try:
        raise ValueError("inside")
    except ValueError:
        start_response("503 Service Unavailable", TEXT, sys.exc_info())
    return [b"sorry"]


def error_after(environ, start_response):
    """The same, too late: the exception comes out of start_response again."""
    start_response("200 OK", TEXT)
    yield b"begun"
    try:
        raise ValueError("inside")
    except ValueError:
        start_response("503 Service Unavailable", TEXT, sys.exc_info())
    yield b"never"


def endless(environ, start_response):
    start_response("200 OK", TEXT)
    return Blocks(iter(lambda: b"x" * 1000, None))


def endless_pushes(environ, start_response):
    write = start_response("200 OK", TEXT)
    try:
        while True:
            write(b"x" * 1000)
    finally:
        seen.append("stopped")


def fifty(environ, start_response):
    start_response("200 OK", TEXT)
    return Blocks([b"x"] * 50)


def sleeps(environ, start_response):
    start_response("200 OK", TEXT)
    print("asleep")
    time.sleep(float(environ["QUERY_STRING"]))
    return [b"awake"]


def speaks(environ, start_response):
    print("by print")
    print("by stderr", file=sys.stderr)
    environ["wsgi.errors"].write("by errors \u017b\udc80\n")
    environ["wsgi.errors"].writelines(["by ", "lines\n"])
    environ["wsgi.errors"].flush()
    start_response("200 OK", TEXT)
    return [repr(sys.stdin.read()).encode()]


def whoami(environ, start_response):
    start_response("200 OK", TEXT)
    names = sorted(name for name in vars(sys.modules["__main__"]) if not name.startswith("__"))
    return [repr((sys.argv, names, sys.path[0] == os.getcwd(), sorted({"worker", "ownhands"} & set(sys.modules)))).encode()]


def descriptors_of_child(environ, start_response):
    """What a program inherits that is started without further care."""
    program = "import os, sys\nfor d in range(3, 200):\n try: os.fstat(d); print(d)\n except OSError: pass"
    start_response("200 OK", TEXT)
    return [subprocess.run([sys.executable, "-c", program], close_fds=False, stdout=subprocess.PIPE).stdout]


def forks(environ, start_response):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"x")
        time.sleep(20)
        os._exit(0)
    os.read(reader, 1)  # it is a process of its own by now
    start_response("200 OK", TEXT)
    return [str(child).encode()]


def forks_and_returns(environ, start_response):
    """A child that comes back as if it were the worker: it must not answer."""
    child = os.fork()
    start_response("200 OK", TEXT)
    return [b"child" if child == 0 else b"parent"]


def at_exit(environ, start_response):
    atexit.register(print, "at exit")
    threading.Thread(target=lambda: (time.sleep(0.1), print("thread over"))).start()
    start_response("200 OK", TEXT)
    return [b"registered"]


def validated_echo(environ, start_response):
    start_response("200 OK", TEXT)
    body = environ["wsgi.input"]
    mode = environ["QUERY_STRING"]
    if mode == "lines":
        return [b"".join(body)]
    if mode == "line":
        return [b"".join(iter(body.readline, b""))]
    if mode == "all":
        return [b"".join(body.readlines())]
    return [b"".join(iter(lambda: body.read(1000), b""))]


validated = validator(validated_echo)


def application(environ, start_response):
    return globals()[environ["PATH_INFO"][1:]](environ, start_response)


def make(kind="made"):
    def made(environ, start_response):
        start_response("200 OK", TEXT)
        return [kind.encode()]

    return made


class Holder:
    application = staticmethod(make("dotted"))
    number = 1
