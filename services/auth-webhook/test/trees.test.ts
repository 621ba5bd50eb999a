// Devices of other protocols: who they are, and the trees that they get.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type ConnectRequest, parseTreeTopic, type SessionEvent, subjects, treeMountpoint } from "@parley/protocol";
import type { Dialect } from "@parley/protocol/dialects";
import { ingestPartition } from "@parley/protocol/partition";
import { answerJson } from "@parley/runtime";
import { startWebhook } from "./start.ts";

const speaks = { echoes: false, showsAtFirst: 0, owns: () => false, open: () => ({}) as ReturnType<Dialect["open"]> };
const phones: Dialect = {
  ...speaks,
  name: "phones",
  ownsClientId: (clientId) => /^(reg|dev)_/.test(clientId),
  welcomes: { anonymous: true, expiredTokens: true },
  subscribesAll: true,
};
const rooms: Dialect = { ...speaks, name: "rooms", welcomes: { guests: true }, subscribesAll: false };

interface Answer {
  result: string | { error: string };
  modifiers?: { mountpoint: string; username: string };
  expire_at?: number;
  subscribe_all?: true;
  ephemeral?: true;
  filters?: string[];
}

const env = { GUESTS: "chat:secret:chat/,alice:guest:,Nobody:x:", AUTH_WEBHOOK_STRANGER_CONNECTS: "3" };
const webhook = await startWebhook({ after }, env, {}, undefined, [phones, rooms]);
webhook.peers.password = ({ username, password }) =>
  ["alice", "phone.4930"].includes(username) && password === "right password";

/** What the edge hears of a connect, and what presence was asked for it. */
async function connect(more: Record<string, unknown>): Promise<{ answer: Answer; asked: ConnectRequest | undefined }> {
  const { asked } = webhook.peers;
  asked.presence.length = 0;
  const body = { peer_addr: `198.51.100.${++peer}`, peer_port: 1, mountpoint: "", username: null, password: null };
  const reply = await webhook.edge("auth_on_register", { ...body, clean_session: true, ...more });
  return { answer: reply.body as Answer, asked: asked.presence.at(-1) };
}
let peer = 0;

const whyNot = () => webhook.lines.findLast(({ event }) => event === "refused")?.reason;
const isError = ({ answer }: { answer: Answer }) => typeof answer.result === "object";
const now = () => Math.floor(Date.now() / 1000);

/** The tree of this owner, and the topics of nobody else. */
function assertTree(
  { answer }: { answer: Answer },
  owner: "user" | "guest" | "anonymous",
  uid: string,
  clientId: string,
) {
  assert.equal(answer.result, "ok", String(whyNot()));
  const { mountpoint = "", username } = answer.modifiers ?? {};
  assert.equal(mountpoint, treeMountpoint({ p: ingestPartition(clientId), owner, uid, clientId }));
  assert.deepEqual(parseTreeTopic(`${mountpoint}$IM/x`)?.topic, "$IM/x");
  assert.equal(username, owner === "user" ? uid : `~${uid}`);
}

test("a token says whose device it is, whatever its user name, and what it speaks", async () => {
  const clientId = "alice/android";
  const token = await webhook.token({ clientId, dialect: "rooms" });
  for (const username of [null, "api", "bob", "domain.example", "a page/with signs"]) {
    const got = await connect({ client_id: clientId, username, password: token });
    assertTree(got, "user", "alice", clientId);
    const expected = { owner: "user", dialect: "rooms", persistent: false, clean: true };
    assert.deepEqual(got.asked?.tree, { ...expected, ...(username === null ? {} : { username }) });
    assert.ok(got.answer.expire_at !== undefined && !got.answer.subscribe_all && !got.answer.ephemeral);
  }
  const native = await connect({ client_id: "alice:phone", username: "alice", password: await webhook.token() });
  assert.deepEqual([native.answer.modifiers, native.asked?.tree], [undefined, undefined]);
  assert.ok(isError(await connect({ client_id: "alice:phone", username: "bob", password: await webhook.token() })));
  assert.equal(whyNot(), "client_id");
  const spoken = await webhook.token({ dialect: "phones" });
  const tree = await connect({ client_id: "alice:phone", username: "alice", password: spoken });
  assertTree(tree, "user", "alice", "alice:phone");
  assert.equal(tree.answer.subscribe_all, true);
});

