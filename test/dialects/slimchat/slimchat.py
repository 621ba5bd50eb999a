"""A client of SlimChat, written from its draft alone: HTTP and MQTT with JSON, OIDs, messages, presence, roster, rooms."""
import itertools
import json
import os
import threading

import paho.mqtt.client as mqtt

from hearing import WAIT_SECONDS, Hearing
from http_json import http

HOST = os.environ["MQTT_HOST"]
PORT = int(os.environ["MQTT_PORT"])
PASSWORD = os.environ["PASSWORD"]
numbers = itertools.count(1)


class User:
    def __init__(self, uid):
        self.uid = uid
        http("POST", "/register", {"username": uid, "password": PASSWORD})

    def device(self, name, **options):
        return Device(self.uid, f"slim-{self.uid}-{name}", **options)


class Device(Hearing):
    """An endpoint: logged in over HTTP, connected with its ticket."""

    def __init__(self, uid, clientid, form="$IM/", clean=False, version=mqtt.MQTTv311, filters=(), will=None, ticket=None):
        super().__init__(clientid)
        self.uid = uid
        self.form = form
        self.ticket = ticket
        if ticket is None:
            client = {"type": "android", "appid": "livehub.io", "deviceid": "android-2922", "clientid": clientid}
            answer = http("POST", "/login", {"username": uid, "password": PASSWORD, **client})
            self.clientid = answer["clientid"]
            self.ticket = answer["ticket"]
        self.topic = f"{form}user/{uid}/client/{self.clientid}"
        options = {} if version == mqtt.MQTTv5 else {"clean_session": clean}
        self.mqtt = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, self.clientid, protocol=version, **options)
        self.mqtt.username_pw_set(uid, self.ticket)
        if will is not None:
            self.mqtt.will_set(*will)
        self.mqtt.on_message = self._take
        self.mqtt.on_connect = self._up
        self.mqtt.on_disconnect = lambda *_: self.gone.set()
        self.filters = filters
        self.up = threading.Event()
        self.gone = threading.Event()
        self.connect()

    def _up(self, client, _userdata, _flags, reason, _properties):
        if reason.is_failure:
            raise AssertionError(f"CONNACK {reason}")
        if self.filters:
            client.subscribe([(one, 1) for one in self.filters])
        self.up.set()

    def _take(self, _client, _userdata, message):
        self.note((message.topic, json.loads(message.payload)))

    def connect(self):
        self.up.clear()
        self.gone.clear()
        self.mqtt.connect(HOST, PORT, 30)
        self.mqtt.loop_start()
        if not self.up.wait(WAIT_SECONDS):
            raise AssertionError("no CONNACK")

    def away(self):
        self.mqtt.disconnect()
        self.gone.wait(WAIT_SECONDS)
        self.mqtt.loop_stop()

    def http(self, verb, path, body=None, raw=None):
        return http(verb, path, body, self.ticket, raw)

    def publish(self, oid, packet):
        """Sends it as it is; `oid` is the endpoint."""
        data = packet if isinstance(packet, (str, bytes)) else json.dumps(packet)
        self.mqtt.publish(self.form + oid, data, qos=1).wait_for_publish(WAIT_SECONDS)

    def send(self, oid, content, **fields):
        """A message of the draft; answers its id."""
        text = {"type": "text", "data": content} if isinstance(content, str) else content
        kind = "grpchat" if oid.startswith("room/") else "chat"
        packet = {
            "id": f"{self.uid}{next(numbers)}",
            "from": f"uid:{self.uid}",
            "to": oid,
            "type": kind,
            "thread": "thread1",
            "content": text,
            **fields,
        }
        self.publish(oid, packet)
        return packet["id"]

    def presence(self, oid, kind, **fields):
        self.publish(oid, {"id": self.uid, "from": self.uid, "type": kind, "show": "online", "status": "", **fields})

    def hears_message(self, message_id):
        return self.hears(lambda _, packet: packet.get("id") == message_id, f"message {message_id}")

    def acked(self, message_id):
        """The copy with `ts`, on the device's own topic."""
        return self.hears(
            lambda topic, packet: topic == self.topic and packet.get("id") == message_id and packet["type"] != "event",
            f"the ack of {message_id}",
        )[1]

    def refused(self, message_id):
        """What a refusal says, told on the device's own topic."""

        def is_refusal(topic, packet):
            return topic == self.topic and packet.get("id") == message_id and packet["type"] == "event"

        return self.hears(is_refusal, f"the refusal of {message_id}")[1]["content"]["data"]

    def hears_presence(self, uid, kind, **fields):
        def is_it(_, packet):
            named = packet.get("from") == uid and packet.get("type") == kind
            return named and all(packet.get(name) == value for name, value in fields.items())

        return self.hears(is_it, f"{uid} {kind} {fields}")
