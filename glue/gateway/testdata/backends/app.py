"""A WSGI application that reports what it is told about a request."""

import hashlib
import json
import os


def read(environ):
    """Read the body as frameworks do: whole, or as much as CONTENT_LENGTH says."""
    if environ.get("wsgi.input_terminated"):
        return environ["wsgi.input"].read()
    return environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))


def app(environ, start_response):
    body = read(environ)
    line = json.dumps({
        "env": {k: v for k, v in environ.items() if isinstance(v, str) and k != "BACKEND_SEEN"},
        "length": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }).encode()
    with open(os.environ["BACKEND_SEEN"], "ab") as seen:
        seen.write(line + b"\n")
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(line)))])
    return [line]  # to HEAD too, as many programs do that leave this to the server
