"""What a hello does not ask of a server: uploads, streams, sessions, files, redirects, errors."""

import hashlib
import io

from flask import Flask, Response, abort, redirect, request, send_file, session, stream_with_context, url_for

app = Flask(__name__)
app.secret_key = "nothing is secret here"


@app.post("/upload")
def upload():
    file = request.files["file"]
    digest, size = hashlib.sha256(), 0
    while block := file.stream.read(65536):
        digest.update(block)
        size += len(block)
    return {"name": file.filename, "size": size, "sha256": digest.hexdigest(), "note": request.form["note"]}


@app.get("/stream")
def stream():
    def lines():
        for number in range(int(request.args["lines"])):
            yield f"line {number}\n"

    return Response(stream_with_context(lines()), mimetype="text/plain")


@app.get("/count")
def count():
    session["count"] = session.get("count", 0) + 1
    return {"count": session["count"]}


@app.get("/file")
def file():
    return send_file(io.BytesIO(bytes(range(256)) * 4096), mimetype="application/octet-stream")


@app.get("/away")
def away():
    return redirect(url_for("where", _external=True))


@app.get("/where")
def where():
    return {"url": request.url, "root": request.script_root, "path": request.path, "address": request.remote_addr}


@app.get("/teapot")
def teapot():
    abort(418)


@app.get("/error")
def error():
    raise RuntimeError("raised on purpose")
