// What hooks and presence hear of devices with trees, and sessions that end with their connections.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually, startServers } from "@parley/testkit";
import { connectPacket, openRaw } from "./raw-client.ts";
import { connectDevice, newClientId, startBoth } from "./surroundings.ts";
import { grantTrees, mountpointOf, toldOf } from "./trees.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });

for (const version of [4, 5] as const) {
  const kept = version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {};

  test(`of a device of which nothing is remembered no session stays, whatever it asks for, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    grantTrees(hooks, { ephemeral: true });
    const clientId = newClientId();
    for (let turn = 1; turn <= 2; turn++) {
      const client = await openRaw(t, edge.tcp, version);
      client.send(connectPacket(version, clientId, { ...kept, clean: false }));
      const connack = await client.next();
      assert.equal(connack.sessionPresent, false);
      if (version === 5)
        assert.equal((connack.properties as { sessionExpiryInterval?: number }).sessionExpiryInterval, 0);
      client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "a", qos: 1 }] });
      await client.next();
      client.socket.destroy();
      await toldOf(hooks, "on_client_gone", clientId, turn);
    }
    assert.deepEqual(hooks.of("on_client_offline"), []);
  });

  test(`hooks hear whose tree it is, whether its client id was made up, and whether the broker had its session, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    grantTrees(hooks);
    const clientId = newClientId();
    for (const isResumed of [false, true]) {
      const client = await openRaw(t, edge.tcp, version);
      client.send(connectPacket(version, clientId, { ...kept, clean: false }));
      assert.equal((await client.next()).sessionPresent, isResumed);
      const count = isResumed ? 2 : 1;
      const woken = (await toldOf(hooks, "on_client_wakeup", clientId, count)).at(-1);
      assert.deepEqual([woken?.mountpoint, woken?.session_present], [mountpointOf(clientId), isResumed]);
      client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "a", qos: 1 }] });
      await client.next();
      const subscribed = (await toldOf(hooks, "on_subscribe", clientId, count)).at(-1);
      assert.equal(subscribed?.mountpoint, mountpointOf(clientId));
      const asked = await fetch(`${edge.admin}/clients`, {
        headers: { authorization: `Bearer ${mosquitto.password}` },
      });
      const { clients } = (await asked.json()) as { clients: Record<string, unknown>[] };
      assert.deepEqual(
        clients.map((row) => [row.username, row.mountpoint]),
        [["alice", mountpointOf(clientId)]],
      );
      client.socket.destroy();
      const left = (await toldOf(hooks, "on_client_offline", clientId, count)).at(-1);
      assert.equal(left?.mountpoint, mountpointOf(clientId));
    }
    const register = version === 5 ? "auth_on_register_m5" : "auth_on_register";
    assert.deepEqual(
      hooks.of(register).map(({ assigned }) => assigned),
      [undefined, undefined],
    );
    const nameless = await connectDevice(t, edge, { protocolVersion: version, clientId: "", clean: true });
    await eventually(() => hooks.of(register).length === 3);
    assert.equal(hooks.of(register).at(-1)?.assigned, true);
    await nameless.endAsync();
  });
}
