"""Reads a chatroom, as its page describes the listener: HOST:PORT TOPIC USERNAME PASSWORD; a line ends it."""
import json
import sys

import paho.mqtt.client as mqtt

host, topic, user, password = sys.argv[1:5]
name = sys.argv[5] if len(sys.argv) > 5 else user


def say(text):
    print(text, flush=True)


def notice(client, text):
    return client.publish(topic, json.dumps({"type": "notice", "from": name, "notice": text}))


def connected(client, _userdata, _flags, code):
    if code != 0:
        say("Connection failed.")
        return
    client.subscribe(topic)


def subscribed(client, _userdata, _id, _granted):
    say("subscribed")
    if "#" not in topic and "+" not in topic:
        notice(client, f"User {name} is now subscribed to {topic} .")


def heard(_client, _userdata, message):
    packet = json.loads(message.payload.decode("utf-8"))
    if packet["type"] == "message":
        say(packet["from"] + ": " + packet["message"])
    elif packet["type"] == "notice":
        say("* " + packet["from"] + ": " + packet["notice"])


client = mqtt.Client()
client.username_pw_set(user, password)
client.will_set(topic if "#" not in topic and "+" not in topic else "chat", f"User {name} timed out.\n")
client.on_connect = connected
client.on_subscribe = subscribed
client.on_message = heard
address, port = host.split(":")
client.connect(address, int(port), 30)
client.loop_start()
sys.stdin.readline()
if "#" not in topic and "+" not in topic:
    notice(client, f"User {name} disconnecting from {topic} .").wait_for_publish()
client.disconnect()
client.loop_stop()
