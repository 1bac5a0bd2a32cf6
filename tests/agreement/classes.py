"""What may differ, and why.

A class recognises its cause in the bytes, by expressions of its own, and does not take the word of either parser for
it; where we refuse, our sentence must also be the one that belongs to the cause. So an error on our side does not hide
in a class.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Callable, List, Optional, Tuple

from parsers import Request, ask_h11

TOKEN = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+"
QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
EXTENSION = rb"[ \t]*;[ \t]*%b(?:[ \t]*=[ \t]*(?:%b|%b))?" % (TOKEN, TOKEN, QUOTED)
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:%b)*\r\n" % EXTENSION)
FIELD_LINE = re.compile(rb"%b:[\t -~\x80-\xff]*\r\n" % TOKEN)
REG_NAME = rb"(?:[-._~!$&'()*+,;=0-9A-Za-z]|%[0-9A-Fa-f]{2})+"
FUTURE = rb"[vV][0-9A-Fa-f]+\.[-._~!$&'()*+,;=:0-9A-Za-z]+"
AUTHORITY = re.compile(rb"(?:%b|\[(?:%b|(?P<six>[0-9A-Fa-f:.]+))\])(?::[0-9]{0,5})?" % (REG_NAME, FUTURE))
ABSOLUTE = re.compile(rb"(?i:https?)://(?P<authority>[^/?]*)(?P<path>/[^?]*)?(?:\?.*)?")
REQUEST_LINE = re.compile(rb"(%b) ([\x21-\x7e]+) HTTP/([0-9]\.[0-9])" % TOKEN)


class Case:
    """A difference: the bytes from the request on that the two see differently, and what each makes of it."""

    def __init__(
        self,
        rest: bytes,
        before: Optional[Request],
        ours: Tuple[Optional[Request], Optional[Tuple[int, str]]],
        h11s: Tuple[Optional[Request], Optional[Tuple[int, str]]],
    ) -> None:
        self.rest = rest
        # The request before it, on which they agree.
        self.before = before
        self.ours, self.ours_refusal = ours
        self.h11s, self.h11s_refusal = h11s
        end = re.search(rb"\n\r?\n", rest)
        head = rest[: end.end()] if end else rest
        self.after = rest[len(head) :]
        self.line, *lines = [line[:-1] if line.endswith(b"\r") else line for line in head.split(b"\n")]
        self.fields = [line for line in lines if line]
        match = REQUEST_LINE.fullmatch(self.line)
        self.method, self.target, self.version = match.groups() if match else (b"", b"", b"")

    def __str__(self) -> str:
        return f"{self.rest!r}\n  ours: {self.ours or self.ours_refusal}\n  h11:  {self.h11s or self.h11s_refusal}"

    def values(self, name: str) -> List[bytes]:
        pairs = [line.split(b":", 1) for line in self.fields if b":" in line]
        return [value.strip(b" \t") for other, value in pairs if other.lower() == name.encode()]

    def elements(self, name: str) -> List[bytes]:
        return elements(self.values(name))

    def chunks(self) -> Tuple[str, bytes]:
        """Where the body leaves the grammar of RFC 9112 7.1 ("nowhere" if it does not), and its content."""
        rest, body = self.after, b""
        while True:
            end = rest.find(b"\r\n")
            line = CHUNK_LINE.fullmatch(rest[: end + 2] if end >= 0 else rest)
            if not line:
                return "size", body
            size = int(line[1], 16)
            rest = rest[line.end() :]
            if size == 0:
                break
            if rest[size : size + 2] != b"\r\n":
                return "data", body
            body += rest[:size]
            rest = rest[size + 2 :]
        while not rest.startswith(b"\r\n"):
            line = FIELD_LINE.match(rest)
            if not line:
                return "trailer" if rest else "end", body
            rest = rest[line.end() :]
        return "nowhere", body

    def is_chunked_well(self) -> bool:
        return self.chunks() == ("nowhere", self.ours.body)


def elements(values: List[bytes]) -> List[bytes]:
    parts = [part.strip(b" \t").lower() for value in values for part in value.split(b",")]
    return [part for part in parts if part]


def is_authority(text: bytes) -> bool:
    match = AUTHORITY.fullmatch(text)
    if match is None or match["six"] is None:
        return match is not None
    try:
        ipaddress.IPv6Address(match["six"].decode())
        return True
    except ValueError:
        return False


def is_target(case: Case) -> bool:
    """True for the forms of target that this server takes."""
    if case.target == b"*":
        return case.method == b"OPTIONS"
    absolute = ABSOLUTE.fullmatch(case.target)
    return case.target.startswith(b"/") or (absolute is not None and is_authority(absolute["authority"]))


def has_bad_path(case: Case) -> bool:
    absolute = ABSOLUTE.fullmatch(case.target)
    path = (absolute["path"] or b"/") if absolute else case.target.split(b"?")[0]
    # A bare . between two slashes is nothing.
    path = re.sub(rb"/(\./)+", b"/", path)
    octets = re.sub(rb"%([0-9A-Fa-f]{2})", lambda escape: bytes([int(escape[1], 16)]), path)
    is_bad_escape = re.search(rb"%(?![0-9A-Fa-f]{2})", path) is not None
    return is_bad_escape or b"\0" in octets or any(segment in (b".", b"..") for segment in octets.split(b"/"))


def is_explained_without_empty_lines(case: Case) -> bool:
    rest = case.rest.lstrip(b"\r\n")
    h11s = ask_h11(rest)
    if h11s.requests:
        return case.ours.means(h11s.requests[0])
    return classify(Case(rest, case.before, (case.ours, None), (None, h11s.refusal))) is not None


def is_kept_in_1_0(case: Case) -> bool:
    if case.before is None or case.before.version != b"HTTP/1.0" or case.h11s_refusal is not None:
        return False
    options = elements(case.before.values(b"connection"))
    return b"keep-alive" in options and b"close" not in options


@dataclass
class Class:
    name: str
    # What the RFC has to say, and what h11 does.
    reason: str
    cause: Callable[[Case], bool]
    # Our status and a part of our sentence (an expression), where we refuse what h11 accepts; None where we accept.
    refusal: Optional[Tuple[int, str]] = None

    def explains(self, case: Case) -> bool:
        if self.refusal is None:
            return case.ours is not None and case.h11s_refusal is not None and self.cause(case)
        status, sentence = case.ours_refusal or (0, "")
        is_ours = status == self.refusal[0] and re.search(self.refusal[1], sentence) is not None
        return is_ours and case.h11s is not None and self.cause(case)


class EndClass(Class):
    """We find the end of the conversation where h11 refuses."""

    def explains(self, case: Case) -> bool:
        return case.ours is None and case.ours_refusal is None and case.h11s_refusal is not None and self.cause(case)


class KeptClass(Class):
    """We go on where h11 has closed the connection: whatever comes is unknown to it."""

    def explains(self, case: Case) -> bool:
        return case.h11s is None and self.cause(case)


def classify(case: Case) -> Optional[Class]:
    return next((one for one in CLASSES if one.explains(case)), None)


CLASSES = [
    # We accept what h11 does not.
    Class(
        "empty lines first",
        "RFC 9112 2.2: a server should ignore an empty line before the request line; h11 refuses it",
        lambda case: case.rest.startswith((b"\n", b"\r\n")) and is_explained_without_empty_lines(case),
    ),
    EndClass(
        "empty lines last",
        "the same: they begin no request, so none is missing",
        lambda case: re.fullmatch(rb"(?:\r?\n)*\r?", case.rest) is not None,
    ),
    Class(
        "white space before a chunk's semicolon",
        "RFC 9112 7.1.1 has BWS there; h11 has none",
        lambda case: case.is_chunked_well() and re.search(rb"(?:^|\r\n)[0-9A-Fa-f]+[ \t]+;", case.after) is not None,
    ),
    Class(
        "a length in a trailer",
        "RFC 9110 6.5.1: a trailer may be ignored, and is here; h11 judges it as a header",
        lambda case: case.is_chunked_well()
        and re.search(rb"\n(?i:transfer-encoding|content-length):", case.after) is not None
        and re.search("Transfer-Encoding|Content-Length", case.h11s_refusal[1]) is not None,
    ),
    Class(
        "a Content-Length of more than 20 digits",
        "RFC 9110 8.6: 1*DIGIT, zeros before it included; h11 takes 20 digits",
        lambda case: [len(value) > 20 for value in case.values("content-length")] == [True]
        and case.ours.body == case.after[: int(case.values("content-length")[0])],
    ),
    KeptClass("keep-alive in HTTP/1.0", "RFC 9112 9.3: such a connection may be kept; h11 closes it", is_kept_in_1_0),
    # We refuse what h11 accepts.
    Class(
        "CONNECT",
        "RFC 9110 9.3.6: it is for proxies",
        lambda case: case.method == b"CONNECT",
        (405, "CONNECT has no meaning here"),
    ),
    Class(
        "another version",
        "RFC 9110 15.6.6: 505 for another major version; h11 leaves it to its caller",
        lambda case: case.version[:1] not in (b"", b"1"),
        (505, "only HTTP/1.1 and HTTP/1.0"),
    ),
    Class(
        "the preface of HTTP/2",
        "RFC 9113 3.4: it is made for servers of HTTP/1.1 to fail on; h11 leaves it to its caller",
        lambda case: case.method == b"PRI" and case.version == b"2.0",
        (400, "this is how HTTP/2 begins"),
    ),
    Class(
        "a fragment in the target",
        "RFC 9112 3.2: no form of target has one; h11 takes any visible character",
        lambda case: b"#" in case.target,
        (400, "which begins a fragment"),
    ),
    Class(
        "* with another method",
        "RFC 9112 3.2.4: it is for OPTIONS alone; h11 leaves it to its caller",
        lambda case: case.target == b"*" and case.method != b"OPTIONS",
        (400, "goes with OPTIONS only"),
    ),
    Class(
        "a target of no form",
        "RFC 9112 3.2: a path or an http URI; h11 leaves it to its caller",
        lambda case: not case.target.startswith(b"/") and not ABSOLUTE.fullmatch(case.target),
        (400, "neither a path that begins with / nor an http URI"),
    ),
    Class(
        "no host in the target",
        "RFC 9110 4.2.1, 4.2.4: an http URI has a host, and no user here; h11 leaves it to its caller",
        lambda case: ABSOLUTE.fullmatch(case.target) is not None and not is_target(case),
        (400, "the target does not name a host"),
    ),
    Class(
        "a path that is none",
        "RFC 3986 2.1, 5.2.4: escapes that are none, NUL, dot segments; h11 does not look into a path",
        lambda case: is_target(case) and has_bad_path(case),
        (400, "the path"),
    ),
    Class(
        "a folded field",
        "RFC 9112 5.2: a server may refuse obs-fold, and does here; h11 unfolds it",
        lambda case: any(line[:1] in (b" ", b"\t") for line in case.fields[1:]),
        (400, "it begins with white space"),
    ),
    Class(
        "a control character in a field",
        "RFC 9110 5.5: invalid and dangerous; h11 refuses only NUL and white space among them",
        lambda case: any(re.search(rb"[\x01-\x08\x0e-\x1f\x7f]", line) for line in case.fields),
        (400, r"is a control character \(RFC 9110 5.5\)"),
    ),
    Class(
        "no Host in HTTP/1.2 and above",
        "RFC 9110 2.5: a higher minor version is processed as 1.1; h11 asks for it in exactly 1.1",
        lambda case: case.version > b"1.1" and case.values("host") == [],
        (400, "the Host header is missing"),
    ),
    Class(
        "a Host that is none",
        "RFC 9112 3.2: 400 for an invalid value, and an http URI has a host; h11 does not look into it",
        lambda case: len(case.values("host")) == 1 and not is_authority(case.values("host")[0]),
        (400, "the Host header is no host"),
    ),
    Class(
        "an expectation not met",
        "RFC 9110 10.1.1: 417 for all but 100-continue; h11 passes over it",
        lambda case: case.version > b"1.0" and not set(case.elements("expect")) <= {b"100-continue"},
        (417, "the only expectation met here"),
    ),
    Class(
        "a repeated Content-Length",
        "RFC 9112 6.3: a recipient may refuse it even when equal, and does here; h11 makes one of several fields",
        lambda case: len(case.values("content-length")) > 1,
        (400, "the Content-Length header is there more than once"),
    ),
    Class(
        "a list in a Content-Length",
        "RFC 9112 6.3: the same; h11 makes one number of equal ones",
        lambda case: any(b"," in value for value in case.values("content-length")),
        (400, "the Content-Length is not a decimal number"),
    ),
    Class(
        "both lengths",
        "RFC 9112 6.1: a server may refuse both at once, and does here; h11 obeys Transfer-Encoding",
        lambda case: case.values("content-length") != [] and case.values("transfer-encoding") != [],
        (400, "both Content-Length and Transfer-Encoding"),
    ),
    Class(
        "Transfer-Encoding in HTTP/1.0",
        "RFC 9112 6.1: its framing is to be treated as faulty; h11 obeys it",
        lambda case: case.version == b"1.0" and case.values("transfer-encoding") != [],
        (400, "HTTP/1.0 has no Transfer-Encoding"),
    ),
    Class(
        "a chunk's size of more than 64 bits",
        "RFC 9112 7.1: a recipient must expect large numbers and bound them; h11 takes 20 digits, we 16",
        lambda case: case.chunks()[0] == "size" and re.search(rb"(?:^|\n)[0-9A-Fa-f]{17,}", case.after) is not None,
        (400, "more than 16 digits"),
    ),
    Class(
        "a chunk's extension that is none",
        "RFC 9112 7.1.1: names with values; h11 takes white space at the end, and anything after a semicolon",
        lambda case: case.chunks()[0] == "size",
        (400, "followed by neither CR LF nor an extension|line of the chunked coding does not end in CR LF"),
    ),
    Class(
        "a trailer that is none",
        "RFC 9112 7.1.2: field lines that end in CR LF; h11 takes folded lines and control characters",
        lambda case: case.chunks()[0] == "trailer",
        (400, "neither a field nor an empty line"),
    ),
]
