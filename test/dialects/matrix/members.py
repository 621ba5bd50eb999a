"""A person of each protocol, all of them driven alike. A new protocol is one class here, and a row of `KINDS`.

What a class has beside `Member`: `send` to a user, `say` in a room, `told` and `told_in` (what it was sent, in order: who and what),
`confirm` and `saw` for those receipts that its protocol has words for.
"""
import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in ("slimchat", "mqtt-chat", "chat", "asschat", "asschat-json"):
    sys.path.append(str(HERE.parent / folder))

import asschat
import asschat_json
import chat
import http_api
import mqtt_chat
import native
import records
import slimchat

PLACE = f"{os.environ['MQTT_HOST']}:{os.environ['MQTT_PORT']}"


def p2p(one, other):
    return "p2p/" + "/".join(sorted([one, other]))


class Member:
    #: it may write to one user, and be written to
    has_direct = True
    #: it hears its own words in a room
    echoes = True
    #: receipts that it says, and that it is told
    confirms = frozenset()
    sees = frozenset()

    def join(self, room):
        native.http("POST", f"/rooms/{room}/join", {}, self.token)


class Native(Member):
    confirms = sees = frozenset(["delivered", "read"])

    def __init__(self, name):
        self.uid = name
        self.device = native.Device(name)
        self.token = self.device.token

    def send(self, uid, text):
        return self.device.send(f"user/{uid}", text)

    def say(self, room, text):
        self.device.send(f"room/{room}", text)

    def told(self, uid):
        return self._texts(p2p(self.uid, uid))

    def told_in(self, room):
        return self._texts(f"room/{room}")

    def confirm(self, what, uid, text):
        conv = p2p(self.uid, uid)
        self.device.receipt(conv, **{what: self._message(conv, text)["seq"]})

    def saw(self, what, uid, text, sent):
        conv = p2p(self.uid, uid)
        acks = [one["seq"] for one in list(self.device.heard) if one.get("type") == "ack" and one["id"] == sent]
        marks = [one for one in list(self.device.heard) if one.get("type") == "receipt" and one["conv"] == conv]
        return bool(acks) and any(one["uid"] == uid and one[what] >= acks[0] for one in marks)

    def _messages(self, conv):
        return [one for one in list(self.device.heard) if one.get("conv") == conv and "content" in one]

    def _texts(self, conv):
        said = [one for one in self._messages(conv) if one["content"]["type"] == "text"]
        return [(one["from"], one["content"]["data"]) for one in said]

    def _message(self, conv, text):
        return next(one for one in self._messages(conv) if one["content"].get("data") == text)


class SlimChat(Member):
    echoes = False
    confirms = sees = frozenset(["delivered", "read"])

    def __init__(self, name):
        self.uid = name
        self.device = slimchat.User(name).device("phone")
        self.token = self.device.ticket

    def send(self, uid, text):
        return self.device.send(f"user/{uid}", text)

    def say(self, room, text):
        self.device.send(f"room/{room}", text)

    def told(self, uid):
        return [one for one in self._texts(f"$IM/user/{self.uid}") if one[0] == uid]

    def told_in(self, room):
        return self._texts(f"$IM/room/{room}")

    def confirm(self, what, uid, text):
        seq = next(one["seq"] for _, one in list(self.device.heard) if one.get("content", {}).get("data") == text)
        data = {"event": "receipt", what: seq}
        packet = {"id": f"{what}-{seq}", "type": "event", "content": {"type": "event", "data": data}}
        self.device.publish(f"user/{uid}", packet)

    def saw(self, what, uid, text, sent):
        seq = self.device.acked(sent)["seq"]
        events = [one["content"]["data"] for _, one in list(self.device.heard) if one.get("type") == "event"]
        receipts = [one for one in events if one["event"] == "receipt" and one["uid"] == uid]
        return any(one["conv"] == p2p(self.uid, uid) and one[what] >= seq for one in receipts)

    def _texts(self, topic):
        said = [one for where, one in list(self.device.heard) if where == topic and one["type"] in ("chat", "grpchat")]
        return [(one["from"], one["content"]["data"]) for one in said]


class MqttChat(Member):
    confirms = frozenset(["delivered", "read"])
    sees = frozenset(["delivered"])

    def __init__(self, name):
        self.uid = http_api.Account(name).uid
        self.device = mqtt_chat.Device(name).connect()

    def join(self, room):
        """As programs do it: whoever does not find itself in the list adds itself."""
        self.device.subscribe(f"{room}/g/+")
        members = self.device.wait("group members", room)["m"]
        self.device.publish(f"{room}/g/e", {"m": [*members, self.uid]}, retain=True)
        self.device.wait("group members", room, lambda one: self.uid in one["m"])

    def send(self, uid, text):
        return self.device.send(uid, text)

    def say(self, room, text):
        self.device.send(room, text, "group messages")

    def told(self, uid):
        return [one for one in self._texts(f"{self.uid}/o/m") if one[0] == uid]

    def told_in(self, room):
        return self._texts(f"{room}/g/m")

    def confirm(self, what, uid, text):
        packets = [json.loads(payload) for topic, payload in list(self.device.heard) if topic == f"{self.uid}/o/m"]
        number = next(one["i"] for one in packets if one["m"] == text)
        self.device.publish(f"{uid if what == 'delivered' else self.uid}/o/d", number)

    def saw(self, what, uid, text, sent):
        return (f"{self.uid}/o/d", sent) in list(self.device.heard)

    def _texts(self, topic):
        packets = [json.loads(payload) for where, payload in list(self.device.heard) if where == topic]
        return [(one["s"], one["m"]) for one in packets if one["c"] == "TEXT"]


