"""The files that the servers serve, made when a workload asks for them."""

import os
import random
import time

ENTRY = "file{:05}.txt"

# Seconds after which a file has settled. What has just been written may be written again within the same tick of the
# clock: a careful server does not keep it, and its care would be what is measured.
SETTLED = 5


class Site:
    """A directory with all that is asked for. The same bytes in every run."""

    def __init__(self, root):
        self.root = root
        self.written = 0.0

    def settle(self):
        """Waits until everything is old enough to be kept by who keeps things."""
        time.sleep(max(0.0, self.written + SETTLED - time.monotonic()))

    def _has_written(self):
        self.written = time.monotonic()

    def file(self, name, size):
        """Makes a file, and returns its content."""
        content = random.Random(size).randbytes(size)
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            path.write_bytes(content)
            self._has_written()
        return content

    def directory(self, name, entries):
        """Makes a directory of small files that differ in size, and returns their names."""
        path = self.root / name
        names = [ENTRY.format(index) for index in range(entries)]
        if not path.exists():
            path.mkdir()
            for index, entry in enumerate(names):
                (path / entry).write_bytes(b"x" * (index % 1000))
            self._has_written()
        return names

    def copies(self, name, count, entries):
        """Makes directories alike, of hard links to the same files, and returns the names of the entries."""
        names = self.directory(f"{name}-0", entries)
        for index in range(1, count):
            path = self.root / f"{name}-{index}"
            if not path.exists():
                path.mkdir()
                for entry in names:
                    os.link(self.root / f"{name}-0" / entry, path / entry)
                self._has_written()
        return names
