"""gmqtt, MQTT 5."""
import asyncio
import os
import threading

import gmqtt

from account import CLIENT_ID, HOST, PASSWORD, PORT, TOPICS, USER, commands, say


def on_message(client, topic, payload, qos, properties):
    say("in", topic, payload.decode())
    return 0


def on_connect(client, flags, code, properties):
    client.subscribe([gmqtt.Subscription(topic, qos=1) for topic in TOPICS])


async def main():
    loop = asyncio.get_running_loop()
    client = gmqtt.Client(CLIENT_ID, clean_session=False, session_expiry_interval=3600)
    client.set_auth_credentials(USER, PASSWORD)
    client.on_message = on_message
    client.on_connect = on_connect
    client.on_subscribe = lambda *_: say("up")
    client.on_disconnect = lambda *_, **__: say("down")

    def read():
        for topic, payload in commands():
            loop.call_soon_threadsafe(lambda t=topic, p=payload: client.publish(t, p, qos=1))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            await client.connect(HOST, PORT)
            break
        except Exception as error:
            say("log", error)
            await asyncio.sleep(1)
    await asyncio.Event().wait()


asyncio.run(main())
