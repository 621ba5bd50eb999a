"""A program of chat: one MQTT connection, records of Erlang, no subscription. `heard` is all that came, in order."""
import itertools
import json
import os
import threading
import time
import urllib.parse

import paho.mqtt.client as mqtt

import bert
from bert import Atom
from http_json import http
from records import Rec, make, p2p, read

HOST = os.environ.get("MQTT_HOST", "127.0.0.1")
PORT = int(os.environ.get("MQTT_PORT", "1883"))
WAIT = float(os.environ.get("WAIT_SECONDS", "40"))
CODE = "123456"
numbers = itertools.count(1)
phones = itertools.count(1)


class Device:
    def __init__(self, client_id, password="", username="api", era="v1", clean=False):
        self.client_id, self.era, self.username = client_id, era, username
        self.password = password
        self.heard, self.lock, self.at = [], threading.Condition(), 0
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id, clean_session=clean)
        self.client.username_pw_set(username, password or None)
        self.client.will_set("version/10", b"", qos=2)
        self.client.on_message = self._on_message
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.state = "new"

    def connect(self):
        self.state = "connecting"
        self.client.connect(HOST, PORT, keepalive=60)
        self.client.loop_start()
        self._until(lambda: self.state not in ("connecting",), "a CONNACK")
        if self.state != "connected":
            raise AssertionError(f"not connected: {self.state}")
        return self

    def leave(self):
        self.client.disconnect()
        self.client.loop_stop()

    def vanish(self):
        """The connection is cut: the Will speaks."""
        self.client.loop_stop()
        self.client._sock_close()

    def _on_connect(self, _client, _data, _flags, reason, _properties):
        with self.lock:
            self.state = "connected" if not reason.is_failure else str(reason)
            self.lock.notify_all()

    def _on_disconnect(self, _client, _data, _flags, reason, _properties):
        with self.lock:
            self.state = f"disconnected: {reason}"
            self.lock.notify_all()

    def _on_message(self, _client, _data, message):
        if message.payload[:1] == b"{":
            record = json.loads(message.payload)
        else:
            record = read(bert.decode(message.payload), self.era)
        with self.lock:
            self.heard.append((message.topic, record))
            self.lock.notify_all()

    def _until(self, holds, what, seconds=WAIT):
        with self.lock:
            if not self.lock.wait_for(holds, seconds):
                late = "\n  ".join(str(one)[:300] for one in self.heard[-12:])
                raise AssertionError(f"{self.client_id} waited for {what}; heard last:\n  {late}")

    def publish(self, payload, topic="events/1//api/anon//"):
        self.client.publish(topic, payload, qos=2).wait_for_publish(WAIT)

    def send(self, name, topic="events/1//api/anon//", /, **fields):
        self.at = len(self.heard)
        self.publish(bert.encode(make(self.era, name, **fields)), topic)

    def expect(self, what, fits, since=None):
        """The first that fits of what came since the last `send`; its topic and record."""
        start = self.at if since is None else since
        found = []

        def look():
            for one in self.heard[start:]:
                if fits(*one):
                    found.append(one)
                    return True
            return False

        self._until(look, what)
        return found[0]

    def record(self, name, topic=None, /, since=None, **fields):
        """The first record of this name with these fields."""
        def fits(where, one):
            if not isinstance(one, Rec) or one.name != name or (topic is not None and where != topic):
                return False
            return all(one[key.rstrip("_")] == value for key, value in fields.items())

        return self.expect(f"{name} {fields} {topic or ''}", fits, since)[1]

    def io(self, since=None):
        topic = f"actions/1/{self.username}/{self.client_id}"
        return self.expect("an io", lambda where, one: where == topic and isinstance(one, Rec) and one.name == "io", since)[1]

    def code(self, since=None):
        return self.io(since)["code"]

    def silent(self, fits, seconds=1.5):
        time.sleep(seconds)
        said = [one for one in self.heard[self.at :] if fits(*one)]
        assert not said, f"{self.client_id} heard {said[:2]}"


def next_phone():
    return f"3806700{next(phones):05d}"


class Person:
    """A phone, registered by its code; `id` is its phone_id."""

    def __init__(self, era="v1"):
        self.phone = next_phone()
        self.id = f"{self.phone}_1"
        self.era = era
        self.key = f"key-{self.phone}"
        self.client_id, self.token = self.register()
        self.device = Device(self.client_id, self.token, era=era).connect()
        self.device.record("Profile", status="init", since=0)

    def register(self):
        new = Device(f"reg_{self.key}-{next(numbers)}", era=self.era).connect()
        new.send("Auth", client_id=new.client_id, dev_key=self.key, phone=self.phone, type="reg")
        assert new.code() == (Atom("ok"), Atom("sms_sent")), new.code()
        new.send("Auth", dev_key=self.key, phone=self.phone, type="verify", sms_code=CODE)
        code = new.code()
        assert code[:2] == ("ok2", "login"), code
        client_id, token = code[2]
        new.leave()
        return client_id, token

    def another(self):
        client_id, token = self.register()
        device = Device(client_id, token, era=self.era).connect()
        device.record("Profile", status="init", since=0)
        return device

    def friend(self, other):
        self.device.send("Friend", phone_id=self.id, friend_id=other.id, status="request")
        other.device.record("Contact", phone_id=self.id, status="authorization", since=0)
        other.device.send("Friend", phone_id=other.id, friend_id=self.id, status="confirm")
        other.device.io()
        self.device.record("Contact", phone_id=other.id, status="friend", since=0)

    def say(self, other, text, **more):
        """A text to a person, or to a room by its name."""
        feed = p2p(self.id, other.id) if isinstance(other, Person) else (Atom("muc"), other)
        to = other.id if isinstance(other, Person) else other
        msg_id = more.pop("msg_id", f"m-{next(numbers)}")
        files = more.pop("files", [self.desc("text", text)])
        fields = {"feed_id": feed, "msg_id": msg_id, "from_": self.id, "to": to, "files": files, **more}
        if self.era == "v1":
            fields.setdefault("status", "client")
        self.device.send("Message", **fields)
        return msg_id

    def desc(self, mime, payload, **more):
        return make(self.era, "Desc", id=f"d-{next(numbers)}", mime=mime, payload=payload, **more)


def texts(message):
    return [desc["payload"] for desc in message["files"]]


def feed_topic(one, other):
    return "/".join(["p2p", *sorted([one.id, other.id])])


class Native:
    """A user of Parley's own protocol, over HTTP."""

    def __init__(self):
        self.uid = f"native{next(numbers)}"
        http("POST", "/register", {"username": self.uid, "password": "correct horse"})
        self.token = http("POST", "/login", {"username": self.uid, "password": "correct horse"})["token"]

    def send(self, to, content):
        return http("POST", "/messages", {"to": to, "content": content}, self.token)

    def history(self, conv):
        return http("GET", f"/conversations/{urllib.parse.quote(conv, safe='')}/messages", None, self.token)["messages"]
