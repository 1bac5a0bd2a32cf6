"""What a server answers when it is asked once, and what is wrong with that."""

import hashlib
import http.client

PATIENCE = 10


class Answer:
    """An answer as it came, on a connection of its own."""

    def __init__(self, server, target, fields):
        connection = http.client.HTTPConnection(*server.address, timeout=PATIENCE)
        try:
            connection.request("GET", target, headers=fields)
            answer = connection.getresponse()
            self.status, self.fields, self.body = answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.status, self.fields, self.body = 0, {}, repr(error).encode()
        finally:
            connection.close()

    def validators(self):
        """The fields that ask whether it has changed meanwhile (RFC 9110 section 13.1)."""
        names = (("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since"))
        return {asks: self.fields[tells] for tells, asks in names if self.fields.get(tells)}


def is_status(status):
    """Nothing is asked of the answer but its status."""
    return lambda answer: None if answer.status == status else f"status {answer.status} instead of {status}"


def is_content(content):
    """The content must come whole, by its length and its checksum."""
    wanted = hashlib.sha256(content).hexdigest()

    def fault(answer):
        if answer.status != 200:
            return f"status {answer.status} instead of 200"
        length = answer.fields.get("Content-Length", str(len(content)))  # chunks have none
        if length != str(len(content)) or len(answer.body) != len(content):
            return f"{len(answer.body)} bytes with Content-Length {length} instead of {len(content)}"
        return None if hashlib.sha256(answer.body).hexdigest() == wanted else "the content is another"

    return fault


def is_listing(names):
    """Every name must stand in it."""

    def fault(answer):
        if answer.status != 200:
            return f"status {answer.status} instead of 200"
        missing = [name for name in names if name.encode() not in answer.body]
        return f"{len(missing)} of {len(names)} names are not in the listing" if missing else None

    return fault
