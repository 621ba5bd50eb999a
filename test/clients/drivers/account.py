"""The line protocol of the drivers, for those in Python: see ../driver.ts."""
import os
import sys
import threading

HOST = os.environ["MQTT_HOST"]
PORT = int(os.environ["MQTT_PORT"])
USER = os.environ["MQTT_USER"]
PASSWORD = os.environ["MQTT_PASSWORD"]
CLIENT_ID = os.environ["MQTT_CLIENT_ID"]
TOPICS = os.environ["MQTT_SUBSCRIBE"].split(" ")
VERSION = os.environ["MQTT_VERSION"]

_lock = threading.Lock()


def say(*words):
    with _lock:
        print(*words, flush=True)


def commands():
    """(topic, payload) of each `pub` line, until the input ends."""
    for line in sys.stdin:
        command, topic, payload = line.rstrip("\n").split(" ", 2)
        if command == "pub":
            yield topic, payload
