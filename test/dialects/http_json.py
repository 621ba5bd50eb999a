"""HTTP with JSON, for the clients in Python. What a protocol has of its own stands in its client."""
import json
import os
import urllib.error
import urllib.request

HTTP = os.environ.get("HTTP_URL", "")


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


def http(verb, path, body=None, token=None, raw=None):
    """The answer's JSON, or its bytes where it is none. `raw`: bytes to send in place of a body. Raises Refused."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    data = raw
    if body is not None:
        data = json.dumps(body).encode()
        headers["content-type"] = "application/json"
    elif raw is not None:
        headers["content-type"] = "application/octet-stream"
    url = path if path.startswith("http") else HTTP + path
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=verb), timeout=30) as answer:
            text = answer.read()
            return json.loads(text) if "json" in answer.headers.get("content-type", "") else text
    except urllib.error.HTTPError as error:
        raise Refused(error.code, error.read().decode(errors="replace")) from None


def must_refuse(status, call, *args):
    try:
        answer = call(*args)
    except Refused as refused:
        assert refused.status == status, refused
    else:
        raise AssertionError(f"{args} is answered: {answer!r}")


class Account:
    """A new user, logged in for HTTP."""

    def __init__(self, uid):
        self.uid = uid
        password = os.environ["PASSWORD"]
        http("POST", "/register", {"username": uid, "password": password})
        self.token = http("POST", "/login", {"username": uid, "password": password, "device": "http"})["token"]

    def http(self, verb, path, body=None):
        return http(verb, path, body, self.token)
