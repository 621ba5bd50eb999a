"""A client of mqtt-chat, written from the protocol's page and from what its programs send: nothing of Parley's is used here."""
import hashlib
import itertools
import json
import os
import socket
import threading
import time

import paho.mqtt.client as mqtt

HOST = os.environ["MQTT_HOST"]
PORT = int(os.environ["MQTT_PORT"])
PASSWORD = os.environ["PASSWORD"]
WAIT_SECONDS = float(os.environ.get("WAIT_SECONDS", "20"))

# The page names topics in full, programs name them by letters: {id}/others/messages and {id}/o/m are one.
SHORT = {
    "messages": "o/m",
    "chatstate": "o/c",
    "receipts": "o/d",
    "invitations": "o/i",
    "presence": "s/l",
    "profile": "s/p",
    "group messages": "g/m",
    "group members": "g/e",
    "group profile": "g/p",
    "own": "o/+",
    "friend": "s/+",
    "group": "g/+",
}
LONG = {
    "messages": "others/messages",
    "chatstate": "others/chatstate",
    "receipts": "others/receipts",
    "invitations": "others/invitations",
    "presence": "self/presence",
    "profile": "self/profile",
    "group messages": "others/messages",
    "group members": "others/members",
    "group profile": "others/profile",
    "own": "others/+",
    "friend": "self/+",
    "group": "others/+",
}

_ids = itertools.count(1)


class Device:
    """One program on one device. `heard` is all that came, in order, as (topic, payload)."""

    def __init__(self, uid, client_id=None, names=SHORT, clean=False, version=mqtt.MQTTv311, subscribe=True, will=True):
        self.uid = uid
        self.client_id = client_id or uid
        self.names = names
        self.heard = []
        self.marks = {}
        self.filters = []
        self._news = threading.Condition()
        self._granted = {}
        options = {"clean_session": clean} if version == mqtt.MQTTv311 else {}
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, self.client_id, protocol=version, **options)
        self.client.username_pw_set(uid, PASSWORD)
        if will:
            self.client.will_set(self.topic(uid, "presence"), "Offline", qos=0, retain=True)
        self.client.on_message = self._on_message
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda _c, _u, mid, codes, _p: self._note(("granted", mid), [c.value for c in codes])
        self.client.on_publish = lambda _c, _u, mid, *_: self._note(("published", mid), True)
        self.clean = clean
        if subscribe:
            self.filters.append(f"{uid}/{names['own']}")

    def topic(self, to, kind):
        return f"{to}/{self.names[kind]}"

    @property
    def native(self):
        """Where a native program publishes: `p` is the first digit of the client id's MD5."""
        digit = hashlib.md5(self.client_id.encode()).hexdigest()[0]
        return f"im/up/{digit}/{self.uid}/{self.client_id}"

    # Connections.

    def connect(self):
        self._granted.pop("connected", None)
        options = {"clean_start": self.clean} if self.client.protocol == mqtt.MQTTv5 else {}
        self.client.connect(HOST, PORT, keepalive=210, **options)
        self.client.loop_start()
        # A server that is busy says so, and the library tries again.
        is_in = self._until(lambda: self._granted.get("connected") == 0)
        assert is_in, f"{self.uid} was not let in: {self._granted.get('connected')}"
        for one in self.filters:
            self.subscribe(one)
        return self

    def subscribe(self, topic, qos=1):
        if topic not in self.filters:
            self.filters.append(topic)
        _, mid = self.client.subscribe(topic, qos)
        codes = self._wait_for(("granted", mid))
        assert codes[0] in (0, 1, 2), f"{topic} was refused: {codes}"

    def leave(self):
        """As a program that is closed."""
        self.client.disconnect()
        self.client.loop_stop()

    def lose(self):
        """As a phone without network: the broker publishes the Will."""
        sock = self.client.socket()
        self.client.loop_stop()
        sock.shutdown(socket.SHUT_RDWR)
        sock.close()

    # Packets.

    def publish(self, topic, payload, qos=1, retain=False):
        text = payload if isinstance(payload, (str, bytes)) else json.dumps(payload, ensure_ascii=False)
        sent = self.client.publish(topic, text, qos, retain)
        if qos > 0:
            self._wait_for(("published", sent.mid))

    def send(self, to, text, kind="messages", **more):
        """A message as programs write it; its id is answered."""
        number = f"{self.uid}-{os.getpid()}-{next(_ids)}"
        packet = {"m": text, "i": number, "s": self.uid, "c": "TEXT", "d": True, **more}
        self.publish(self.topic(to, kind), packet)
        return packet["i"]

    # What came.

    def wait(self, kind, whose=None, where=lambda payload: True, alias=None):
        """The next packet of this kind that fits, behind those of the kind that were waited for before."""
        topic = alias or self.topic(whose or self.uid, kind)
        found = []

        def look():
            for at in range(self.marks.get(topic, 0), len(self.heard)):
                heard, payload = self.heard[at]
                if heard != topic:
                    continue
                value = _value(payload)
                if where(value):
                    self.marks[topic] = at + 1
                    found.append(value)
                    return True
            return False

        if not self._until(look):
            raise AssertionError(f"{self.uid} heard no such packet on {topic}: {self.heard[-20:]}")
        return found[0]

    def wait_text(self, text, kind="messages", whose=None):
        return self.wait(kind, whose, lambda packet: isinstance(packet, dict) and packet.get("m") == text)

    def texts(self, kind="messages", whose=None):
        """`m` of all messages that came there."""
        topic = self.topic(whose or self.uid, kind)
        with self._news:
            return [_value(payload).get("m") for heard, payload in self.heard if heard == topic]

    def _on_message(self, _client, _userdata, message):
        with self._news:
            self.heard.append((message.topic, message.payload.decode()))
            self._news.notify_all()

    def _on_connect(self, _client, _userdata, _flags, reason, _properties):
        self._note("connected", reason.value)

    def _note(self, key, value):
        with self._news:
            self._granted[key] = value
            self._news.notify_all()

    def _wait_for(self, key):
        assert self._until(lambda: key in self._granted), f"{self.uid} waited in vain for {key}"
        return self._granted[key]

    def _until(self, condition):
        with self._news:
            return self._news.wait_for(condition, WAIT_SECONDS)


def _value(payload):
    """Messages are JSON; presence, receipts and profiles of programs are text."""
    try:
        return json.loads(payload) if payload[:1] in "{[" else payload
    except ValueError:
        return payload


def eventually(condition, why):
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end, why() if callable(why) else why
        time.sleep(0.05)
