from flask import Flask, Response

app = Flask(__name__)


@app.route("/hello")
def hello():
    return Response("Hello from Flask\n", mimetype="text/plain")


def create_app():
    """As many applications are made."""
    return app
