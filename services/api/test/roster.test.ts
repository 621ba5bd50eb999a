// Rosters over HTTP and as MQTT requests: one relation a pair, blocks, what changed.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  type Contact,
  type ContactsChanged,
  type ContactsReply,
  type NotifyRequest,
  rosterBlock,
  rosterList,
  type SeenReply,
  subjects,
} from "@parley/protocol";
import { callMethod, requestJson } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { startHistoryProcess } from "./history-process.ts";
import { type Reply, startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after });
startHistoryProcess({ after }, api);
const uids = ["alice", "bob", "carol", "dave", "erin", "frank", "gina", "hugo"];
const token: Record<string, string> = {};
for (const uid of uids) token[uid] = (await api.user(uid, "web")).token;
const told: { uid: string; contact: Contact }[] = [];
api.nats.subscribe(subjects.notify, {
  callback(_error, message) {
    const { uids: to = [], packet } = message.json<NotifyRequest & { packet: { contact: Contact } }>();
    for (const uid of to) told.push({ uid, contact: packet.contact });
  },
});
await api.nats.flush();

const as = (uid: string, verb: string, path: string, json?: object, headers?: Record<string, string>) =>
  api.call(verb, path, { token: token[uid] as string, ...(json ? { json } : {}), ...(headers ? { headers } : {}) });
const ok = async (reply: Promise<Reply>): Promise<Contact> => {
  const { status, body } = await reply;
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};
const refused = ({ status, body }: Reply, expected: number, code: string) =>
  assert.deepEqual([status, body.error?.code], [expected, code], JSON.stringify(body));
const act = (uid: string, id: string, verb: string) => as(uid, "POST", `/roster/${id}/${verb}`);
const list = async (uid: string, query = "") => (await as(uid, "GET", `/roster${query}`)).body;
const relations = async (uid: string): Promise<Record<string, string>> =>
  Object.fromEntries((await list(uid)).contacts.map(({ id, relation }: Contact) => [id, relation]));
const send = (from: string, to: string, id: string) =>
  as(from, "POST", "/messages", { id, to: `user/${to}`, content: { type: "text", data: id } });
const heard = (uid: string, id: string) => told.filter((one) => one.uid === uid && one.contact.id === id);

await eventually(async () => (await as("alice", "POST", "/sync", {})).status === 200, { timeoutMs: 60_000 });

test("a contact is added, changed and removed as SlimChat does, with and without a last slash", async () => {
  await as("bob", "PUT", "/profile", { name: "Bob B", avatar: "/bob.png" });
  const added = await ok(as("alice", "POST", "/roster/", { id: "bob", nick: "Bobby", group: "friends", note: "n" }));
  const { changedAt, ...contact } = added;
  assert.ok(changedAt > 0);
  assert.deepEqual(contact, {
    ...{ id: "bob", name: "Bob B", nick: "Bobby", group: "friends", avatar: "/bob.png", status: "", note: "n" },
    ...{ tags: [], relation: "contact", blocked: false, muted: false },
  });
  assert.deepEqual((await list("alice", "/")).contacts, [added]);
  await ok(as("alice", "PUT", "/roster/bob/", { nick: "", tags: ["tea"] }));
  const [changed] = (await list("alice")).contacts;
  assert.deepEqual([changed.nick, changed.group, changed.tags], ["Bob B", "friends", ["tea"]]);
  assert.deepEqual((await list("bob")).contacts, [], "the other side's roster is its own");
  assert.equal((await ok(as("alice", "DELETE", "/roster/bob"))).relation, "removed");
  assert.deepEqual((await list("alice")).contacts, []);
  refused(await as("alice", "DELETE", "/roster/bob"), 404, "not_found");
  refused(await as("alice", "PUT", "/roster/bob", { nick: "x" }), 404, "not_found");
});

test("any name may be blocked and muted, so that nobody learns by it whether there is such a user", async () => {
  for (const verb of ["block", "mute"]) {
    const { id, name, blocked, muted } = await ok(act("alice", "nobody", verb));
    assert.deepEqual([id, name, blocked, muted], ["nobody", "nobody", verb === "block", verb === "mute"]);
    await ok(act("alice", "nobody", `un${verb}`));
  }
  assert.deepEqual((await list("alice")).contacts, []);
});