test("a token opens the tree of its client id and its user alone, and of no dialect that nobody knows", async () => {
  const token = await webhook.token({ clientId: "bob:phone" });
  assert.ok(isError(await connect({ client_id: "bob:phone", username: "bob", password: token })), "bob's own");
  assert.equal(whyNot(), "client_id");
  assert.ok(isError(await connect({ client_id: "other", username: "api", password: token })));
  assert.equal(whyNot(), "other_client_id");
  const unknown = await webhook.token({ clientId: "x", dialect: "made-up" });
  assert.ok(isError(await connect({ client_id: "x", password: unknown })));
  const nobody = await webhook.token({ sub: "~", clientId: "x" });
  assert.ok(isError(await connect({ client_id: "x", password: nobody })));
  assert.equal(whyNot(), "invalid_token");
  for (const client_id of ["", "a\nb", "x".repeat(129), "ä".repeat(129)]) {
    assert.ok(isError(await connect({ client_id, username: "alice", password: "right password" })));
    assert.equal(whyNot(), "client_id");
  }
  for (const client_id of ["router-p3", "sys_x"])
    assert.ok(isError(await connect({ client_id, username: "alice", password: "right password" })));
});

test("a password opens a tree for the account or its alias, also where the client id alone names the user", async () => {
  const password = "right password";
  const kept = await connect({ client_id: "mqttjs_1", username: "alice", password, clean_session: false });
  assertTree(kept, "user", "alice", "mqttjs_1");
  assert.deepEqual(kept.asked?.tree, { owner: "user", username: "alice", persistent: true, clean: false });
  assertTree(await connect({ client_id: "app 7", username: "phone.4930", password }), "user", "alice", "app 7");
  for (const [client_id, username] of [
    ["alice", null],
    ["alice", "no/uid"],
    ["alice", "anything"],
    ["alice/", null],
    ["alice:", "anything"],
    ["alice#", "alice"],
  ] as const)
    assertTree(await connect({ client_id, username, password }), "user", "alice", client_id);
  assert.ok(isError(await connect({ client_id: "alice:phone", username: null, password })));
  assert.ok(isError(await connect({ client_id: "alice", username: null, password: "wrong" })));
  assertTree(await connect({ client_id: "alice", username: "alice", password }), "user", "alice", "alice");
  for (const [client_id, shown] of [
    ["alice:phone", password],
    ["alice", await webhook.token({ clientId: "alice" })],
  ])
    assert.equal((await connect({ client_id, username: "alice", password: shown })).answer.modifiers, undefined);
  const assigned = await connect({ client_id: "guest:0a0b", username: "phone.4930", password, assigned: true });
  assertTree(assigned, "user", "alice", "guest:0a0b");
  assert.deepEqual([assigned.answer.ephemeral, assigned.asked?.tree?.assigned], [true, true]);
});

test("a guest of the configuration gets a tree of its own, whose session ends with it; a user of that name is no guest", async () => {
  const guest = { client_id: "chat:0a0b", username: "chat", password: "secret", clean_session: false };
  const got = await connect({ ...guest, assigned: true });
  assertTree(got, "guest", "chat", "chat:0a0b");
  assert.equal(got.answer.ephemeral, true);
  const { tree, uid } = got.asked ?? {};
  const expected = {
    owner: "guest",
    dialect: "rooms",
    username: "chat",
    prefix: "chat/",
    persistent: false,
    clean: true,
  };
  assert.deepEqual([uid, tree], ["chat", { ...expected, assigned: true }]);
  assert.ok(isError(await connect({ ...guest, password: "wrong" })));
  assert.ok(isError(await connect({ ...guest, username: "alice", password: "guest" })), "alice is a user");
  webhook.peers.users?.add("chat");
  assert.ok(isError(await connect(guest)), "so is chat now");
  webhook.peers.users?.delete("chat");
  const { users } = webhook.peers;
  webhook.peers.users = undefined;
  assert.deepEqual((await connect(guest)).answer.result, { error: "server_unavailable" });
  webhook.peers.users = users;
  const often = { ...guest, peer_addr: "203.0.113.1" };
  for (let n = 0; n < 3; n++) assert.ok(!isError(await connect(often)));
  assert.deepEqual((await connect(often)).answer.result, { error: "connection_rate_exceeded" });
});

