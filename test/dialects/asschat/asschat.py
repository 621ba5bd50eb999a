"""A client of ASSChat, written from its draft and docs/asschat.md: MQTT 5, user properties, channels and endpoints."""
import itertools
import os
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from hearing import WAIT_SECONDS, Hearing
from http_json import Account, http

HOST = os.environ["MQTT_HOST"]
PORT = int(os.environ["MQTT_PORT"])
PASSWORD = os.environ["PASSWORD"]
numbers = itertools.count(1)


class Heard:
    """A packet that came: its properties by name, each a list."""

    def __init__(self, message):
        self.topic = message.topic
        self.body = message.payload.decode()
        self.pairs = list(getattr(message.properties, "UserProperty", []))
        self.correlation = getattr(message.properties, "CorrelationData", None)
        self.content_type = getattr(message.properties, "ContentType", None)
        self.retain = message.retain

    def all(self, name):
        return [value for key, value in self.pairs if key == name]

    def one(self, name):
        return (self.all(name) or [None])[0]

    def __repr__(self):
        return f"{self.topic} {self.body!r} {self.pairs}"


class User(Account):
    def device(self, name="pc", **options):
        return Device(self.uid, name, **options)


class Device(Hearing):
    """A client. `acks`: it acknowledges notifications."""

    def __init__(self, uid, name="pc", acks=True, filters=("ass/#",), keeps=3_600, version=mqtt.MQTTv5, client_id=None, token=None, fails=False):
        super().__init__(client_id or f"{uid}:{name}")
        self.uid = uid
        self.acks = acks
        self.filters = list(filters)
        self.keeps = keeps
        self.version = version
        self.reason = None
        if token is None:
            login = {"username": uid, "password": PASSWORD, "clientid": self.clientid, "dialect": "asschat"}
            token = http("POST", "/login", login)["token"]
        options = {} if version == mqtt.MQTTv5 else {"clean_session": not keeps}
        self.mqtt = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, self.clientid, protocol=version, **options)
        self.mqtt.username_pw_set(uid, token)
        self.mqtt.on_message = self._take
        self.mqtt.on_connect = self._up
        self.mqtt.on_subscribe = lambda *_: self.subscribed.set()
        self.mqtt.on_disconnect = lambda *_: self.gone.set()
        self.up = threading.Event()
        self.gone = threading.Event()
        self.subscribed = threading.Event()
        self.connect(fails)

    def _up(self, client, _userdata, _flags, reason, _properties):
        self.reason = reason
        self.up.set()

    def _take(self, client, _userdata, message):
        heard = Heard(message)
        if self.acks and heard.topic.startswith("ass/ntf/") and heard.correlation:
            self.ack(heard)
        self.note(heard)

    def ack(self, notification):
        """As the draft wants: a Channel Cmd ACK, matched by its correlation data."""
        self._publish("ass/ack", "", [("CHID", notification.one("CHID"))], notification.correlation)

    def connect(self, fails=False):
        self.up.clear()
        self.gone.clear()
        if self.version == mqtt.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = self.keeps
            self.mqtt.connect(HOST, PORT, 30, clean_start=self.keeps == 0, properties=properties)
        else:
            self.mqtt.connect(HOST, PORT, 30)
        self.mqtt.loop_start()
        if not self.up.wait(WAIT_SECONDS):
            raise AssertionError("no CONNACK")
        if fails:
            return
        if self.reason.is_failure:
            raise AssertionError(f"CONNACK {self.reason}")
        for one in self.filters:
            self.subscribe(one)

    def subscribe(self, one):
        self.subscribed.clear()
        if self.version == mqtt.MQTTv5:
            self.mqtt.subscribe(one, options=SubscribeOptions(qos=1))
        else:
            self.mqtt.subscribe(one, 1)
        if not self.subscribed.wait(WAIT_SECONDS):
            raise AssertionError("no SUBACK")

    def away(self):
        self.mqtt.disconnect()
        self.gone.wait(WAIT_SECONDS)
        self.mqtt.loop_stop()

    def _publish(self, topic, body, pairs=(), correlation=None, content_type=None, qos=1, response=None):
        properties = Properties(PacketTypes.PUBLISH)
        if pairs:
            properties.UserProperty = [(name, f"{value}") for name, value in pairs]
        if correlation is not None:
            properties.CorrelationData = correlation
        if content_type is not None:
            properties.ContentType = content_type
        if response is not None:
            properties.ResponseTopic = response
        given = properties if self.version == mqtt.MQTTv5 else None
        return self.mqtt.publish(topic, body, qos=qos, properties=given)

    def publish(self, topic, body="", pairs=(), **options):
        """Sends it with correlation data of its own; answers those."""
        correlation = f"{self.clientid} {next(numbers)}".encode()
        self._publish(topic, body, pairs, correlation, **options)
        return correlation

    def command(self, verb, chid, *endpoints, **more):
        """Answers the ack."""
        pairs = [*([("CHID", chid)] if chid else []), *(("EP", one) for one in endpoints), *more.items()]
        return self.acked(self.publish(f"ass/cmd/{verb}", "", pairs))

    def does(self, verb, chid, *endpoints, **more):
        """The same, which is to be accepted."""
        ack = self.command(verb, chid, *endpoints, **more)
        if ack.one("Result") != "0":
            raise AssertionError(f"{verb} {chid}: {ack}")
        return ack

    def send(self, chid, body, *pairs, **options):
        """Answers the ack of a message."""
        return self.acked(self.publish(f"ass/msg/{chid}", body, pairs, **options))

    def says(self, chid, body, *pairs, **options):
        ack = self.send(chid, body, *pairs, **options)
        if ack.one("Result") != "0":
            raise AssertionError(f"message to {chid}: {ack}")
        return ack

    def acked(self, correlation):
        return self.hears(lambda one: one.topic == "ass/ack" and one.correlation == correlation, f"ack of {correlation}")

    def hears_message(self, body, chid=None):
        def is_it(one):
            return one.topic.startswith("ass/msg/") and one.body == body and chid in (None, one.one("CHID"))

        return self.hears(is_it, f"message {body!r}")

    def messages(self, body):
        return self.all(lambda one: one.topic.startswith("ass/msg/") and one.body == body)

    def hears_notification(self, kind, chid, count=1, **fields):
        """The latest of `count` that say so."""

        def is_it(one):
            named = one.topic == f"ass/ntf/{chid}" and one.one("Type") == kind and one.one("CHID") == chid
            return named and all(value in one.all(name) for name, value in fields.items())

        self.hears(lambda _: len([one for one in self.heard if is_it(one)]) >= count, f"{count} × {kind} {chid} {fields}")
        return [one for one in self.heard if is_it(one)][count - 1]

    def notifications(self, kind, chid):
        return self.all(lambda one: one.topic == f"ass/ntf/{chid}" and one.one("Type") == kind)
