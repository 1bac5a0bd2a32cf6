"""Conversations for the comparison, from the grammar of RFC 9112, with what is rare in it made frequent."""

import random
from typing import List, Tuple

TCHAR = b"!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz"
VALUE = b"abcXYZ019 \t!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\x80\x85\xa0\xff"
SEGMENT = b"abcXYZ019-._~!$&'()*+,;=:@"

# The bytes that parsers trip over.
NASTY = b"\r\n\0 \t:\x80aA1,;#%/?*.\x7f\x0b\x0c\"\\[]@-+="

# What is usual, and what is odd: much of it wrong.
METHODS = b"GET GET HEAD POST PUT DELETE OPTIONS PATCH TRACE get".split()
ODD_VERSIONS = b"HTTP/1.2 HTTP/1.9 HTTP/2.0 HTTP/3.0 HTTP/0.9 http/1.1 HTTP/1.10 HTTP/1 HTTP/1.".split() + [b""]
ODD_SEGMENTS = b". .. %2e .%2E %00 % %zz ...".split()
ODD_TARGETS = b"* a ?a http:/a ftp://a/ /a#b a:80 http:// /ab|{}^ /\xc3\xa4 //a".split()
HOSTS = b"a example.org A.b 127.0.0.1 [::1] [2001:db8::1.2.3.4] [v1.a:b] a%20b x_y!".split()
ODD_HOSTS = b":80 a:b u@a [::1 [1.2.3.4] a/b a%2 a:80:80 \xe4 a\" ::1 [::1]a [::1%25a]".split() + [b"", b"a b"]
OPTIONS = b"close|keep-alive|Close|te, close|upgrade|,close,|\"close\"||keep-alive,close".split(b"|")
EXPECTATIONS = b"100-continue|100-Continue|tea||100-continue, 100-continue|100-continue,tea".split(b"|")
ODD_FIELDS = [b"Name : a", b" Name: a", b"Name", b": a", b"Na me: a", b"Name: a\r\n b", b"Name: \x01", b"N\xe4me: a"]
ODD_EXTENSIONS = b' |;|;=|;a=|;a =b|; a| ;a|;a="|;a="\\|;a="\r"|;a="\r\n"|;\xff|;a;|;a b|;a=b |;a="b"c'.split(b"|")
ODD_CODINGS = b"gzip|gzip, chunked|chunked, chunked|chunked, gzip|xchunked|identity||,chunked|chunked,".split(b"|")
ODD_CODINGS += [b"chunked;q=1", b'"chunked"', b"\x0bchunked"]
BODIES = [b"\r\n\r\n", b"0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"]


