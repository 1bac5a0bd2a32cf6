"""One server under one workload, over all rounds: what was measured, and what was wrong."""

import contextlib
import statistics
import time

from . import wrk
from .answer import Answer, is_status
from .idle import IdleFailed, idle
from .workload import LISTINGS

# Seconds after which what was rendered is no longer answered from a cache, by anyone.
STALE = 1.2

# Of many targets a few are asked for before a load.
SAMPLE = 5

# Bytes that a head may have, more than the body.
HEAD = 1024


def digits(cost):
    """Those behind the point, so that three are significant or all before it."""
    return 2 if cost < 10 else 1 if cost < 100 else 0


class Row:
    def __init__(self, peer):
        self.peer = peer
        self.rates, self.costs, self.p50, self.p99, self.rss = [], [], [], [], []
        self.errors, self.wrong = [], None

    @property
    def is_sound(self):
        """Whether there is a figure that may be compared with others."""
        return bool(self.costs) and not self.wrong and not self.errors

    @property
    def cost(self):
        return statistics.median(self.costs)

    def figure(self):
        """The cost, if it may be told."""
        return f"{self.cost:.{digits(self.cost)}f}" if self.is_sound else "-"


class Load:
    """A workload as it is put on servers: its requests, and the script that makes wrk send them."""

    def __init__(self, workload, targets, fault, scratch, seconds, core):
        self.workload, self.targets, self.fault = workload, targets, fault
        self.scratch, self.seconds, self.core = scratch, seconds, core

    def fields(self, server):
        """The fields of the requests; those that depend on the server's own answer among them."""
        fields = dict(self.workload.fields)
        if self.workload.is_conditional:
            fields.update(Answer(server, self.targets[0], fields).validators())
        return fields

    def put_on(self, server, row):
        """One round: asks for the thing itself, and then for a load of it."""
        fields = self.fields(server)
        is_limit = row.peer.name == "limit"
        # The limit says the same to everybody; its length is what it was started with.
        fault = is_status(200) if is_limit else self.fault
        answers = [Answer(server, target, fields) for target in self.targets[:SAMPLE]]
        row.wrong = row.wrong or next(filter(None, map(fault, answers)), None)
        if row.wrong:
            return
        length = max(len(answer.body) for answer in answers)
        refused = self.workload.status >= 400 and not is_limit
        script = self.scratch / "load.lua"
        script.write_text(wrk.script(self.targets, fields, self.workload.depth, self.workload.is_anew))
        try:
            with idle(server.address, self.workload.idle) if self.workload.idle else contextlib.nullcontext():
                self._measure(server, row, script, refused, length)
        except (wrk.LoadFailed, IdleFailed, OSError) as why:
            row.errors.append(str(why))

    def _measure(self, server, row, script, refused, length):
        used, counts = 0, []
        for _ in range(self._runs()):
            if self.workload.is_anew:
                time.sleep(STALE)
            before = server.threads()
            url = server.url.rstrip("/") + self.targets[0]
            counts.append(wrk.load(url, script, self.workload.connections, self._seconds(), self.core))
            used += server.used_since(before)
        requests = sum(count.requests for count in counts)
        row.rss.append(server.rss())
        for count in counts:
            row.errors.extend(count.errors)
            if count.refused != (count.requests if refused else 0):
                row.errors.append(f"{count.refused} of {count.requests} answers had a status of 400 or more")
            # What wrk has read must be these answers, and at the end a part of one on each connection.
            # A listing that tells how long ago a file was written grows and shrinks by a little.
            least = count.requests * length * (0.97 if self.workload.kind == LISTINGS else 1)
            most = (count.requests + self.workload.connections) * (length + HEAD) * 1.03
            if not least <= count.bytes <= most:
                row.errors.append(f"{count.requests} answers had {count.bytes} bytes, not {least:.0f} to {most:.0f}")
        if not requests:
            row.errors.append("no answer at all")
            return
        row.costs.append(used / requests / 1000)
        if self.workload.depth == 1:  # of a pipeline wrk takes no times that could be read
            row.p50.append(statistics.median(count.p50 for count in counts))
            row.p99.append(max(count.p99 for count in counts))
        if not self.workload.is_anew:
            row.rates.append(sum(count.rate for count in counts) / len(counts))

    def _runs(self):
        """What must be rendered anew is asked for once in each run, and then nothing until the next."""
        return max(1, self.seconds) if self.workload.is_anew else 1

    def _seconds(self):
        return 1 if self.workload.is_anew else self.seconds