test("without a password only a client id of a dialect that lets anybody make an account is let in, as nobody, at a rate", async () => {
  const strange = { client_id: "reg_1", username: "api", password: "", peer_addr: "203.0.113.2" };
  const got = await connect(strange);
  assertTree(got, "anonymous", "", "reg_1");
  assert.deepEqual([got.answer.subscribe_all, got.answer.ephemeral], [true, true]);
  assert.deepEqual([got.asked?.uid, got.asked?.credential, got.asked?.tree?.owner], ["", "none", "anonymous"]);
  assert.ok(isError(await connect({ ...strange, client_id: "mqttjs_1" })));
  assert.ok(isError(await connect({ ...strange, client_id: "alice" })));
  for (let n = 0; n < 2; n++) assert.ok(!isError(await connect(strange)));
  assert.deepEqual((await connect(strange)).answer.result, { error: "connection_rate_exceeded" });
});

test("a token that has run out lately lets a device of such a dialect in while its login is good, and no other", async () => {
  const { peers } = webhook;
  const made = (more: Record<string, unknown> = {}) =>
    webhook.token({ clientId: "dev_1", family: "f1", iat: now() - 90_000, exp: now() - 3_600, ...more });
  const device = { client_id: "dev_1", username: "api" };
  assert.ok(isError(await connect({ ...device, password: await made() })), "logged out");
  assert.equal(whyNot(), "revoked");
  peers.logins = [{ clientId: "dev_1", at: 1, families: ["f0", "f1"] }];
  const got = await connect({ ...device, password: await made() });
  assertTree(got, "user", "alice", "dev_1");
  assert.equal(got.asked?.tree?.expired, true);
  assert.ok((got.answer.expire_at ?? 0) > now() + 80_000);
  const again = await made();
  for (let n = 0; n < 2; n++) assert.ok(!isError(await connect({ ...device, password: again })), "a remembered token");
  peers.presence = () => ({ ok: false, reason: "unknown_device" });
  assert.ok(isError(await connect({ ...device, password: await made() })));
  peers.presence = () => ({ ok: true });
  const others = [{ family: "f2" }, { family: undefined }, { exp: now() - 31 * 86_400 }, { sub: "bob" }];
  for (const more of others.slice(0, 3)) assert.ok(isError(await connect({ ...device, password: await made(more) })));
  const native = { client_id: "alice:phone", username: "alice", password: await made({ clientId: "alice:phone" }) };
  assert.ok(isError(await connect(native)));
  assert.equal(whyNot(), "expired");
});

test("without presence's answer nobody gets a tree; what it remembers of a device says whether all is subscribed for it", async () => {
  const device = { client_id: "app", username: "alice", password: await webhook.token({ clientId: "app" }) };
  webhook.peers.presence = () => ({ ok: true, dialect: "phones", filters: ["a/#"] });
  const { answer } = await connect(device);
  assert.deepEqual([answer.subscribe_all, answer.filters], [true, ["a/#"]]);
  webhook.peers.presence = () => ({ ok: false, reason: "owned_by_another" });
  assert.deepEqual((await connect(device)).answer.result, { error: "client_identifier_not_valid" });
  webhook.peers.presence = undefined;
  assert.deepEqual((await connect(device)).answer.result, { error: "server_unavailable" });
  const bare = { client_id: "alice", username: "alice", password: await webhook.token({ clientId: "alice" }) };
  assert.deepEqual((await connect(bare)).answer.result, { error: "server_unavailable" }, "it may be another's");
  webhook.peers.presence = () => ({ ok: true });
});

test("VerneMQ itself has no trees: such a device is refused there, with one line that says why", async () => {
  const body = {
    peer_addr: "192.0.2.1",
    peer_port: 1,
    client_id: "app",
    username: "alice",
    password: "right password",
  };
  const { body: answer } = await webhook.vernemq("auth_on_register", { ...body, clean_session: true });
  assert.deepEqual(answer, { result: { error: "not_allowed" } });
  assert.equal(whyNot(), "needs_tree");
});

