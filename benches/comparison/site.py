"""The files that the servers serve, made when a workload asks for them."""

import os
import random

ENTRY = "file{:05}.txt"


class Site:
    """A directory with all that is asked for. The same bytes in every run."""

    def __init__(self, root):
        self.root = root

    def file(self, name, size):
        """Makes a file, and returns its content."""
        content = random.Random(size).randbytes(size)
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            path.write_bytes(content)
        return content

    def directory(self, name, entries):
        """Makes a directory of small files that differ in size, and returns their names."""
        path = self.root / name
        names = [ENTRY.format(index) for index in range(entries)]
        if not path.exists():
            path.mkdir()
            for index, entry in enumerate(names):
                (path / entry).write_bytes(b"x" * (index % 1000))
        return names

    def copies(self, name, count, entries):
        """Makes directories alike, of hard links to the same files, and returns the names of the entries."""
        names = self.directory(f"{name}-0", entries)
        for index in range(1, count):
            path = self.root / f"{name}-{index}"
            if not path.exists():
                path.mkdir()
                # From one directory to the next: a file system takes some ten thousand links to one file.
                for entry in names:
                    os.link(self.root / f"{name}-0" / entry, path / entry)
        return names
