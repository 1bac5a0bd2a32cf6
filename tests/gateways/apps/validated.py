"""An echo, with what the standard library has to check both sides of WSGI around it."""

from wsgiref.validate import validator


def echo(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("X-Length", environ.get("CONTENT_LENGTH", ""))])
    body = environ["wsgi.input"]
    if environ["QUERY_STRING"] == "lines":
        return iter(body.readline, b"")
    return iter(lambda: body.read(100_000), b"")


application = validator(echo)
