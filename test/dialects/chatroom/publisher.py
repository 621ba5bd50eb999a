"""Says each line of its input in a chatroom, as its page describes the publisher: HOST:PORT TOPIC USERNAME PASSWORD."""
import json
import sys

import paho.mqtt.client as mqtt

host, topic, user, password = sys.argv[1:5]
name = sys.argv[5] if len(sys.argv) > 5 else user


def connected(_client, _userdata, _flags, code):
    print("connected" if code == 0 else "Connection failed.", flush=True)


client = mqtt.Client()
client.username_pw_set(user, password)
client.will_set(topic, f"User {name} timed out.\n")
client.on_connect = connected
address, port = host.split(":")
client.connect(address, int(port), 30)
client.loop_start()
for line in sys.stdin:
    packet = {"type": "message", "from": name, "message": line.rstrip("\n")}
    client.publish(topic, json.dumps(packet)).wait_for_publish()
client.disconnect()
client.loop_stop()
