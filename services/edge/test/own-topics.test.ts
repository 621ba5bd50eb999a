// A device whose login says that it has its own topics: the edge knows them, and asks nobody.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { deviceTopics } from "@parley/protocol";
import { eventually, startServers, type TestContext } from "@parley/testkit";
import { connectPacket, openRaw, openSession } from "./raw-client.ts";
import { connectDevice, newClientId, ok, startBoth } from "./surroundings.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });
const codeOf = (packet: Record<string, unknown>) => packet.reasonCode ?? packet.returnCode;

async function startOwn(t: TestContext, granted: object = {}) {
  const both = await startBoth(t, mosquitto);
  const isNative = (id: unknown) => id !== "alice:reader";
  both.hooks.answer((hook, { client_id: id }) =>
    hook.startsWith("auth_on_register") && isNative(id)
      ? { body: { result: "ok", own_topics: true, ...granted } }
      : undefined,
  );
  const questions = () =>
    both.hooks.asked.filter(({ hook, body }) => /^auth_on_[ps]/.test(hook) && isNative(body.client_id));
  return { ...both, questions };
}

for (const version of [4, 5] as const) {
  test(`what its login grants passes, all else is refused, and no hook is asked, MQTT ${version}`, async (t) => {
    const { edge, questions } = await startOwn(t);
    const reader = await connectDevice(t, edge, { clientId: "alice:reader" });
    await reader.subscribeAsync("im/up/#", { qos: 1 });
    const clientId = newClientId();
    const topics = deviceTopics("0", "alice", clientId);
    const client = await openSession(t, edge.tcp, version, clientId);
    const subscriptions = [...topics.subscribe, "im/dn/bob/m", "im/dn/alice/d/alice:other", "im/dn/alice/+"];
    client.send({
      cmd: "subscribe",
      messageId: 1,
      subscriptions: subscriptions.map((topic, index) => ({ topic, qos: (index % 3) as 0 | 1 | 2 })),
    });
    const no = version === 5 ? 135 : 128;
    assert.deepEqual((await client.next()).granted, [0, 1, 2, no, no, no]);
    const send = (topic: string, messageId: number) =>
      client.send({ cmd: "publish", topic, payload: topic, qos: 1, dup: false, retain: false, messageId });
    send(topics.publish.msg, 2);
    assert.equal((await client.next()).messageId, 2);
    send("im/up/0/bob/bob:phone/msg", 3);
    const answer = await client.next();
    assert.deepEqual([answer.messageId, codeOf(answer)], [3, version === 5 ? 0x87 : undefined]);
    await eventually(() => reader.received.length > 0);
    assert.deepEqual(reader.received, [topics.publish.msg]);
    assert.deepEqual(questions(), []);
  });

  test(`a Will on a topic that is not its own is refused, one on its own is not, and no hook is asked, MQTT ${version}`, async (t) => {
    const { edge, questions } = await startOwn(t);
    const codes = ["im/up/0/bob/bob:phone/msg", `im/up/0/alice/alice:will${version}/msg`].map(async (topic) => {
      const client = await openRaw(t, edge.tcp, version);
      client.send({
        ...connectPacket(version, `alice:will${version}`),
        will: { topic, payload: Buffer.from("x"), qos: 1, retain: false },
      });
      return codeOf(await client.next());
    });
    assert.deepEqual(await Promise.all(codes), [version === 5 ? 0x87 : 5, 0]);
    assert.deepEqual(questions(), []);
  });
}

test("its own topics are its own no longer when its login has ended", async (t) => {
  const { edge } = await startOwn(t, { expire_at: Math.floor(Date.now() / 1000) - 1 });
  const clientId = newClientId();
  const client = await openSession(t, edge.tcp, 4, clientId);
  client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "im/dn/alice/m", qos: 1 }] });
  assert.deepEqual((await client.next()).granted, [128]);
});

test("a login that says nothing of topics has hooks asked about each, as of an earlier auth-webhook", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  hooks.answer(() => ok);
  const device = await connectDevice(t, edge);
  await device.publishAsync("any/topic", "x", { qos: 1 });
  assert.equal(hooks.of("auth_on_publish_m5").length, 1);
});
