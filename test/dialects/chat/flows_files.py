"""Files over the WebSocket of chat."""
import os

from websockets.sync.client import connect

import bert
from bert import Atom
from chat import Person, texts
from http_json import HTTP, http

FIELDS = "id sid filename meta size offset block data status".split()


def ftp(socket, **fields):
    socket.send(bert.encode((Atom("ftp"), *(fields[name] for name in FIELDS))))
    answer = bert.decode(socket.recv(timeout=30))
    assert answer[0] == "ftpack" and len(answer) == 10, answer
    return dict(zip(FIELDS, answer[1:]))


def send(socket, person, name, content, begin):
    """The whole file from where the server says."""
    asked = {"id": name, "sid": person.token, "filename": name, "meta": person.client_id, "size": len(content)}
    answer = ftp(socket, **asked, offset=0, block=1, data=b"", status="init")
    assert answer["offset"] == begin and answer["block"] == 250 * 1024 and answer["status"] == b"init"
    offset, block = answer["offset"], answer["block"]
    while block > 0:
        part = content[offset : offset + block]
        answer = ftp(socket, **asked, offset=offset, block=len(part), data=part, status="send")
        offset = answer["offset"]
        if answer["block"] == 0:
            break
    assert answer["offset"] == len(content) and answer["sid"] == b""
    return answer["filename"].decode()


def upload():
    """a file is uploaded in blocks, goes on where it broke off, and who is sent it may fetch it"""
    ada, bob = Person(), Person()
    ada.friend(bob)
    content = os.urandom(600 * 1024)
    url = HTTP.replace("http", "ws") + "/ws"
    asked = {"id": "a.bin", "sid": ada.token, "filename": "a.bin", "meta": ada.client_id, "size": len(content)}
    with connect(url, max_size=None) as socket:
        first = ftp(socket, **asked, offset=0, block=1, data=b"", status="init")
        part = content[: first["block"]]
        ftp(socket, **asked, offset=0, block=len(part), data=part, status="send")
    with connect(url, max_size=None) as socket:
        path = send(socket, ada, "a.bin", content, len(part))
    assert http("GET", path, token=ada.token) == content
    msg_id = ada.say(bob, "", files=[ada.desc("file", HTTP + path, filename="a.bin", size=len(content))])
    heard = bob.device.record("Message", msg_id=msg_id)
    assert path in texts(heard)[0] and http("GET", path, token=bob.token) == content
    ada.device.leave()
    bob.device.leave()


def refused():
    """without a token that is good a file is ended at once, and what is no ftp is not answered"""
    with connect(HTTP.replace("http", "ws") + "/ws", max_size=None) as socket:
        answer = ftp(socket, id="x", sid="no token", filename="x", meta="c", size=10, offset=0, block=1, data=b"", status="init")
        assert answer["block"] == 0 and answer["status"] == b"error unauthenticated"
        socket.send(b"hello")
        socket.send(bert.encode((Atom("ftp"), 1)))
        answer = ftp(socket, id="x", sid="", filename="x", meta="c", size=10, offset=0, block=1, data=b"", status="init")
        assert answer["status"] == b"error unauthenticated"


FLOWS = [upload, refused]
