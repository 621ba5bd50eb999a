"""aiomqtt, with the reconnection of its documentation: an endless loop around the client."""
import asyncio
import os
import threading

import aiomqtt

from account import CLIENT_ID, HOST, PASSWORD, PORT, TOPICS, USER, commands, say


async def main():
    loop = asyncio.get_running_loop()
    outgoing = asyncio.Queue()

    def read():
        for command in commands():
            loop.call_soon_threadsafe(outgoing.put_nowait, command)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()

    async def publish(client):
        while True:
            topic, payload = await outgoing.get()
            try:
                await client.publish(topic, payload, qos=1)
            except aiomqtt.MqttError as error:
                say("log", error)

    while True:
        try:
            async with aiomqtt.Client(
                HOST, PORT, username=USER, password=PASSWORD, identifier=CLIENT_ID, clean_session=False
            ) as client:
                for topic in TOPICS:
                    await client.subscribe(topic, qos=1)
                say("up")
                publishing = asyncio.create_task(publish(client))
                try:
                    async for message in client.messages:
                        say("in", message.topic, message.payload.decode())
                finally:
                    publishing.cancel()
        except aiomqtt.MqttError as error:
            say("down", error)
            await asyncio.sleep(1)


asyncio.run(main())
