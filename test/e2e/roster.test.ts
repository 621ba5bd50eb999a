// Rosters and blocks as people meet them: a stock MQTT client, the SDK, and parley on the command line.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  type AppError,
  type Contact,
  callHttp,
  type ParamsOf,
  type PresenceNotice,
  type ResultOf,
} from "@parley/client";
import {
  devicesList,
  devicesRemove,
  devicesRemoveOthers,
  devicesUpdate,
  login,
  type Method,
  presenceGet,
  presenceList,
  profileUpdate,
  refresh,
  rosterAdd,
  rosterBlock,
  rosterConfirm,
  rosterList,
  rosterRequest,
  rosterUnblock,
  sync,
  usersGet,
  usersSearch,
} from "@parley/protocol";
import { eventually, programOf, startTestCluster } from "@parley/testkit";
import { connectAs, password, registerAll } from "./people.ts";
import { openStock } from "./stock.ts";

const cluster = await startTestCluster({ after });
await registerAll(cluster, "alice", "bob", "carol");
const program = programOf("packages/cli/src/main.ts");
const home = await mkdtemp(join(tmpdir(), "parley-roster-"));
after(() => rm(home, { recursive: true, force: true }));

function parley(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, HOME: home, PARLEY_URL: cluster.run().http, PARLEY_PASSWORD: password };
  const child = spawn(process.execPath, [program, ...args], { env, cwd: home });
  child.stdin.end();
  const out: string[] = [];
  const err: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => void out.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void err.push(text));
  return new Promise((resolve) =>
    child.once("close", (code) => resolve({ code, out: out.join(""), err: err.join("") })),
  );
}

test("all devices of both hear of a request and its answer, and each has its own view of it", async (t) => {
  const heard: Record<string, Contact[]> = { phone: [], web: [], bob: [] };
  const listen = (of: string) => ({ roster: (contact: Contact) => void heard[of]?.push(contact) });
  const { client: phone } = await connectAs(t, cluster, "alice", { device: "phone", listeners: listen("phone") });
  await connectAs(t, cluster, "alice", { device: "web", listeners: listen("web") });
  const { client: bob } = await connectAs(t, cluster, "bob", { listeners: listen("bob") });
  await phone.request(profileUpdate, { name: "Alice A" });
  const asked = await phone.request(rosterRequest, { id: "bob" });
  assert.equal(asked.relation, "requested");
  await eventually(() => heard.web?.some(({ id, relation }) => id === "bob" && relation === "requested"));
  await eventually(() =>
    heard.bob?.some(({ id, name, relation }) => id === "alice" && name === "Alice A" && relation === "pending"),
  );
  assert.equal((await bob.request(rosterConfirm, { id: "alice" })).relation, "contact");
  for (const device of ["phone", "web"])
    await eventually(() => heard[device]?.some(({ id, relation }) => id === "bob" && relation === "contact"));
  const { contacts } = await phone.request(rosterList, {});
  assert.deepEqual(
    contacts.map(({ id, relation }) => [id, relation]),
    [["bob", "contact"]],
  );
  assert.equal((await bob.request(usersGet, { uid: "alice" })).name, "Alice A");
  assert.deepEqual(
    (await bob.request(usersSearch, { query: "ALICE" })).users.map(({ uid }) => uid),
    ["alice"],
  );
});

