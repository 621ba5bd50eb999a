"""Parley over HTTP, as an application uses it beside MQTT."""
import os
import urllib.parse

from http_json import Refused, http

PASSWORD = os.environ["PASSWORD"]


class Account:
    def __init__(self, uid):
        self.uid = uid
        try:
            call("POST", "/register", {"username": uid, "password": PASSWORD})
        except Refused as refused:
            if refused.status != 409:
                raise
        self.token = call("POST", "/login", {"username": uid, "password": PASSWORD, "device": "http"})["token"]

    def call(self, verb, path, body=None):
        return call(verb, path, body, self.token)

    def send(self, to, content):
        return self.call("POST", "/messages", {"to": to, "content": content})

    def messages(self, conv):
        quoted = urllib.parse.quote(conv, safe="")
        return self.call("GET", f"/conversations/{quoted}/messages")["messages"]

    def receipts(self, conv, seq):
        return self.call("GET", f"/conversations/{urllib.parse.quote(conv, safe='')}/messages/{seq}/receipts")

    def befriend(self, other):
        """Each is the other's contact from then on."""
        self.call("POST", f"/roster/{other.uid}/request")
        other.call("POST", f"/roster/{self.uid}/confirm")


def call(verb, path, body=None, token=None):
    return http(verb, path, None if verb == "GET" else body or {}, token)


def p2p(one, other):
    return "p2p/" + "/".join(sorted([one, other]))
