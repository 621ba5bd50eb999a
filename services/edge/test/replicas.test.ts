// Two edges in front of one broker: a device may come to either, and what one knows of it is not all there is to know.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually, startServers } from "@parley/testkit";
import { connectPacket, openRaw, openSession } from "./raw-client.ts";
import { type HookServer, newClientId, ok, startHookServer, startTestEdge } from "./surroundings.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });
const versions = [4, 5] as const;

async function startTwo(t: Parameters<typeof startHookServer>[0], env: Record<string, string> = {}) {
  const hooks = await startHookServer(t);
  const [one, other] = [await startTestEdge(t, mosquitto, hooks, env), await startTestEdge(t, mosquitto, hooks, env)];
  return { hooks, one, other };
}

const events = ({ asked }: HookServer, clientId: string) =>
  asked.filter(({ hook, body }) => hook.startsWith("on_") && body.client_id === clientId);

for (const version of versions) {
  test(`a device that goes to the other edge takes over, and its ends are told by its connections' names, MQTT ${version}`, async (t) => {
    const { hooks, one, other } = await startTwo(t);
    const clientId = newClientId();
    const first = await openSession(t, one.tcp, version, clientId);
    const { connection: ofFirst } = hooks.asked.find(({ body }) => body.client_id === clientId) ?? {};
    hooks.answer((hook, body, connection) => {
      if (hook !== "is_connected" || body.client_id !== clientId || connection !== ofFirst) return ok;
      return { body: { result: { error: "connected" } } };
    });
    const second = await openSession(t, other.tcp, version, clientId);
    const said = (await first.closed()) as { cmd: string; reasonCode?: number }[];
    assert.deepEqual(
      said.map(({ cmd, reasonCode }) => [cmd, reasonCode]),
      version === 5 ? [["disconnect", 0x8e]] : [],
      "it is told that it was taken over, not that it should try again",
    );
    second.send({ cmd: "pingreq" });
    assert.equal((await second.next()).cmd, "pingresp");
    second.socket.destroy();
    await eventually(() => events(hooks, clientId).length === 4);
    const begins = hooks.asked.filter(({ hook, body }) => hook.startsWith("auth_") && body.client_id === clientId);
    const names = begins.map(({ connection }) => connection);
    assert.equal(new Set(names).size, 2);
    const ends = events(hooks, clientId).filter(({ hook }) => hook === "on_client_gone");
    assert.deepEqual(
      ends.map(({ connection }) => connection),
      names,
    );
  });

  test(`an edge ends no session whose device came back through the other, MQTT ${version}`, async (t) => {
    const { hooks, one, other } = await startTwo(t, { EDGE_SESSION_EXPIRY_SECONDS: "1" });
    const clientId = newClientId();
    hooks.answer((hook, { client_id }) =>
      hook === "is_connected" && client_id === clientId ? { body: { result: { error: "connected" } } } : ok,
    );
    const keeping = version === 4 ? { clean: false } : { clean: false, properties: { sessionExpiryInterval: 60 } };
    (await openSession(t, one.tcp, version, clientId, keeping)).socket.destroy();
    await eventually(() => events(hooks, clientId).at(-1)?.hook === "on_client_offline");
    const name = events(hooks, clientId).at(-1)?.connection;
    const back = await openSession(t, other.tcp, version, clientId, keeping);
    const isPast =
      version === 4
        ? () => hooks.of("is_connected").length > 0
        : () => events(hooks, clientId).at(-1)?.hook === "on_session_expired";
    await eventually(isPast);
    if (version === 5) assert.equal(events(hooks, clientId).at(-1)?.connection, name, "an older connection's session");
    back.send({ cmd: "pingreq" });
    assert.equal((await back.next()).cmd, "pingresp");
  });
}

test("while nobody knows whether a device is connected its session is kept", async (t) => {
  const { hooks, one } = await startTwo(t, { EDGE_SESSION_EXPIRY_SECONDS: "1" });
  const clientId = newClientId();
  hooks.answer((hook) => (hook === "is_connected" ? { body: { result: { error: "server_unavailable" } } } : ok));
  (await openSession(t, one.tcp, 4, clientId, { clean: false })).socket.destroy();
  await eventually(() => hooks.of("is_connected").length > 0);
  const back = await openRaw(t, one.tcp, 4);
  back.send(connectPacket(4, clientId, { clean: false }));
  assert.equal((await back.next()).sessionPresent, true);
});