test("what a blocked user sends by MQTT is nacked `blocked`, is nowhere, and the one who blocks sees nothing of it", async (t) => {
  const typing: string[] = [];
  const bob = await connectAs(t, cluster, "bob", { listeners: { typing: ({ uid }) => void typing.push(uid) } });
  const carol = await openStock(
    t,
    await callHttp(cluster.run().http, login, { username: "carol", password, device: "phone" }),
  );
  await carol.send({ id: "c1", to: "user/bob", content: { type: "text", data: "before" } });
  await eventually(() => bob.texts().includes("before"));
  await bob.client.request(rosterBlock, { id: "carol" });
  for (const id of ["c2", "c3"]) {
    const nack = await carol.ask(
      carol.session.topics.publish.msg,
      JSON.stringify({ id, to: "user/bob", content: { type: "text", data: id } }),
    );
    assert.deepEqual([nack.type, nack.id, nack.code], ["nack", id, "blocked"]);
  }
  const alice = await connectAs(t, cluster, "alice", { from: "now" });
  const sdk = await connectAs(t, cluster, "carol", { from: "now" });
  sdk.client.typing("p2p/bob/carol");
  await assert.rejects(sdk.client.send("user/bob", "behind it"), (error: AppError) => error.code === "blocked");
  alice.client.typing("p2p/alice/bob");
  await eventually(() => typing.length > 0);
  assert.deepEqual(typing, ["alice"]);
  await assert.rejects(sdk.client.send("user/bob", "by the SDK"), (error: AppError) => error.code === "blocked");
  assert.equal(sdk.client.unsent, 0);
  const { conv, seq } = await bob.client.send("user/carol", "mine");
  const { http } = cluster.run();
  const { token } = await callHttp(http, login, { username: "bob", password, device: "web" });
  const carols = await callHttp(http, login, { username: "carol", password, device: "web" });
  const of = (answer: { conversations: ResultOf<typeof sync>["conversations"] }) =>
    answer.conversations.find((one) => one.conv === conv);
  carol.client.publish(carol.session.topics.publish.receipt, JSON.stringify({ conv, read: seq }), { qos: 1 });
  await eventually(async () => of(await callHttp(http, sync, { all: true }, { token: carols.token }))?.readSeq === seq);
  const shown = async () => [
    of(await callHttp(http, sync, { all: true }, { token }))?.receipts,
    of(await bob.client.request(sync, { all: true }))?.receipts,
  ];
  assert.deepEqual(await shown(), [[], []]);
  await bob.client.request(rosterUnblock, { id: "carol" });
  const [byHttp, bySdk] = await shown();
  assert.deepEqual(byHttp, [{ uid: "carol", delivered: seq, read: seq }]);
  assert.deepEqual(bySdk, byHttp);
  assert.equal((await sdk.client.send("user/bob", "after")).seq, 3);
  await eventually(() => bob.texts().includes("after"));
  assert.deepEqual(bob.texts(), ["before", "mine", "after"]);
});

test("contacts see each other come, change and go over MQTT, HTTP and the SDK, and nothing over a block", async (t) => {
  const heard: PresenceNotice[] = [];
  const alice = await connectAs(t, cluster, "alice", {
    from: "now",
    listeners: { presence: (one) => void heard.push(one) },
  });
  await alice.client.request(rosterAdd, { id: "bob" });
  const session = await callHttp(cluster.run().http, login, { username: "bob", password, device: "phone" });
  const call = <M extends Method>(method: M, params: ParamsOf<M>) =>
    callHttp(cluster.run().http, method, params, { token: session.token });
  await call(rosterAdd, { id: "alice" });
  const last = () => heard.filter(({ uid }) => uid === "bob").at(-1);
  const bob = await openStock(t, session, { clean: true });
  await eventually(() => last()?.show === "online");
  await bob.client.publishAsync(session.topics.publish.state, '{"show":"dnd","status":"writing"}', { qos: 1 });
  await eventually(() => last()?.show === "dnd" && last()?.status === "writing");
  const seen = { uid: "bob", show: "dnd", status: "writing", lastSeen: null };
  assert.deepEqual(await alice.client.request(presenceList, {}), { contacts: [seen], next: null });
  const { out } = await parley("roster", "online", "--user", "alice");
  assert.equal(out, "bob  dnd  writing\n");
  assert.deepEqual(
    (await call(presenceList, {})).contacts.map(({ uid }) => uid),
    ["alice"],
  );
  await call(rosterBlock, { id: "alice" });
  await eventually(() => last()?.show === "offline");
  assert.equal(last()?.lastSeen, null);
  assert.deepEqual((await alice.client.request(presenceGet, { uid: "bob" })).show, "offline");
  assert.deepEqual((await call(presenceList, {})).contacts, []);
  await call(rosterUnblock, { id: "alice" });
  await eventually(() => last()?.show === "dnd");
  await bob.client.endAsync(true);
  await eventually(() => last()?.show === "offline");
  const { lastSeen } = await alice.client.request(presenceGet, { uid: "bob" });
  assert.ok(lastSeen !== null && lastSeen === last()?.lastSeen);
  assert.match((await parley("roster", "seen", "bob", "--user", "alice")).out, /^bob {2}offline {2}last seen 20/);
  assert.equal((await parley("profile", "--last-seen", "nobody", "--user", "bob")).code, 0);
  assert.equal((await alice.client.request(presenceGet, { uid: "bob" })).lastSeen, null);
});

