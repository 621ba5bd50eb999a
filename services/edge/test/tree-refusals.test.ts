// Publishes of devices with trees that the edge refuses: their routers are told, so that devices hear of it in their own protocol.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { readJsonHead } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { eventually, startServers } from "@parley/testkit";
import { publish } from "./packets.ts";
import { openSession } from "./raw-client.ts";
import { newClientId, startBoth } from "./surroundings.ts";
import { grantTrees, startTreeRouter } from "./trees.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });
const packet = (id: string, bytes: number) => JSON.stringify({ id, content: "x".repeat(bytes) });

for (const version of [4, 5] as const) {
  test(`of a publish that is refused its router is told the topic, how it begins and why, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_MAX_PACKET_BYTES: "5000" });
    grantTrees(hooks);
    const router = await startTreeRouter(t, mosquitto);
    const clientId = newClientId();
    const client = await openSession(t, edge.tcp, version, clientId);
    client.send(publish("$IM/user/bob", { payload: packet("m1", 400_000), qos: 1, messageId: 1 }));
    client.send(publish("$IM/user/bob", { payload: packet("m2", 400_000), qos: 0 }));
    client.send(publish("$IM/user/bob", { payload: packet("m3", 400_000), qos: 2, messageId: 2 }));
    client.send(publish("a\u0001", { payload: packet("m4", 10), qos: 1, messageId: 3 }));
    client.send(publish("/".repeat(300), { payload: packet("m5", 10), qos: 1, messageId: 4 }));
    client.send(publish("t", { payload: packet("m6", 10), qos: 1, messageId: 5 }));
    await eventually(() => router.of(clientId).length === 1 && router.refusedOf(clientId).length === 5);
    const told = router.refusedOf(clientId).map(({ topic, beginning, error }) => {
      const bytes = Buffer.from(beginning, "base64");
      assert.ok(bytes.length <= 1024);
      return [topic, readJsonHead(bytes).get("id"), error.code];
    });
    assert.deepEqual(told, [
      ["$IM/user/bob", "m1", "too_large"],
      ["$IM/user/bob", "m2", "too_large"],
      ["$IM/user/bob", "m3", "too_large"],
      ["a\u0001", "m4", "invalid_packet"],
      ["/".repeat(300), "m5", "invalid_packet"],
    ]);
    const answers = [];
    for (let count = 0; count < 5; count++) answers.push(await client.next());
    assert.deepEqual(answers.map(({ cmd, messageId }) => `${cmd} ${messageId}`).toSorted(), [
      "puback 1",
      "puback 3",
      "puback 4",
      "puback 5",
      "pubrec 2",
    ]);
  });

  test(`on a native topic the device itself is told, and a flood of refusals is told a few times, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_MAX_PACKET_BYTES: "5000" });
    grantTrees(hooks);
    const router = await startTreeRouter(t, mosquitto);
    const clientId = newClientId();
    const client = await openSession(t, edge.tcp, version, clientId);
    client.send(
      publish(`im/up/${ingestPartition(clientId)}/alice/${clientId}/msg`, {
        payload: packet("m1", 9_000),
        qos: 1,
        messageId: 1,
      }),
    );
    assert.equal((await client.next()).cmd, "puback");
    const nack = await client.next();
    assert.deepEqual([nack.cmd, JSON.parse(String(nack.payload)).code], ["publish", "too_large"]);
    for (let id = 2; id < 60; id++)
      client.send(publish("bob/o/m", { payload: packet(`m${id}`, 6_000), qos: 1, messageId: id }));
    for (let id = 2; id < 60; id++) assert.equal((await client.next()).messageId, id);
    client.send(publish("t", { qos: 1, messageId: 60 }));
    await eventually(() => router.of(clientId).length === 1);
    const count = router.refusedOf(clientId).length;
    assert.ok(count >= 10 && count <= 25, `${count} refusals were told`);
  });
}
