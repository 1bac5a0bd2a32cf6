"""Where one server runs: a directory of its own, a port, and what its configuration must fit."""

import os
import pathlib
import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    scratch: pathlib.Path
    root: pathlib.Path
    port: int
    # Connections that it must take.
    connections: int
    # The bytes that the limit answers with, and whether from a file; whether it closes.
    canned: bytes = b""
    is_large: bool = False
    closes: bool = False

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"http://{self.address}/"

    def write(self, name, text):
        """Writes a file of configuration, and returns its path."""
        path = self.scratch / name
        path.write_text(text)
        return str(path)

    @staticmethod
    def is_root():
        return os.geteuid() == 0


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