test("parley shows and changes profile and roster, and says why not in a line", async () => {
  const as = ["--user", "carol"];
  const changed = await parley("profile", "--name", "Carol C", "--direct-messages", "contacts", ...as);
  assert.deepEqual([changed.code, changed.err], [0, ""]);
  assert.match(changed.out, /name: Carol C\n(.+\n)+invitations: add\n/);
  assert.match((await parley("profile", "carol", "--user", "alice")).out, /name: Carol C/);
  assert.match((await parley("find", "carol c", "--user", "alice")).out, /^carol {2}Carol C\n$/);
  const vcard = await parley("profile", "--vcard", "-", ...as);
  assert.equal(vcard.code, 2, "no object was given");
  const refused = await parley("send", "carol", "hi", "--user", "alice");
  assert.equal(refused.code, 1);
  assert.match(refused.err, /does not take messages/);
  assert.match((await parley("roster", "add", "alice", "--nick", "Al", "--tag", "tea", ...as)).out, /^alice {2}Al\n$/);
  assert.equal((await parley("send", "carol", "hi", "--user", "alice")).code, 0);
  assert.match((await parley("roster", "block", "alice", ...as)).out, /blocked/);
  assert.match((await parley("roster", "list", ...as)).out, /alice {2}Al {2}blocked/);
  const [line = ""] = (await parley("roster", "list", "--json", ...as)).out.split("\n");
  assert.deepEqual(JSON.parse(line).tags, ["tea"]);
  assert.equal((await parley("send", "carol", "hi again", "--user", "alice")).code, 1);
  const missing = await parley("roster", "add", "nobody", ...as);
  assert.deepEqual([missing.code, missing.err.trim().split("\n").length], [1, 1]);
  assert.equal((await parley("profile", "bob", "--name", "x", ...as)).code, 2);
  assert.equal((await parley("profile", "--visibility", "nobody", ...as)).code, 2);
});

test("a block that is made while messages are under way lets none through once it is answered", async (t) => {
  const alice = await connectAs(t, cluster, "alice", { from: "now" });
  const bob = await connectAs(t, cluster, "bob", { from: "now" });
  await alice.client.request(rosterAdd, { id: "bob" });
  const sent = Array.from({ length: 300 }, (_, n) =>
    bob.client.send("user/alice", `n${n}`).then(
      ({ seq }) => seq,
      () => 0,
    ),
  );
  await eventually(() => alice.texts().includes("n20"));
  await alice.client.request(rosterBlock, { id: "bob" });
  const marker = (await alice.client.send("user/bob", "blocked now")).seq;
  const seqs = (await Promise.all(sent)).filter((seq) => seq > 0);
  assert.ok(seqs.length >= 20);
  assert.deepEqual(
    seqs.filter((seq) => seq > marker),
    [],
  );
});

test("an inactive device gets neither typing nor presence, all else, and how its contacts are when it is active again", async (t) => {
  const heard: string[] = [];
  const listeners = {
    typing: ({ uid }: { uid: string }) => void heard.push(`${uid} typing`),
    presence: ({ uid, show }: PresenceNotice) => void heard.push(`${uid} ${show}`),
  };
  await registerAll(cluster, "dora", "emil");
  const emil = await connectAs(t, cluster, "emil", { from: "now" });
  const dora = await connectAs(t, cluster, "dora", { from: "now", listeners });
  await dora.client.request(rosterAdd, { id: "emil" });
  await emil.client.request(rosterAdd, { id: "dora" });
  await emil.client.send("user/dora", "hello");
  emil.client.typing("p2p/dora/emil");
  await eventually(() => heard.includes("emil typing") && heard.includes("emil online"));
  dora.client.setDeviceState({ active: false });
  const isAway = async () => (await emil.client.request(presenceGet, { uid: "dora" })).show === "away";
  await eventually(isAway);
  heard.length = 0;
  emil.client.typing("p2p/dora/emil");
  emil.client.setDeviceState({ show: "dnd" });
  await eventually(async () => (await dora.client.request(presenceGet, { uid: "emil" })).show === "dnd");
  await emil.client.send("user/dora", "still there?");
  await eventually(() => dora.texts().includes("still there?"));
  // A connection anew is as inactive as the one before.
  dora.client.renew();
  await eventually(() => dora.client.state === "online");
  await eventually(isAway);
  heard.length = 0;
  emil.client.typing("p2p/dora/emil");
  await emil.client.send("user/dora", "and now?");
  await eventually(() => dora.texts().includes("and now?"));
  assert.deepEqual(
    heard.filter((one) => one === "emil typing"),
    [],
  );
  dora.client.setDeviceState({ active: true });
  await eventually(() => heard.includes("emil dnd"));
  emil.client.typing("p2p/dora/emil");
  await eventually(() => heard.includes("emil typing"));
});