test("who is no user, oneself, and what is no roster entry is refused", async () => {
  refused(await as("alice", "POST", "/roster", { id: "nobody" }), 404, "not_found");
  refused(await act("alice", "nobody", "request"), 404, "not_found");
  refused(await as("alice", "POST", "/roster", { id: "alice" }), 403, "forbidden");
  refused(await act("alice", "alice", "block"), 403, "forbidden");
  for (const wrong of [
    {},
    { id: "b b" },
    { id: "bob", group: 1 },
    { id: "bob", tags: ["a", "a"] },
    { id: "bob", x: 1 },
  ])
    refused(await as("alice", "POST", "/roster", wrong), 400, "invalid_packet");
  refused(await as("alice", "POST", "/roster", { id: "bob", note: "x".repeat(513) }), 400, "invalid_packet");
  const tags = Array.from({ length: 21 }, (_, n) => `t${n}`);
  refused(await as("alice", "POST", "/roster", { id: "bob", tags }), 400, "invalid_packet");
  refused(await as("alice", "GET", "/roster?page=x"), 400, "invalid_packet");
  refused(
    await as("alice", "GET", `/roster?page=${Buffer.from('[0,"x",1,1]').toString("base64url")}`),
    400,
    "invalid_packet",
  );
  for (const verb of ["confirm", "refuse", "revoke"]) refused(await act("alice", "hugo", verb), 404, "not_found");
});

test("a request is confirmed, refused, taken back, and met by the other's own", async () => {
  assert.equal((await ok(act("carol", "dave", "request"))).relation, "requested");
  assert.deepEqual([await relations("carol"), await relations("dave")], [{ dave: "requested" }, { carol: "pending" }]);
  await eventually(() => heard("dave", "carol").some(({ contact }) => contact.relation === "pending"));
  assert.equal((await ok(act("dave", "carol", "confirm"))).relation, "contact");
  await eventually(() => heard("carol", "dave").some(({ contact }) => contact.relation === "contact"));
  assert.deepEqual([await relations("carol"), await relations("dave")], [{ dave: "contact" }, { carol: "contact" }]);
  await ok(act("carol", "dave", "revoke"));
  assert.deepEqual([await relations("carol"), await relations("dave")], [{}, {}]);
  await ok(act("carol", "dave", "request"));
  await ok(act("dave", "carol", "refuse"));
  assert.deepEqual([await relations("carol"), await relations("dave")], [{}, {}]);
  await ok(act("carol", "dave", "request"));
  await ok(act("carol", "dave", "revoke"));
  assert.deepEqual(await relations("dave"), {});
  await Promise.all([ok(act("carol", "dave", "request")), ok(act("dave", "carol", "request"))]);
  assert.deepEqual([await relations("carol"), await relations("dave")], [{ dave: "contact" }, { carol: "contact" }]);
});

test("a block holds from its answer on, tells nobody, and its end lets messages in again", async () => {
  assert.equal((await send("erin", "frank", "1")).status, 200);
  await ok(act("erin", "frank", "request"));
  await eventually(() => heard("erin", "frank").length > 0 && heard("frank", "erin").length > 0);
  told.length = 0;
  const blocked = await callMethod(
    api.nats,
    rosterBlock,
    { uid: "frank", via: "mqtt", clientId: "frank:web", requestId: "b1" },
    { id: "erin" },
    { timeoutMs: 15_000 },
  );
  assert.deepEqual([blocked.blocked, blocked.relation], [true, "none"]);
  refused(await send("erin", "frank", "2"), 403, "blocked");
  assert.equal((await send("erin", "frank", "1")).status, 200, "what was stored before is acknowledged again");
  assert.equal((await send("frank", "erin", "f1")).status, 200);
  assert.deepEqual(await relations("erin"), { frank: "requested" }, "as it was");
  await eventually(() => heard("frank", "erin").length > 0);
  assert.deepEqual(heard("erin", "frank"), []);
  // Asking again changes nothing for the one who blocks.
  await ok(act("erin", "frank", "revoke"));
  await ok(act("erin", "frank", "request"));
  assert.deepEqual(
    (await list("frank")).contacts.map(({ relation }: Contact) => relation),
    ["none"],
  );
  refused(await act("frank", "erin", "request"), 409, "conflict");
  assert.equal((await ok(act("frank", "erin", "unblock"))).relation, "removed");
  assert.equal((await send("erin", "frank", "2")).status, 200);
  await ok(act("erin", "frank", "request"));
  assert.deepEqual(await relations("frank"), { erin: "pending" });
});

test("a removed contact that is blocked stays blocked", async () => {
  await ok(as("gina", "POST", "/roster", { id: "hugo", nick: "H" }));
  await ok(act("gina", "hugo", "block"));
  await ok(act("gina", "hugo", "mute"));
  const left = await ok(as("gina", "DELETE", "/roster/hugo"));
  assert.deepEqual([left.relation, left.blocked, left.muted, left.nick], ["none", true, false, "hugo"]);
  refused(await send("hugo", "gina", "1"), 403, "blocked");
});

