"""What was measured, as tables: one for each workload, and one of all for the README."""

import statistics

from .round import digits

HEADS = [
    "server", "requests/s", "CPU us/request", "(least-most)", "p50 ms", "p99 ms", "errors", "RSS MiB", "to limit",
    "to best peer",
]


def figure(values, digits):
    return f"{statistics.median(values):.{digits}f}" if values else "-"


def aligned(line, widths):
    """The cells of a line: the name to the left, the figures to the right."""
    return [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))]


class Table:
    """One workload: the limit, ownhands and the peers."""

    def __init__(self, workload, rows, notes=()):
        self.workload, self.rows = workload, rows
        # What servers said of themselves, in lines.
        self.notes = notes

    def row(self, name):
        return next((row for row in self.rows if row.peer.name == name), None)

    def peers(self):
        """The rows of peers whose answers were right, the cheapest first. One whose listing shows less is none."""
        rows = [row for row in self.rows if row.peer.name not in ("ownhands", "limit") and row.is_sound]
        return sorted((row for row in rows if self.is_alike(row)), key=lambda row: row.cost)

    def is_alike(self, row):
        return row.peer.shows_details or self.workload.kind != "listings"

    def ratio(self, row, other):
        """Of the cost of one to that of another; none where an answer of either was wrong, or an error came up."""
        if other is None:
            return "-"
        return f"{row.cost / other.cost:.2f}" if row.is_sound and other.is_sound else "refused"

    def text(self):
        best = next(iter(self.peers()), None)
        lines = [HEADS]
        for row in self.rows:
            name = row.peer.name if self.is_alike(row) else f"{row.peer.name}, names only"
            places = digits(row.cost) if row.costs else 0
            lines.append([
                name, figure(row.rates, 0), figure(row.costs, places),
                f"({min(row.costs):.{places}f}-{max(row.costs):.{places}f})" if row.costs else "-",
                figure(row.p50, 2), figure(row.p99, 2), "WRONG" if row.wrong else str(len(row.errors)),
                figure([size / 2**20 for size in row.rss], 1),
                self.ratio(row, self.row("limit")), self.ratio(row, best) if self.is_alike(row) else "-",
            ])
        widths = [max(map(len, column)) for column in zip(*lines)]
        return "\n".join([*("  ".join(aligned(line, widths)) for line in lines), *self.notes])

    def remarks(self):
        """What was wrong, and with whom."""
        for row in self.rows:
            said = ([f"wrong answer: {row.wrong}"] if row.wrong else []) + sorted(set(row.errors))
            yield from (f"{self.workload.name}, {row.peer.name}: {what}" for what in said)

    def markdown(self):
        """Its line in the README."""
        own, limit, peers = self.row("ownhands"), self.row("limit"), self.peers()
        best = peers[0] if peers else None
        others = ", ".join(f"{row.peer.name} {row.figure()}" for row in peers)
        ratios = [self.ratio(own, limit), self.ratio(own, best)]
        cells = [self.workload.title, limit.figure() if limit else "-", f"**{own.figure()}**", *ratios, others or "-"]
        return f"| {' | '.join(cells)} |"


def readme(tables):
    """One table of all, a line for each workload."""
    heads = "| load | limit | ownhands | to the limit | to the best peer | the peers, the cheapest first |"
    return "\n".join([heads, "|---|---|---|---|---|---|", *(table.markdown() for table in tables)])