test("a user sees its devices, names them, and ends all others: by the answer their tokens and connections are no good", async (t) => {
  await registerAll(cluster, "frieda", "gustav");
  const { http } = cluster.run();
  const logIn = (device: string) => callHttp(http, login, { username: "frieda", password, device });
  const { client } = await connectAs(t, cluster, "frieda", { device: "tablet" });
  const phone = await openStock(t, await logIn("phone"), { reconnectPeriod: 0 });
  const closed = new Promise<void>((resolve) => phone.client.once("close", () => resolve()));
  assert.equal((await parley("devices", "list", "--user", "frieda")).code, 0);
  const named = await client.request(devicesUpdate, { clientId: "frieda:phone", name: "the old one" });
  assert.deepEqual([named.name, named.online], ["the old one", true]);
  for (const clientId of ["gustav:phone", "frieda:none"])
    await assert.rejects(client.request(devicesUpdate, { clientId, name: "x" }), { code: "not_found" });
  const { devices } = await client.request(devicesList, {});
  assert.deepEqual(
    devices.map(({ clientId, name, kind, address, online }) => [clientId, name, kind, address, online]).sort(),
    [
      ["frieda:cli", "cli", "cli", null, false],
      ["frieda:phone", "the old one", "mqtt", "loopback", true],
      ["frieda:tablet", "tablet", "node", "loopback", true],
    ],
  );
  const script = await logIn("script");
  const gone = await logIn("gone");
  const kindOf = async (clientId: string) =>
    (await client.request(devicesList, {})).devices.find((device) => device.clientId === clientId)?.kind;
  assert.deepEqual([await kindOf("frieda:script"), await kindOf("frieda:gone")], ["http", "http"]);
  const called = await client.request(devicesUpdate, { clientId: "frieda:script", name: "backups" });
  assert.deepEqual([called.name, called.kind], ["backups", "http"]);
  await client.request(devicesRemove, { clientId: "frieda:gone" });
  await assert.rejects(callHttp(http, devicesList, {}, { token: gone.token }), { code: "unauthenticated" });
  const { removed } = await client.request(devicesRemoveOthers, {});
  assert.deepEqual(removed.sort(), ["frieda:cli", "frieda:phone", "frieda:script"]);
  for (const { token, refreshToken } of [script, gone]) {
    await assert.rejects(callHttp(http, devicesList, {}, { token }), { code: "unauthenticated" });
    await assert.rejects(callHttp(http, refresh, { refreshToken }), { code: "unauthenticated" });
  }
  const { token } = phone.session;
  await assert.rejects(callHttp(http, devicesList, {}, { token }), { code: "unauthenticated" });
  await closed;
  assert.deepEqual(
    (await client.request(devicesList, {})).devices.map(({ clientId, online }) => [clientId, online]),
    [["frieda:tablet", true]],
  );
  assert.equal(client.state, "online");
});

test("a stock client's four words of subscription change both rosters, and what is none of them is refused by its id", async (t) => {
  await registerAll(cluster, "dana", "emil");
  const open = async (uid: string) => {
    const session = await callHttp(cluster.run().http, login, { username: uid, password, device: "phone" });
    const stock = await openStock(t, session, { clean: true });
    const relations: string[] = [];
    stock.client.on("message", (_topic, payload) => {
      const { type, contact } = JSON.parse(`${payload}`);
      if (type === "roster.changed") relations.push(contact.relation);
    });
    const say = (packet: object) =>
      stock.client.publishAsync(session.topics.publish.state, JSON.stringify(packet), { qos: 1 });
    const refused = async (packet: object, code: string) => {
      const id = randomUUID();
      await say({ id, ...packet });
      const nack = await eventually(() => stock.nacks.find((one) => one.id === id));
      assert.equal(nack.code, code, nack.message);
    };
    return { say, refused, relations };
  };
  const [dana, emil] = await Promise.all([open("dana"), open("emil")]);
  const both = (ofDana: string, ofEmil: string) =>
    eventually(() => dana.relations.at(-1) === ofDana && emil.relations.at(-1) === ofEmil);
  await dana.say({ type: "subscribe", uid: "emil" });
  await both("requested", "pending");
  await emil.say({ type: "subscribed", uid: "dana" });
  await both("contact", "contact");
  await dana.say({ type: "unsubscribe", uid: "emil" });
  await both("removed", "removed");
  await dana.say({ type: "subscribe", uid: "emil" });
  await both("requested", "pending");
  await emil.say({ type: "unsubscribed", uid: "dana" });
  await both("removed", "removed");
  await emil.say({ type: "subscribe", uid: "dana" });
  await both("pending", "requested");
  await dana.say({ type: "subscribed", uid: "emil" });
  await both("contact", "contact");
  // Whoever agreed may end it.
  await dana.say({ type: "unsubscribed", uid: "emil" });
  await both("removed", "removed");
  for (const type of ["subscribe", "subscribed", "unsubscribe", "unsubscribed"])
    await dana.refused({ type, uid: "nobody" }, "not_found");
  await dana.refused({ type: "subscribe", uid: "dana" }, "forbidden");
  await dana.refused({ type: "probe", uid: "emil" }, "invalid_packet");
  await dana.refused({ type: "subscribe", uid: "e mil" }, "invalid_packet");
  await dana.refused({ type: "subscribe", uid: "emil", show: "away" }, "invalid_packet");
});
