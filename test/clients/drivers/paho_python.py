"""paho-mqtt 2."""
import os

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from account import CLIENT_ID, HOST, PASSWORD, PORT, TOPICS, USER, VERSION, commands, say


def on_connect(client, userdata, flags, reason, properties):
    if reason.is_failure:
        say("log", reason)
    else:
        client.subscribe([(topic, 1) for topic in TOPICS])


five = VERSION == "5"
options = {} if five else {"clean_session": False}
client = mqtt.Client(
    mqtt.CallbackAPIVersion.VERSION2, CLIENT_ID, protocol=mqtt.MQTTv5 if five else mqtt.MQTTv311, **options
)
client.username_pw_set(USER, PASSWORD)
client.on_connect = on_connect
client.on_subscribe = lambda *_: say("up")
client.on_disconnect = lambda *args: say("down", args[3])
client.on_message = lambda client, userdata, message: say("in", message.topic, message.payload.decode())
client.reconnect_delay_set(min_delay=1, max_delay=10)
if five:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 3600
    client.connect_async(HOST, PORT, 60, clean_start=False, properties=properties)
else:
    client.connect_async(HOST, PORT, 60)
client.loop_start()
for topic, payload in commands():
    client.publish(topic, payload, qos=1)
os._exit(0)