test("a device fetches what changed since its version, also what was removed", async () => {
  for (const id of ["alice", "carol", "hugo"]) await ok(as("bob", "POST", "/roster", { id }));
  const { version, whole, contacts } = await list("bob");
  assert.equal(whole, true);
  assert.equal(contacts.length, 3);
  const latest = Math.max(...contacts.map(({ changedAt }: Contact) => changedAt));
  assert.ok(version < latest, "what was on its way is told again");
  assert.deepEqual((await list("bob", `?since=${latest + 1}`)).contacts, []);
  await ok(as("bob", "PUT", "/roster/carol", { group: "g" }));
  await ok(as("bob", "DELETE", "/roster/alice"));
  const since = await list("bob", `?since=${latest + 1}`);
  assert.equal(since.whole, false);
  assert.deepEqual(Object.fromEntries(since.contacts.map(({ id, relation }: Contact) => [id, relation])), {
    alice: "removed",
    carol: "contact",
  });
  // What is over is forgotten after a while: whoever asks from before gets all there is.
  assert.equal((await list("bob", "?since=1")).whole, true);
});

test("a roster is answered in pages, over HTTP and within what a device takes", async () => {
  const { key } = (await api.call("POST", "/keys", { token: api.secrets.servicesSecret, json: { name: "app" } })).body;
  const ids = Array.from({ length: 120 }, (_, n) => `${n % 2 ? "a" : "z"}many${n}`);
  await Promise.all(ids.map((uid) => api.call("POST", "/users", { token: key, json: { uid } })));
  for (const id of ids) await ok(as("hugo", "POST", "/roster", { id, note: "n".repeat(400) }));
  const seen: string[] = [];
  for (let next: string | null = ""; next !== null; ) {
    const page = await list("hugo", `?limit=50${next && `&page=${next}`}`);
    assert.ok(page.contacts.length <= 50);
    seen.push(...page.contacts.map(({ id }: Contact) => id));
    next = page.next;
  }
  assert.deepEqual(seen.toSorted(), ids.toSorted());
  const small: string[] = [];
  const caller = { uid: "hugo", via: "mqtt", maxBytes: 4_096 } as const;
  for (let page: string | null | undefined; page !== null; ) {
    const answer = await callMethod(api.nats, rosterList, caller, page ? { page } : {}, { timeoutMs: 5_000 });
    assert.ok(JSON.stringify(answer).length <= 4_096);
    assert.ok(answer.contacts.length > 0);
    small.push(...answer.contacts.map(({ id }) => id));
    page = answer.next;
  }
  assert.deepEqual(small.toSorted(), ids.toSorted());
});

test("changes of one pair by both sides at once are all made", async () => {
  const rounds = Array.from({ length: 10 }, (_, n) => `g${n}`);
  await ok(as("dave", "POST", "/roster", { id: "erin" }));
  await ok(as("erin", "POST", "/roster", { id: "dave" }));
  await Promise.all(
    rounds.flatMap((group) => [
      ok(as("dave", "PUT", "/roster/erin", { group })),
      ok(as("erin", "PUT", "/roster/dave", { note: group })),
    ]),
  );
  const [ofDave] = (await list("dave")).contacts.filter(({ id }: Contact) => id === "erin");
  const [ofErin] = (await list("erin")).contacts.filter(({ id }: Contact) => id === "dave");
  assert.ok(rounds.includes(ofDave.group) && rounds.includes(ofErin.note));
});

test("a request sent again with its key is answered the same, also where it would be refused now", async () => {
  await ok(as("alice", "POST", "/roster", { id: "gina" }));
  const headers = { "idempotency-key": "remove-gina" };
  const first = await as("alice", "DELETE", "/roster/gina", undefined, headers);
  const again = await as("alice", "DELETE", "/roster/gina", undefined, headers);
  assert.deepEqual([again.status, again.body], [200, first.body]);
});

