// Profiles and finding people, over HTTP and as MQTT requests.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { limits, profileUpdate, usersGet, usersSearch } from "@parley/protocol";
import { callMethod } from "@parley/runtime";
import { openStore } from "@parley/store";
import { eventually } from "@parley/testkit";
import { keptProfile, makeMissingProfiles } from "../src/people/profiles.ts";
import { openApiStore } from "../src/store.ts";
import { type Answer, createAsking } from "./asking.ts";
import { startHistoryProcess } from "./history-process.ts";
import { type Reply, startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after }, { API_SEARCHES: "1000" });
startHistoryProcess({ after }, api);
const token: Record<string, string> = {};
for (const uid of ["alice", "Bob", "carol", "dave", "al.1", "al.2"]) token[uid] = (await api.user(uid, "web")).token;

const as = (uid: string, verb: string, path: string, json?: object) =>
  api.call(verb, path, { token: token[uid] as string, ...(json ? { json } : {}) });
const refused = ({ status, body }: Reply, expected: number, code: string) =>
  assert.deepEqual([status, body.error?.code], [expected, code], JSON.stringify(body));
const find = async (by: string, query: string): Promise<string[]> => {
  const { status, body } = await as(by, "GET", `/users?query=${encodeURIComponent(query)}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.users.map(({ uid }: { uid: string }) => uid).sort();
};
// History takes who may write; it starts beside this test.
await eventually(async () => (await as("alice", "POST", "/sync", {})).status === 200, { timeoutMs: 60_000 });

test("a profile shows what was given, and an empty text clears it", async () => {
  const empty = { nick: "", avatar: "", status: "", language: "", vcard: {} };
  assert.deepEqual((await as("alice", "GET", "/profile")).body, {
    ...{ uid: "alice", name: "alice", ...empty },
    ...{ visibility: "everybody", directMessages: "anyone", lastSeen: "contacts", invitations: "add" },
  });
  const given = {
    name: "Alice Liddell",
    nick: "Cafe\u0301",
    avatar: "https://example.org/a.png",
    status: "at tea",
    language: "zh-Hant",
    vcard: { phone: ["1", { home: true }] },
  };
  const { status, body } = await as("alice", "PUT", "/profile", given);
  assert.equal(status, 200, JSON.stringify(body));
  const seen = { uid: "alice", ...given, nick: "Caf\u00e9" };
  assert.deepEqual((await as("Bob", "GET", "/users/alice")).body, seen);
  assert.deepEqual(
    await callMethod(api.nats, usersGet, { uid: "Bob", via: "mqtt" }, { uid: "alice" }, { timeoutMs: 5_000 }),
    seen,
  );
  await as("alice", "PUT", "/profile", { name: "", nick: "", status: "" });
  const cleared = (await as("Bob", "GET", "/users/alice")).body;
  assert.deepEqual([cleared.name, cleared.nick, cleared.status, cleared.language], ["alice", "", "", "zh-Hant"]);
});

test("a profile that cannot be one is refused by the field's name, and nothing of it is kept", async () => {
  const before = (await as("alice", "GET", "/profile")).body;
  for (const [field, value] of [
    ["avatar", "javascript:alert(1)"],
    ["avatar", "https://example.org/a b"],
    ["avatar", "//host/x"],
    ["avatar", "/\\host/x"],
    ["language", "not a tag"],
    ["name", "a\u0007"],
    ["name", " \u3000\u200b"],
    ["status", "x".repeat(257)],
    ["vcard", []],
    ["visibility", "nobody"],
    ["directMessages", true],
    ["lastSeen", "friends"],
    ["uid", "mallory"],
  ] as const) {
    const reply = await as("alice", "PUT", "/profile", { nick: "changed", [field]: value });
    refused(reply, 400, "invalid_packet");
    assert.match(reply.body.error.message, new RegExp(field));
  }
  refused(await as("alice", "PUT", "/profile", { vcard: { note: "x".repeat(limits.vcardBytes) } }), 413, "too_large");
  refused(await as("alice", "PUT", "/profile", { vcard: { a: { $where: 1 } } }), 400, "invalid_packet");
  assert.deepEqual((await as("alice", "GET", "/profile")).body, before);
});

test("people are found by the beginning of uid, name or nick in any case, at most 20, and by nothing else", async () => {
  await as("carol", "PUT", "/profile", { name: "Émile Zola", nick: "Quill" });
  assert.deepEqual(await find("alice", "b"), ["Bob"]);
  assert.deepEqual(await find("alice", "BOB"), ["Bob"]);
  assert.deepEqual(await find("alice", "e\u0301MILE z"), ["carol"]);
  assert.deepEqual(await find("alice", "quill"), ["carol"]);
  assert.deepEqual(await find("Bob", "al"), ["al.1", "al.2", "alice"]);
  assert.deepEqual(await find("Bob", "al."), ["al.1", "al.2"]);
  for (const nothing of ["lice", "zola", "%", "al%", "_", "\\"]) assert.deepEqual(await find("Bob", nothing), []);
  await as("carol", "PUT", "/profile", { nick: "" });
  assert.deepEqual(await find("alice", "quill"), []);
  refused(await as("alice", "GET", "/users"), 400, "invalid_packet");
  refused(await as("alice", "GET", "/users?query="), 400, "invalid_packet");
  refused(await as("alice", "GET", "/users?query=a&limit=21"), 400, "invalid_packet");
  const { key } = (await api.call("POST", "/keys", { token: api.secrets.servicesSecret, json: { name: "app" } })).body;
  for (let n = 0; n < 25; n++)
    await api.call("POST", "/users", { token: key, json: { uid: `many${n}`, name: `Many ${n}` } });
  assert.equal((await find("alice", "many")).length, 20);
  const few = await callMethod(
    api.nats,
    usersSearch,
    { uid: "Bob", via: "mqtt" },
    { query: "many", limit: 3 },
    { timeoutMs: 5_000 },
  );
  assert.equal(few.users.length, 3);
});

test("who is for contacts only is to all others as if there were no such user", async () => {
  await as("dave", "PUT", "/profile", { visibility: "contacts", name: "Dave Hidden" });
  const hidden = await as("alice", "GET", "/users/dave");
  const missing = await as("alice", "GET", "/users/diva");
  refused(hidden, 404, "not_found");
  assert.equal(hidden.body.error.message.replace("dave", "diva"), missing.body.error.message);
  assert.deepEqual(await find("alice", "dave"), []);
  refused(await as("alice", "POST", "/roster", { id: "dave" }), 404, "not_found");
  refused(await as("alice", "POST", "/roster/dave/request"), 404, "not_found");
  assert.equal((await as("dave", "GET", "/users/dave")).status, 200);
  assert.equal((await as("dave", "POST", "/roster", { id: "alice" })).status, 200);
  assert.equal((await as("alice", "GET", "/users/dave")).body.name, "Dave Hidden");
  await as("dave", "POST", "/roster/alice/block");
  refused(await as("alice", "GET", "/users/dave"), 404, "not_found");
  await as("dave", "PUT", "/profile", { visibility: "everybody" });
  assert.deepEqual(await find("alice", "dave"), ["dave"]);
});

test("changes of one profile at once are all made", async () => {
  const changes = [{ nick: "n" }, { status: "s" }, { language: "en" }, { avatar: "/a" }];
  const replies = await Promise.all(changes.map((json) => as("Bob", "PUT", "/profile", json)));
  assert.deepEqual(
    replies.map(({ status }) => status),
    changes.map(() => 200),
  );
  const { body } = await as("Bob", "GET", "/profile");
  assert.deepEqual([body.nick, body.status, body.language, body.avatar], ["n", "s", "en", "/a"]);
});

test("searches beyond the rate are rate_limited, and say for how long", async () => {
  const slow = await startTestApi({ after }, { API_SEARCHES: "3" });
  const { token: own } = await slow.user("gina");
  const search = () => slow.call("GET", "/users?query=g", { token: own });
  for (let n = 0; n < 3; n++) assert.equal((await search()).status, 200);
  const reply = await search();
  refused(reply, 429, "rate_limited");
  assert.ok(reply.body.error.details.retryAfterMs > 0);
});

test("users of a version without profiles have one and are found, once it is new", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-profiles-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const opened = await openStore(`sqlite:${folder}`, { service: "api" });
  t.after(() => opened.close());
  const store = await openApiStore(opened.documents());
  const old = { passwordHash: null, createdAt: 1, kind: "user", madeBy: "x" } as const;
  for (let n = 0; n < 600; n++) await store.users.insert(`u${n}`, { ...old, uid: `u${n}`, name: n ? null : "Zero" });
  await store.profiles.insert("u1", { uid: "u1", name: "kept" });
  await makeMissingProfiles(store);
  assert.deepEqual((await store.profiles.get("u0"))?.doc, {
    ...{ uid: "u0", name: "Zero" },
    find: { uid: "u0", name: "zero" },
  });
  assert.equal((await store.profiles.get("u1"))?.doc.name, "kept");
  assert.ok(await store.profiles.get("u599"));
  await store.profiles.remove("u599");
  await makeMissingProfiles(store);
  assert.equal(await store.profiles.get("u599"), undefined, "not looked at again");
  // Of a user that an older replica made later.
  assert.equal((await keptProfile(store, "u599"))?.doc.uid, "u599");
  assert.ok(await store.profiles.get("u599"));
  assert.equal(await keptProfile(store, "nobody"), undefined);
});

test("who may write to a user holds from the answer on", async () => {
  const send = (from: string, id: string) =>
    as(from, "POST", "/messages", { id, to: "user/carol", content: { type: "text", data: "x" } });
  assert.equal((await send("al.1", "1")).status, 200);
  const changed = await callMethod(
    api.nats,
    profileUpdate,
    { uid: "carol", via: "mqtt", clientId: "carol:web", requestId: "1" },
    { directMessages: "contacts" },
    { timeoutMs: 15_000 },
  );
  assert.equal(changed.directMessages, "contacts");
  refused(await send("al.1", "2"), 403, "blocked");
  refused(await send("al.2", "1"), 403, "blocked");
  assert.equal((await as("carol", "POST", "/roster", { id: "al.1" })).status, 200);
  assert.equal((await send("al.1", "2")).status, 200);
  assert.equal((await as("carol", "DELETE", "/roster/al.1")).status, 200);
  refused(await send("al.1", "3"), 403, "blocked");
  await as("carol", "PUT", "/profile", { directMessages: "anyone" });
  assert.equal((await send("al.1", "3")).status, 200);
});

const made = await api.call("POST", "/keys", { token: api.secrets.servicesSecret, json: { name: "people" } });
const { byHttp, byMqtt } = createAsking(api, (uid) => token[uid] as string);
for (const [door, ask] of [
  ["HTTP", byHttp],
  ["MQTT", byMqtt],
] as const)
  test(`${door}: a member list has the names and pictures that its reader may see`, async () => {
    const [ann, ben, cat, dot] = ["ann", "ben", "cat", "dot"].map((name) => `${name}-${door}`) as [
      string,
      string,
      string,
      string,
    ];
    for (const uid of [ann, ben, cat, dot]) token[uid] = (await api.user(uid, "web")).token;
    const avatar = "https://a/b.png";
    await ask(ben, "profile.update", { name: "Ben B", nick: "Benny", avatar });
    await ask(cat, "profile.update", { name: "Cat C", avatar, visibility: "contacts" });
    await ask(dot, "profile.update", { name: "Dot D" });
    await ask(ann, "roster.add", { id: dot, nick: "my Dot" });
    await ask(cat, "roster.add", { id: ben });
    const { id } = await ask(ann, "rooms.create", { name: "Names", members: [ben, dot], settings: { join: "open" } });
    await ask(cat, "rooms.join", { id });
    const names = async (as: string, params: object = {}) =>
      (await ask(as, "rooms.members", { id, ...params })).members.map((member: Answer) => {
        return [member.uid, member.name, member.nick, member.avatar];
      });
    const dotD = [dot, "Dot D", "Dot D", ""];
    const unknown = (uid: string) => [uid, uid, uid, ""];
    const [benB, catC] = [
      [ben, "Ben B", "Benny", avatar],
      [cat, "Cat C", "Cat C", avatar],
    ];
    assert.deepEqual(await names(ann), [unknown(ann), benB, unknown(cat), [dot, "Dot D", "my Dot", ""]]);
    assert.deepEqual(await names(ben), [unknown(ann), benB, catC, dotD], "cat has ben as a contact");
    assert.deepEqual(await names(cat), [unknown(ann), benB, catC, dotD], "one's own is shown");
    await ask(ann, "rooms.ban", { id, uids: [ben, cat] });
    assert.deepEqual(await names(ann, { standing: "banned" }), [benB, unknown(cat)]);
    const disabled = await api.call("POST", `/users/${dot}/disable`, { token: made.body.key });
    assert.equal(disabled.status, 200, JSON.stringify(disabled.body));
    assert.deepEqual((await names(ann))[1], [dot, dot, "my Dot", ""]);
  });

test("names are found in any case: of users, in rosters, rooms and lists of members, and answered as they are spelled", async () => {
  const spelled = (await as("alice", "GET", "/users/bOB")).body;
  assert.equal(spelled.uid, "Bob");
  assert.deepEqual(spelled, (await as("alice", "GET", "/users/Bob")).body);
  assert.equal((await as("alice", "GET", "/users/CAROL")).body.uid, "carol");
  const put = await as("alice", "POST", "/roster", { id: "bob", nick: "B" });
  assert.deepEqual([put.status, put.body.id], [200, "Bob"]);
  assert.equal((await as("alice", "PUT", "/roster/BOB", { nick: "Bee" })).body.nick, "Bee");
  refused(await as("alice", "POST", "/roster/ALICE/block"), 403, "forbidden");
  const made = await as("alice", "POST", "/rooms", { id: "Garden", name: "Garden", members: ["bOb"] });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  assert.deepEqual((await as("alice", "POST", "/rooms/GARDEN/members", { uids: ["CAROL"] })).body.uids, ["carol"]);
  assert.equal((await as("Bob", "GET", "/rooms/garden")).body.id, "Garden");
  assert.deepEqual((await as("alice", "PUT", "/rooms/garden/members/BOB", { role: "admin" })).body.uids, ["Bob"]);
  assert.deepEqual((await as("Bob", "DELETE", "/rooms/gARDEN/members/Carol")).body.uids, ["carol"]);
  const stranger = (path: string) => as("dave", "GET", path);
  const [hidden, missing] = [await stranger("/rooms/GARDEN"), await stranger("/rooms/NARDEG")];
  assert.equal(JSON.stringify(hidden.body), JSON.stringify(missing.body).replace("NARDEG", "GARDEN"));
  await as("alice", "DELETE", "/roster/bob");
});

test("whoever is hidden and takes messages of contacts only is to strangers as nobody, whatever they ask", async () => {
  token.Hugo = (await api.user("Hugo", "web")).token;
  await as("Hugo", "PUT", "/profile", { visibility: "contacts", directMessages: "contacts" });
  const { id } = (await as("alice", "POST", "/rooms", { name: "Room" })).body;
  const asks: ((uid: string) => Promise<Reply>)[] = [
    (uid) => as("alice", "GET", `/users/${uid}`),
    (uid) => as("alice", "GET", `/users/${uid.toUpperCase()}`),
    (uid) => as("alice", "POST", "/messages", { to: `user/${uid}`, content: { type: "text", data: "hi" } }),
    (uid) =>
      as("alice", "POST", "/messages", { to: `user/${uid}/client/${uid}`, content: { type: "text", data: "hi" } }),
    (uid) => as("alice", "POST", "/roster", { id: uid }),
    (uid) => as("alice", "POST", `/roster/${uid}/request`),
    (uid) => as("alice", "POST", "/rooms", { name: "Other", members: [uid] }),
    (uid) => as("alice", "POST", `/rooms/${id}/members`, { uids: [uid] }),
    (uid) => as("alice", "POST", `/rooms/${id}/bans`, { uids: [uid] }),
    (uid) => as("alice", "DELETE", `/rooms/${id}/members/${uid}`),
    (uid) => as("alice", "POST", `/roster/${uid}/mute`),
    (uid) => as("alice", "POST", `/roster/${uid}/block`),
    (uid) => as("alice", "POST", `/roster/${uid.toLowerCase()}/block`),
    (uid) => as("alice", "POST", `/roster/${uid}/unblock`),
    (uid) => as("alice", "POST", `/roster/${uid}/unmute`),
  ];
  const plain = ({ status, body }: Reply) => {
    const text = JSON.stringify(body).replaceAll(/(h)[ua](?=go)/gi, "$1*");
    return [status, text.replaceAll(/\d{13}/g, "(time)")];
  };
  for (const [at, ask] of asks.entries())
    assert.deepEqual(plain(await ask("Hugo")), plain(await ask("Hago")), `ask ${at}`);
  await as("Hugo", "POST", "/roster", { id: "alice" });
  assert.equal((await as("alice", "GET", "/users/hugo")).body.uid, "Hugo");
  assert.equal((await asks[2]?.("Hugo"))?.status, 200);
});

test("whoever is hidden and let into a room is banned from it as anybody, and blocked by who sees it there", async () => {
  token.ivan = (await api.user("ivan", "web")).token;
  const { id } = (await as("alice", "POST", "/rooms", { name: "Open", settings: { join: "open" } })).body;
  await as("ivan", "PUT", "/profile", { visibility: "contacts" });
  await as("ivan", "POST", `/rooms/${id}/join`);
  assert.equal((await as("alice", "POST", "/roster/ivan/block")).body.blocked, true);
  assert.deepEqual((await as("alice", "POST", `/rooms/${id}/bans`, { uids: ["ivan"] })).body.uids, ["ivan"]);
  await as("alice", "DELETE", "/roster/ivan");
});