class Generator:
    """Makes conversations: one to three requests in a row, as bytes; half of them with something changed afterwards."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def conversation(self) -> bytes:
        wire = b"".join(self.request() for _ in range(self.pick([1, 1, 2, 3])))
        return self.mutated(wire) if self.chance(0.5) else wire

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, choices):
        return self.random.choice(choices)

    def some(self, alphabet: bytes, least: int, most: int) -> bytes:
        return bytes(self.random.choices(alphabet, k=self.random.randint(least, most)))

    def token(self) -> bytes:
        return self.some(TCHAR, 1, 8)

    def ows(self) -> bytes:
        return self.pick([b"", b" ", b" ", b"\t", b" \t "])

    def line_end(self) -> bytes:
        return b"\n" if self.chance(0.2) else b"\r\n"

    # The request line.

    def method(self) -> bytes:
        return self.token() if self.chance(0.15) else b"CONNECT" if self.chance(0.01) else self.pick(METHODS)

    def version(self) -> bytes:
        return self.pick(ODD_VERSIONS) if self.chance(0.02) else b"HTTP/1.0" if self.chance(0.15) else b"HTTP/1.1"

    def segment(self) -> bytes:
        if self.chance(0.003):
            return self.pick(ODD_SEGMENTS)
        return self.some(SEGMENT, 0, 6) + self.pick([b"", b"", b"x", b"%20", b"%C3%a4", b"%2F", b"%25"])

    def path(self) -> bytes:
        return b"".join(b"/" + self.segment() for _ in range(self.random.randint(1, 4)))

    def query(self) -> bytes:
        return b"?" + self.some(SEGMENT + b"/?%", 0, 8) if self.chance(0.3) else b""

    def authority(self) -> bytes:
        if self.chance(0.015):
            return self.pick(ODD_HOSTS)
        return self.pick(HOSTS) + self.pick([b"", b"", b":80", b":", b":65535"])

    def target(self, method: bytes) -> bytes:
        if method == b"OPTIONS" and self.chance(0.4):
            return b"*"
        if self.chance(0.01):
            return self.pick(ODD_TARGETS)
        if self.chance(0.12):
            path = self.pick([b"", self.path()])
            return self.pick([b"http://", b"HTTPS://"]) + self.authority() + path + self.query()
        return self.path() + self.query()

    def request_line(self, method: bytes, version: bytes) -> bytes:
        def space() -> bytes:
            return self.pick([b"  ", b"\t", b""]) if self.chance(0.005) else b" "

        if self.chance(0.002):
            return b"PRI * HTTP/2.0"
        return method + space() + self.target(method) + space() + version + (b" " if self.chance(0.003) else b"")

    # The fields.

    def value(self) -> bytes:
        return self.some(VALUE, 0, 20).strip(b" \t")

    def field(self, name: bytes, value: bytes) -> bytes:
        return self.pick([name, name, name.lower()]) + b":" + self.ows() + value + self.ows()

    def insert(self, fields: List[bytes], name: bytes, value: bytes) -> None:
        fields.insert(self.random.randint(0, len(fields)), self.field(name, value))

    def fields(self, version: bytes) -> List[bytes]:
        fields = [self.field(self.token(), self.value()) for _ in range(self.random.randint(0, 4))]
        if self.chance(0.3):
            self.insert(fields, b"Connection", self.pick(OPTIONS))
        if self.chance(0.04):
            self.insert(fields, b"Expect", self.pick(EXPECTATIONS))
        if self.chance(0.01):
            fields.append(self.pick(ODD_FIELDS))
        hosts = self.pick([0, 2]) if self.chance(0.01) else self.pick([0, 1]) if version == b"HTTP/1.0" else 1
        for _ in range(hosts):
            self.insert(fields, b"Host", self.authority())
        return fields

    # The body, and the fields that frame it.

    def extension(self) -> bytes:
        if not self.chance(0.2):
            return b""
        if self.chance(0.1):
            return self.pick(ODD_EXTENSIONS)
        value = self.pick([b"", b"=" + self.token(), b'="' + self.some(b"abc ;,\t=\x80", 0, 5) + b'\\""'])
        return b";" + self.token() + value

    def chunk_size(self, size: int) -> bytes:
        digits = self.pick([b"%x", b"%X", b"%03x"]) % size
        if not self.chance(0.01):
            return digits
        signs = [b"0x" + digits, b"+" + digits, b"-" + digits, b" " + digits, b"g", b""]
        return self.pick(signs + [b"0" * 16 + digits, b"1" + b"0" * 16])

    def chunked(self, body: bytes) -> bytes:
        wire = bytearray()
        while body:
            size = self.random.randint(1, len(body))
            wire += self.chunk_size(size) + self.extension() + b"\r\n" + body[:size]
            wire += self.pick([b"", b"\n", b"\r"]) if self.chance(0.005) else b"\r\n"
            body = body[size:]
        wire += self.pick([b"0", b"0", b"00"]) + self.extension() + b"\r\n"
        for _ in range(self.pick([0, 0, 0, 1, 2])):
            wire += self.field(self.token(), self.value()) + (b"\n" if self.chance(0.03) else b"\r\n")
        return bytes(wire) + b"\r\n"

    def body(self, version: bytes) -> Tuple[List[Tuple[bytes, bytes]], bytes]:
        kind = self.random.random()
        if kind < 0.4:
            return [], b""
        body = self.some(bytes(range(256)), 0, 30) if self.chance(0.7) else self.pick(BODIES)
        length = b"%d" % len(body)
        if kind < 0.65 or (version == b"HTTP/1.0" and self.chance(0.9)):
            if self.chance(0.06):
                odd = [b"+" + length, b"-" + length, length + b"," + length, b"0x" + length, length + b" 1", b""]
                length = self.pick(odd + [b"1" * 25, b"0" * 22 + length])
            fields = [(b"Content-Length", length)]
            if self.chance(0.02):
                fields.append((b"Content-Length", self.pick([length, length + b"1"])))
            return fields, body
        coding = self.pick(ODD_CODINGS) if self.chance(0.06) else b"chunked"
        fields = [(b"Transfer-Encoding", self.pick([coding, coding.title()]))]
        if self.chance(0.02):
            fields.append((b"Transfer-Encoding", self.pick([b"chunked", b"", b"gzip"])))
        if self.chance(0.02):
            fields.append((b"Content-Length", length))
        return fields, self.chunked(body)

    # The whole.

    def request(self) -> bytes:
        method, version = self.method(), self.version()
        fields = self.fields(version)
        framing, body = self.body(version)
        for name, value in framing:
            self.insert(fields, name, value)
        before = b"".join(self.line_end() for _ in range(self.random.randint(1, 3))) if self.chance(0.02) else b""
        lines = [self.request_line(method, version), *fields, b""]
        return before + b"".join(line + self.line_end() for line in lines) + body

    def mutated(self, wire: bytes) -> bytes:
        edited = bytearray(wire)
        for _ in range(self.random.randint(1, 3)):
            at = self.random.randrange(len(edited) + 1)
            byte = self.pick(NASTY) if self.chance(0.8) else self.random.randrange(256)
            kind = self.random.randrange(7)
            if kind == 0:
                edited[at:at] = bytes([byte])
            elif kind == 1:
                edited[at : at + 1] = bytes([byte])
            elif kind == 2:
                del edited[at : at + self.random.randint(1, 3)]
            elif kind == 3 and self.chance(0.3):
                del edited[at:]
            else:
                lines = bytes(edited).splitlines(keepends=True) or [b""]
                one, other = self.random.randrange(len(lines)), self.random.randrange(len(lines))
                if kind == 4:
                    lines.insert(one, lines[other])
                elif kind == 5:
                    lines[one], lines[other] = lines[other], lines[one]
                else:
                    del lines[one]
                edited = bytearray(b"".join(lines))
        return bytes(edited)