test("who may know of a user's presence is each other's contact that nobody blocks; others hear of no change", async () => {
  const changes: ContactsChanged[] = [];
  let presence: Promise<unknown> = Promise.resolve();
  const subscription = api.nats.subscribe(subjects.contactsChanged, {
    callback(_error, message) {
      changes.push(message.json());
      void presence.then(() => message.respond("{}"));
    },
  });
  await api.nats.flush();
  await Promise.all(["paula", "quinn", "rosa"].map(async (uid) => (token[uid] = (await api.user(uid, "web")).token)));
  const timeoutMs = 15_000;
  const contacts = (uid: string) => requestJson<ContactsReply>(api.nats, subjects.contacts, { uid }, { timeoutMs });
  const seen = async (by: string, asked: string) => {
    const { uid, ...may } = await requestJson<SeenReply>(api.nats, subjects.seen, { uid: asked, by }, { timeoutMs });
    assert.equal(uid, asked);
    return may;
  };
  const told = async (areContacts: boolean) => {
    const changed = await eventually(() => changes.shift());
    assert.deepEqual(changed, { uid: "paula", other: "quinn", areContacts });
  };
  // A contact of one side only, and a stranger who blocks.
  await ok(as("paula", "POST", "/roster", { id: "rosa" }));
  await ok(act("rosa", "paula", "block"));
  await ok(act("rosa", "paula", "unblock"));
  assert.deepEqual((await contacts("paula")).uids, []);
  await ok(act("paula", "quinn", "request"));
  await ok(act("quinn", "paula", "confirm"));
  await told(true);
  assert.deepEqual(await contacts("quinn"), { uids: ["paula"], lastSeen: "contacts" });
  assert.deepEqual(await seen("paula", "quinn"), { presence: true, lastSeen: true });
  assert.deepEqual(await seen("rosa", "quinn"), { presence: false, lastSeen: false });
  const order: string[] = [];
  const heard = Promise.withResolvers<void>();
  presence = heard.promise.then(() => order.push("presence"));
  const blocked = ok(act("paula", "quinn", "block")).then(() => order.push("answered"));
  await told(false);
  // Whatever is answered without presence is answered by then.
  for (let turn = 0; turn < 5; turn++) await list("paula");
  heard.resolve();
  await blocked;
  assert.deepEqual(order, ["presence", "answered"], "a block is answered once presence knows it");
  for (const uid of ["paula", "quinn"]) assert.deepEqual((await contacts(uid)).uids, []);
  await as("quinn", "PUT", "/profile", { lastSeen: "everybody" });
  assert.deepEqual(await eventually(() => changes.shift()), { uid: "quinn" });
  assert.deepEqual(await seen("paula", "quinn"), { presence: false, lastSeen: false }, "not over a block");
  assert.deepEqual(await seen("rosa", "quinn"), { presence: false, lastSeen: true });
  await ok(act("paula", "quinn", "unblock"));
  await told(true);
  await ok(act("quinn", "paula", "revoke"));
  await told(false);
  await as("quinn", "PUT", "/profile", { visibility: "contacts", lastSeen: "nobody" });
  for (const uid of ["nobody", "quinn", "a b"])
    await assert.rejects(seen("rosa", uid), { code: "not_found", message: `there is no user ${uid}` });
  assert.deepEqual(await eventually(() => changes.shift()), { uid: "quinn" });
  subscription.unsubscribe();
  assert.deepEqual(changes, []);
});

test("a changed profile is told to the user's contacts once in some seconds, as it is then; to nobody else", async () => {
  const uids = ["tom", "uma", "vera", "will"];
  await Promise.all(uids.map(async (uid) => (token[uid] = (await api.user(uid, "web")).token)));
  // A stranger who has noted the user, and one who is blocked. The contact is the last of all whom tom has to do with.
  await ok(as("vera", "POST", "/roster", { id: "tom" }));
  await ok(act("tom", "will", "request"));
  await ok(act("will", "tom", "confirm"));
  await ok(act("tom", "will", "block"));
  await ok(act("tom", "uma", "request"));
  await ok(act("uma", "tom", "confirm"));
  const { changedAt } = (await list("uma")).contacts[0];
  await eventually(() => heard("uma", "tom").some(({ contact }) => contact.changedAt === changedAt));
  told.length = 0;
  await as("tom", "PUT", "/profile", { name: "Tom T", avatar: "/t.png", language: "de" });
  await eventually(() => heard("uma", "tom").length > 0);
  for (const status of ["one", "two", "three", "four"]) await as("tom", "PUT", "/profile", { status });
  const last = await eventually(() => heard("uma", "tom").find(({ contact }) => contact.status === "four"), {
    timeoutMs: 30_000,
  });
  const stamps = heard("uma", "tom").map(({ contact }) => contact.changedAt);
  assert.ok(
    stamps.every((at, place) => at - (stamps[place - 1] ?? 0) > 2_500),
    String(stamps),
  );
  const { name, avatar, relation } = last.contact;
  assert.deepEqual([name, avatar, relation], ["Tom T", "/t.png", "contact"]);
  assert.deepEqual((await list("uma", `?since=${last.contact.changedAt}`)).contacts, [last.contact]);
  assert.ok(last.contact.changedAt > changedAt);
  assert.deepEqual([heard("vera", "tom"), heard("will", "tom"), heard("tom", "uma")], [[], [], []]);
});
