"""The two that are asked, and what they answer, in the same words."""

import json
import struct
import subprocess
import sys
from dataclasses import dataclass
from typing import List, Optional, Tuple

import h11


@dataclass
class Request:
    """A request that was accepted: names of fields as sent, values without the white space around them."""

    method: bytes
    target: bytes
    version: bytes
    fields: List[Tuple[bytes, bytes]]
    body: bytes

    def values(self, name: bytes) -> List[bytes]:
        return [value for other, value in self.fields if other.lower() == name]

    def means(self, other: "Request") -> bool:
        mine = (self.method, self.target, self.version, self.comparable(), self.body)
        return mine == (other.method, other.target, other.version, other.comparable(), other.body)

    def comparable(self) -> List[Tuple[bytes, bytes]]:
        """The fields; h11 hands out codings in lower case."""
        is_coding = [name.lower() == b"transfer-encoding" for name, _ in self.fields]
        return [(name, value.lower() if lower else value) for (name, value), lower in zip(self.fields, is_coding)]


@dataclass
class Outcome:
    """The requests that were accepted, in order, and the refusal of the one after them; None where it ended well."""

    requests: List[Request]
    refusal: Optional[Tuple[int, str]]
    # Offsets in the conversation: where each request begins, and what comes after them.
    starts: List[int]


def ask_ours(program: str, wires: List[bytes]) -> List[Outcome]:
    """Asks the example `agreement`, about all at once. It does not say where a request begins."""
    asked = b"".join(struct.pack(">I", len(wire)) + wire for wire in wires)
    process = subprocess.run([program], input=asked, stdout=subprocess.PIPE)
    lines = process.stdout.splitlines()
    if process.returncode != 0 or len(lines) != len(wires):
        sys.exit(f"{program} answered {len(lines)} of {len(wires)} conversations and ended with {process.returncode}")
    return [read_ours(json.loads(line)) for line in lines]


def read_ours(said: dict) -> Outcome:
    unhex = bytes.fromhex
    requests = []
    for one in said["requests"]:
        fields = [(unhex(name), unhex(value)) for name, value in one["fields"]]
        line = (unhex(one["method"]), unhex(one["target"]), unhex(one["version"]))
        requests.append(Request(*line, fields, unhex(one["body"])))
    refusal = said["refusal"]
    return Outcome(requests, refusal and (refusal["status"], unhex(refusal["detail"]).decode()), [])


def ask_h11(wire: bytes) -> Outcome:
    connection = h11.Connection(our_role=h11.SERVER)
    connection.receive_data(wire)
    connection.receive_data(b"")
    outcome = Outcome([], None, [0])
    head, body = None, bytearray()
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                head, body = event, bytearray()
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                # A higher minor version than 1.1 is served as 1.1 (RFC 9110 section 2.5).
                version = b"1.1" if b"1.1" < head.http_version < b"2.0" else head.http_version
                fields = list(head.headers.raw_items())
                outcome.requests.append(Request(head.method, head.target, b"HTTP/" + version, fields, bytes(body)))
                outcome.starts.append(len(wire) - len(connection.trailing_data[0]))
                # Not 2xx: a CONNECT would have succeeded, and there were no more HTTP.
                connection.send(h11.Response(status_code=404, headers=[(b"Content-Length", b"0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE:
                    return outcome
                connection.start_next_cycle()
            else:
                return outcome
    except h11.RemoteProtocolError as error:
        outcome.refusal = (error.error_status_hint, str(error))
        return outcome