class Chat(Member):
    confirms = sees = frozenset(["read"])

    def __init__(self, name):
        # One speaks the records of the documents, the next one those of the later programs.
        self.person = chat.Person("v1" if name.endswith("x") else "late")
        self.uid = self.person.id
        self.device = self.person.device

    def join(self, room):
        self.device.send("Room", id=room, status="join")
        self.device.record("Room", id=room)

    def send(self, uid, text):
        return self._send(records.p2p(self.uid, uid), uid, text)

    def say(self, room, text):
        self._send(records.muc(room), room, text)

    def told(self, uid):
        return [one for one in self._texts(p2p(self.uid, uid)) if one[0] == uid]

    def told_in(self, room):
        return self._texts(f"room/{room}")

    def confirm(self, what, uid, text):
        number = next(one["id"] for one in self._messages(p2p(self.uid, uid)) if chat.texts(one) == [text])
        feed = records.p2p(self.uid, uid)
        self.device.send("History", roster_id=self.uid, feed=feed, entity_id=number, status="update")

    def saw(self, what, uid, text, sent):
        number = next(one["id"] for one in self._messages(p2p(self.uid, uid)) if one["msg_id"] == sent)
        contacts = [one for _, one in list(self.device.heard) if getattr(one, "name", "") == "Contact"]
        return any(one["phone_id"] == uid and one["reader"] >= number for one in contacts)

    def _send(self, feed, to, text):
        msg_id = f"m-{next(chat.numbers)}"
        files = [self.person.desc("text", text)]
        self.device.send("Message", feed_id=feed, msg_id=msg_id, from_=self.uid, to=to, files=files)
        return msg_id

    def _messages(self, topic):
        said = [one for where, one in list(self.device.heard) if where == topic]
        return [one for one in said if getattr(one, "name", "") == "Message"]

    def _texts(self, topic):
        return [(one["from"], text) for one in self._messages(topic) for text in chat.texts(one)]


class AssChat(Member):
    echoes = False

    def __init__(self, name):
        self.uid = name
        user = asschat.User(name)
        self.token = user.token
        self.device = user.device()

    def send(self, uid, text):
        """The channel of two is there by itself; its name is told to the server before the first message."""
        chid = digest("$p-", p2p(self.uid, uid))
        self.device.does("create", chid, f"user/{uid}")
        self.device.says(chid, text)

    def say(self, room, text):
        self.device.says(digest("$r-", f"room/{room}"), text)

    def told(self, uid):
        return self._texts(digest("$p-", p2p(self.uid, uid)))

    def told_in(self, room):
        return self._texts(digest("$r-", f"room/{room}"))

    def _texts(self, chid):
        packets = self.device.all(lambda one: one.topic == f"ass/msg/{chid}")
        return [(one.one("From").removeprefix("user/"), one.body) for one in packets]


class AssChatJson(Member):
    """In the second form of ASSChat, over MQTT 3.1.1."""

    echoes = False

    def __init__(self, name):
        self.uid = name
        user = asschat_json.User(name)
        self.token = user.token
        self.device = user.device()

    def send(self, uid, text):
        """As in the first form the channel of two is named before the first message."""
        channel = digest("$p-", p2p(self.uid, uid))
        self.device.does("ch_create", 201, ch_id=channel, users=[{"user_id": uid, "mode": 7}])
        self.device.says(channel, msg=text)

    def say(self, room, text):
        self.device.says(room, msg=text)

    def told(self, uid):
        return self._texts(digest("$p-", p2p(self.uid, uid)))

    def told_in(self, room):
        return self._texts(room)

    def _texts(self, channel):
        """The first part of a client id is its user's id."""
        return [(one["from"].split(":")[0], one["body"]["msg"]) for one in self.device.messages(channel)]


def digest(kind, conv):
    """A channel whose conversation has no name that a channel may have."""
    return kind + hashlib.sha256(conv.encode()).hexdigest()[:24]


class ChatRoom(Member):
    """A guest with the two programs of the page. It hears a room from its subscription on, and is no member of it."""

    has_direct = False
    prefix = "chat/"

    def __init__(self, name):
        self.uid = "chat"
        self.nick = name
        self.lines = []
        self.listener = self.publisher = None

    def join(self, room):
        topic = room.replace(".2F", "/")
        self.listener = self._start("listener.py", topic)
        self._line(self.listener, "subscribed")
        self.publisher = self._start("publisher.py", topic)
        self._line(self.publisher, "connected")
        threading.Thread(target=self._hear, daemon=True).start()

    def say(self, room, text):
        self.publisher.stdin.write(f"{text}\n")
        self.publisher.stdin.flush()

    def told_in(self, room):
        said = [line.split(": ", 1) for line in list(self.lines) if not line.startswith("* ")]
        return [(one, text) for one, text in said]

    def leave(self):
        for program in (self.listener, self.publisher):
            program.kill()

    def _start(self, program, topic):
        path = HERE.parent / "chatroom" / program
        command = [sys.executable, "-W", "ignore", str(path), PLACE, topic, "chat", "chat", self.nick]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, encoding="utf-8")

    def _line(self, program, wanted):
        line = program.stdout.readline().rstrip("\n")
        assert line == wanted, f"{self.nick}: {line}"

    def _hear(self):
        for line in self.listener.stdout:
            self.lines.append(line.rstrip("\n"))


KINDS = {"native": Native, "slimchat": SlimChat, "mqtt-chat": MqttChat, "chat": Chat, "asschat": AssChat, "asschat-json": AssChatJson, "chatroom": ChatRoom}