test("where EMQX puts no mountpoint before a device's topics, presence hears that it is outside of its tree", async () => {
  const told: SessionEvent[] = [];
  const presence = answerJson<SessionEvent>(webhook.nats, subjects.sessionEvent, "presence", (event) => {
    told.push(event);
    return {};
  });
  await webhook.nats.flush();
  const mp = treeMountpoint({ p: "5", owner: "user", uid: "alice", clientId: "app" });
  const event = { event: "client.connected", clientid: "app", connected_at: 7, expiry_interval: 60 };
  for (const mountpoint of [mp, "undefined", ""])
    await webhook.emqx("events", { ...event, mountpoint, client_attrs: { p: "5", uid: "alice", mp } });
  await presence.close();
  const about = { clientId: "app", at: 7, user: "alice" };
  const outside = { event: "misplaced", ...about, persistent: true };
  assert.deepEqual(told, [{ event: "connected", ...about, persistent: true }, outside, outside]);
});

test("in its tree a device publishes and subscribes all, and nothing in another's", async () => {
  const mountpoint = treeMountpoint({ p: "5", owner: "user", uid: "alice", clientId: "alice/android" });
  const own = { username: "alice", client_id: "alice/android", mountpoint };
  const publish = async (who: object) => {
    const asked = { ...who, topic: "$IM/user/bob", qos: 1, payload: "", retain: true };
    return (await webhook.edge("auth_on_publish", asked)).body;
  };
  const subscribe = async (who: object) => {
    const asked = { ...who, topics: [{ topic: "#", qos: 1 }] };
    return (await webhook.edge("auth_on_subscribe", asked)).body;
  };
  assert.deepEqual(await publish(own), { result: "ok", modifiers: { retain: false } });
  assert.deepEqual(await subscribe(own), { result: "ok" });
  for (const other of [
    { username: "bob" },
    { username: "~alice" },
    { client_id: "alice/other" },
    { mountpoint: "im/x/5/bob/alice%2Fandroid/" },
    { mountpoint: "im/dn/alice/" },
    { mountpoint: "im/x/5/alice/alice%2Fandroid" },
    { mountpoint: "" },
  ])
    for (const ask of [publish, subscribe])
      assert.deepEqual(await ask({ ...own, ...other }), { result: { error: "not_allowed" } }, JSON.stringify(other));
});

test("what a device in a tree subscribes is confirmed when presence has it, and until then told again", async () => {
  const { peers } = webhook;
  const mountpoint = "im/x/5/alice/app/";
  const body = { username: "alice", client_id: "app", mountpoint, connection_id: "c1" };
  const topics = [
    { topic: "$IM/#", qos: 1 },
    { topic: "refused", qos: 128 },
  ];
  for (const hook of ["on_subscribe", "on_subscribe_m5"])
    assert.deepEqual((await webhook.vernemq(hook, { ...body, topics })).body, { result: "ok" });
  for (const hook of ["on_unsubscribe", "on_unsubscribe_m5"])
    assert.equal((await webhook.vernemq(hook, { ...body, topics: ["$IM/#"] })).status, 200);
  const change = { clientId: "app", connection: "c1" };
  const [added, removed] = [
    { ...change, added: ["$IM/#"], removed: [] },
    { ...change, added: [], removed: ["$IM/#"] },
  ];
  assert.deepEqual(peers.asked.filters, [added, added, removed, removed]);
  const rule = { event: "session.subscribed", clientid: "app", topic: `${mountpoint}a/b` };
  const client_attrs = { p: "5", uid: "alice", mp: mountpoint };
  await webhook.emqx("events", { ...rule, client_attrs });
  await webhook.emqx("events", { ...rule, event: "session.unsubscribed", client_attrs });
  assert.deepEqual(peers.asked.filters.slice(4), [
    { clientId: "app", added: ["a/b"], removed: [] },
    { clientId: "app", added: [], removed: ["a/b"] },
  ]);
  for (const attributes of [{ p: "5", uid: "bob", mp: mountpoint }, { uid: "alice", mp: "" }, {}])
    assert.equal((await webhook.emqx("events", { ...rule, client_attrs: attributes })).status, 200);
  assert.equal(peers.asked.filters.length, 6, "of whom nothing is proven nothing is kept");
  const woken = { ...body, topics: undefined, session_present: true };
  assert.equal((await webhook.vernemq("on_client_wakeup", woken)).status, 503, "presence does not answer");
  peers.keepsFilters = false;
  assert.equal((await webhook.vernemq("on_subscribe", { ...body, topics })).status, 503);
  assert.equal((await webhook.emqx("events", { ...rule, client_attrs })).status, 503);
  peers.keepsFilters = true;
});
