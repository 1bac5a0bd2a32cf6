"""What is asked of the servers: each workload with its requests, and what the right answer is."""

from dataclasses import dataclass, field

from .answer import is_content, is_listing, is_status

# What a browser sends: 14 fields with Host, the last of which does not match.
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Referer": "http://www.example.org/articles/?page=2",
    "Connection": "keep-alive",
    "Cookie": "session=3f1c9a6e0d2b48f7a51e; theme=dark; seen=front,about,articles; width=1280; visitor=b7d0c44e19f2",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "same-origin",
    "Priority": "u=0, i",
    "If-None-Match": '"3e8-6560a1b2c3d40"',
}
HTML = {"Accept": "text/html"}

FILES, LISTINGS, ROUTES = "files", "listings", "routes"


@dataclass(frozen=True)
class Workload:
    """One kind of load. `prepare` makes the files it needs, and returns the targets and what finds a fault."""

    name: str
    title: str
    prepare: object
    kind: str = FILES
    connections: int = 100
    fields: dict = field(default_factory=dict)
    # The status of a right answer.
    status: int = 200
    # Requests sent at once on a connection.
    depth: int = 1
    # Connections beside it on which nothing happens.
    idle: int = 0
    # Each target is asked for once, and the next time when a second is over.
    is_anew: bool = False
    # The limit sends the body from a file, as servers do with what is large.
    is_large: bool = False
    # The validators of the server's own answer are sent along.
    is_conditional: bool = False

    @property
    def open_at_once(self):
        """Connections that a server must take, and some for who asks besides."""
        return self.connections + self.idle + 50

    @property
    def closes(self):
        return self.fields.get("Connection") == "close"


def one(name, size):
    return lambda site: (["/" + name], is_content(site.file(name, size)))


def many(site):
    """A thousand files of the same length and content: only their names differ."""
    targets = [f"many/{index:03}.txt" for index in range(1000)]
    for target in targets:
        content = site.file(target, 1024)
    return ["/" + target for target in targets], is_content(content)


def nothing(site):
    return ["/nothing.txt"], is_status(404)


def unchanged(site):
    site.file("1k.txt", 1024)
    return ["/1k.txt"], is_status(304)


def hello(site):
    return ["/hello/world"], is_content(b"Hello, world!")


def listing(entries):
    return lambda site: ([f"/list{entries}/"], is_listing(site.directory(f"list{entries}", entries)))


def listings(count, entries):
    """So many directories that none comes twice before all have been asked for."""

    def prepare(site):
        names = site.copies(f"anew{entries}", count, entries)
        return [f"/anew{entries}-{index}/" for index in range(count)], is_listing(names)

    return prepare


SMALL = one("1k.txt", 1024)

# Long listings, and those rendered anew, are asked for one at a time: lighttpd makes no two at once.

WORKLOADS = [
    Workload("1k-1", "1 KiB, 1 connection", SMALL, connections=1),
    Workload("1k", "1 KiB, 100 connections", SMALL),
    Workload("1k-1000", "1 KiB, 1000 connections", SMALL, connections=1000),
    Workload("1k-many", "1,000 files of 1 KiB", many),
    Workload("1k-browser", "1 KiB, a browser's 14 fields", SMALL, fields=BROWSER),
    Workload("1k-idle", "1 KiB beside 10,000 idle", SMALL, idle=10_000),
    Workload("1k-close", "1 KiB, a connection each", SMALL, fields={"Connection": "close"}),
    Workload("10k", "10 KiB", one("10k.bin", 10 << 10)),
    Workload("100k", "100 KiB", one("100k.bin", 100 << 10), is_large=True),
    Workload("1m", "1 MiB", one("1m.bin", 1 << 20), is_large=True),
    Workload("404", "404", nothing, status=404),
    Workload("304", "304", unchanged, status=304, is_conditional=True),
    Workload("list-100", "listing of 100", listing(100), kind=LISTINGS, fields=HTML),
    Workload("list-100-anew", "listing of 100, rendered anew", listings(1000, 100), kind=LISTINGS, connections=1,
             fields=HTML, is_anew=True),
    Workload("list-10000", "listing of 10,000", listing(10_000), kind=LISTINGS, connections=1, fields=HTML),
    Workload("list-10000-anew", "listing of 10,000, rendered anew", listings(20, 10_000), kind=LISTINGS, connections=1,
             fields=HTML, is_anew=True),
    Workload("hello", "route, 100 connections", hello, kind=ROUTES),
    Workload("hello-1000", "route, 1000 connections", hello, kind=ROUTES, connections=1000),
    Workload("hello-16", "route, 16 deep pipelined", hello, kind=ROUTES, depth=16),
]
