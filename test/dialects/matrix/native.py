"""A client of Parley's own protocol, written from docs/protocol.md alone: JSON on im/…, one packet a message."""
import itertools
import json
import os
import threading
import urllib.parse

import paho.mqtt.client as mqtt

from http_json import http

PASSWORD = os.environ["PASSWORD"]
WAIT_SECONDS = float(os.environ.get("WAIT_SECONDS", "30"))
numbers = itertools.count(1)


class Device:
    """One device of a new user. `heard` is all that came, in order."""

    def __init__(self, uid):
        self.uid = uid
        self.heard = []
        self._up = threading.Event()
        http("POST", "/register", {"username": uid, "password": PASSWORD})
        login = http("POST", "/login", {"username": uid, "password": PASSWORD, "device": "py"})
        self.token = login["token"]
        self.topics = login["topics"]
        self.mqtt = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, login["clientId"], clean_session=False)
        self.mqtt.username_pw_set(login["mqtt"]["username"], login["mqtt"]["password"])
        self.mqtt.on_message = lambda _client, _userdata, message: self.heard.append(json.loads(message.payload))
        self.mqtt.on_connect = lambda *_: self.mqtt.subscribe([(one, 1) for one in self.topics["subscribe"]])
        self.mqtt.on_subscribe = lambda *_: self._up.set()
        self.mqtt.connect(login["mqtt"]["host"], login["mqtt"]["port"], 60)
        self.mqtt.loop_start()
        assert self._up.wait(WAIT_SECONDS), f"{uid} is not connected"

    def send(self, to, text):
        """`user/{uid}` or `room/{id}`; the message's id is answered."""
        number = f"{self.uid}-{next(numbers)}"
        self._publish("msg", {"id": number, "to": to, "content": {"type": "text", "data": text}})
        return number

    def receipt(self, conv, **marks):
        self._publish("receipt", {"conv": conv, **marks})

    def history(self, conv, limit=500):
        path = f"/conversations/{urllib.parse.quote(conv, safe='')}/messages?limit={limit}"
        return http("GET", path, token=self.token)["messages"]

    def http(self, verb, path, body=None):
        return http(verb, path, body, self.token)

    def _publish(self, verb, packet):
        self.mqtt.publish(self.topics["publish"][verb], json.dumps(packet), qos=1).wait_for_publish(WAIT_SECONDS)
