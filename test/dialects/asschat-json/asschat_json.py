"""A client of ASSChat's second form, written from its author's page: JSON on plain topics, in MQTT 3.1.1 or 5."""
import itertools
import json
import os
import threading

import paho.mqtt.client as mqtt

from hearing import WAIT_SECONDS, Hearing
from http_json import Account, http

HOST = os.environ["MQTT_HOST"]
PORT = int(os.environ["MQTT_PORT"])
PASSWORD = os.environ["PASSWORD"]
numbers = itertools.count(1)


class User(Account):
    def device(self, name="pc", **options):
        return Device(self.uid, name, **options)


class Device(Hearing):
    """A client. It subscribes nothing but the status of others: the server does all else."""

    def __init__(self, uid, name="pc", version=mqtt.MQTTv311, keeps=True, will=None, mark=":"):
        super().__init__(f"{uid}{mark}{name}")
        self.uid = uid
        self.version = version
        self.keeps = keeps
        self.up = threading.Event()
        self.gone = threading.Event()
        self.subscribed = threading.Event()
        login = {"username": uid, "password": PASSWORD, "clientid": self.clientid, "dialect": "asschat-json"}
        token = http("POST", "/login", login)["token"]
        options = {} if version == mqtt.MQTTv5 else {"clean_session": not keeps}
        self.mqtt = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, self.clientid, protocol=version, **options)
        self.mqtt.username_pw_set(uid, token)
        self.mqtt.on_message = self._take
        self.mqtt.on_connect = self._up
        self.mqtt.on_subscribe = lambda *_: self.subscribed.set()
        self.mqtt.on_disconnect = lambda *_: self.gone.set()
        if will:
            self.mqtt.will_set(*will, qos=1)
        self.connect()

    def _up(self, _client, _userdata, _flags, reason, _properties):
        self.reason = reason
        self.up.set()

    def _take(self, _client, _userdata, message):
        self.note((message.topic, message.payload.decode()))

    def connect(self):
        self.up.clear()
        self.gone.clear()
        if self.version == mqtt.MQTTv5:
            properties = mqtt.Properties(mqtt.PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 3_600 if self.keeps else 0
            self.mqtt.connect(HOST, PORT, 30, clean_start=not self.keeps, properties=properties)
        else:
            self.mqtt.connect(HOST, PORT, 30)
        self.mqtt.loop_start()
        assert self.up.wait(WAIT_SECONDS), "no CONNACK"
        assert not self.reason.is_failure, f"CONNACK {self.reason}"

    def away(self):
        self.mqtt.disconnect()
        self.gone.wait(WAIT_SECONDS)
        self.mqtt.loop_stop()

    def cut(self):
        """Without DISCONNECT: its Will is published."""
        self.mqtt.loop_stop()
        self.mqtt.socket().close()

    def subscribe(self, topic):
        self.subscribed.clear()
        self.mqtt.subscribe(topic, 1)
        assert self.subscribed.wait(WAIT_SECONDS), "no SUBACK"

    def publish(self, topic, payload, qos=1):
        text = payload if isinstance(payload, (str, bytes)) else json.dumps(payload)
        self.mqtt.publish(topic, text, qos=qos)

    def says(self, channel, **body):
        self.publish(f"ch/{channel}", body)

    def asks(self, verb, **request):
        """The answer."""
        req_id = f"{next(numbers):x}"
        self.publish(f"ass/s/{verb}", {"req_id": req_id, "want_reply": True, **request})
        answer = self.answered(lambda one: one.get("req_id") == req_id, f"the answer to {verb} {req_id}")
        assert answer["type"] == verb, answer
        return answer

    def does(self, verb, code, **request):
        answer = self.asks(verb, **request)
        assert answer["rcode"] == code, answer
        return answer

    def creates(self, channel, *uids, **more):
        users = [{"user_id": one, "mode": 7} for one in uids]
        return self.does("ch_create", 201, ch_id=channel, users=users, persis=True, notify_change=True, **more)

    def answered(self, matches, what):
        """What is told on the client's own topic."""
        own = f"ass/c/{self.clientid}"
        _, text = self.hears(lambda topic, text: topic == own and matches(json.loads(text)), what)
        return json.loads(text)

    def messages(self, channel):
        return [json.loads(text) for _, text in self.all(lambda topic, _: topic == f"ch/{channel}")]

    def hears_message(self, channel, msg):
        def is_it(topic, text):
            return topic == f"ch/{channel}" and json.loads(text)["body"].get("msg") == msg

        return json.loads(self.hears(is_it, f"{msg} in {channel}")[1])

    def hears_notification(self, kind, channel, *users):
        def is_it(one):
            notif = one.get("notif", {})
            named = one["type"] == "ch_notif" and notif["type"] == kind and notif["ch_id"] == channel
            return named and set(users) <= set(notif.get("users", []))

        return self.answered(is_it, f"{kind} of {channel} {users}")

    def hears_status(self, name, word):
        """Until that is the last that it heard of it."""

        def is_last(*_):
            return [text for topic, text in self.heard if topic == f"status/{name}"][-1:] == [word]

        self.hears(is_last, f"{name} {word}")
