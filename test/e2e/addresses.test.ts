// A device has its own address everywhere, also where its WebSocket is passed on by api.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestCluster } from "@parley/testkit";
import { connectAsync } from "mqtt";
import * as mosquitto from "./mosquitto.ts";
import { registerAll } from "./people.ts";

test("who guesses passwords through api's WebSocket passage shuts out his own address and no other", async (t) => {
  const cluster = await startTestCluster(t, { env: { AUTH_WEBHOOK_FAILURES: "2" } });
  await registerAll(cluster, "anna");
  const { clientId, mqtt } = await mosquitto.logIn(cluster, "anna", "phone");
  const url = `${cluster.run().http.replace("http", "ws")}/mqtt`;
  const connect = (localAddress: string, password: string) =>
    connectAsync(
      url,
      {
        clientId,
        username: mqtt.username,
        password,
        protocolVersion: 5,
        reconnectPeriod: 0,
        wsOptions: { localAddress },
      },
      false,
    );
  for (let guesses = 0; guesses < 2; guesses += 1)
    await assert.rejects(connect("127.0.0.2", "wrong wrong wrong"), { code: 0x86 });
  await assert.rejects(connect("127.0.0.2", "wrong wrong wrong"), { code: 0x97 });
  await assert.rejects(connect("127.0.0.3", "wrong wrong wrong"), { code: 0x86 });
});
