// Roles, bans, silence, settings, invitations, links, archive and end of a room: over HTTP and MQTT alike.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  type AppError,
  type InvitationNotice,
  type Method,
  methods,
  type NotifyRequest,
  roomsMembers,
  subjects,
} from "@parley/protocol";
import { callMethod } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { type Answer, createAsking, refused } from "./asking.ts";
import { startHistoryProcess } from "./history-process.ts";
import { startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after }, { API_RATE: "100000", API_BURST: "100000" });
startHistoryProcess({ after }, api);
const token: Record<string, string> = {};
for (const uid of ["alice", "bob", "carol", "dave", "erin"]) token[uid] = (await api.user(uid, "web")).token;

const { byHttp, byMqtt } = createAsking(api, (uid) => token[uid] as string);
const say = (uid: string, id: string, data = "hi") =>
  byHttp(uid, "messages.send", { to: `room/${id}`, content: { type: "text", data } });
const read = async (uid: string, id: string): Promise<Answer[]> =>
  (await byHttp(uid, "history.get", { conv: `room/${id}` })).messages;

for (const [door, ask] of [
  ["HTTP", byHttp],
  ["MQTT", byMqtt],
] as const) {
  const make = async (members: string[], settings: object = {}): Promise<string> =>
    (await ask("alice", "rooms.create", { name: "Room", members, settings })).id;
  const roles = async (id: string, as = "alice") =>
    Object.fromEntries((await ask(as, "rooms.members", { id })).members.map(({ uid, role }: Answer) => [uid, role]));

  test(`${door}: owners give roles, a room keeps an owner, and hands over`, async () => {
    const id = await make(["bob", "carol"]);
    await assert.rejects(
      ask("bob", "rooms.setRole", { id, uid: "bob", role: "admin" }),
      refused("forbidden", "setRole"),
    );
    assert.deepEqual((await ask("alice", "rooms.setRole", { id, uid: "bob", role: "admin" })).uids, ["bob"]);
    assert.deepEqual((await ask("alice", "rooms.setRole", { id, uid: "bob", role: "admin" })).uids, []);
    await assert.rejects(ask("alice", "rooms.setRole", { id, uid: "dave", role: "admin" }), refused("not_found"));
    await assert.rejects(
      ask("alice", "rooms.setRole", { id, uid: "alice", role: "member" }),
      refused("forbidden", "owner"),
    );
    await assert.rejects(ask("bob", "rooms.ban", { id, uids: ["alice"] }), refused("forbidden", "role"));
    await ask("alice", "rooms.transfer", { id, uid: "carol" });
    assert.deepEqual(await roles(id), { alice: "admin", bob: "admin", carol: "owner" });
    await assert.rejects(ask("alice", "rooms.transfer", { id, uid: "alice" }), refused("forbidden", "transfer"));
    await ask("carol", "rooms.leave", { id, successor: "bob" });
    assert.deepEqual(await roles(id), { alice: "admin", bob: "owner" });
    assert.equal((await ask("bob", "rooms.get", { id })).members, 2);
  });

  test(`${door}: who is banned is out and stays out until the ban is taken back`, async () => {
    const id = await make(["bob", "carol"], { join: "open" });
    await say("alice", id, "before");
    assert.deepEqual((await ask("alice", "rooms.ban", { id, uids: ["bob", "dave"] })).uids, ["bob", "dave"]);
    const { seq } = await say("alice", id, "after");
    assert.ok((await read("bob", id)).every((message) => message.seq < seq));
    await assert.rejects(read("dave", id), refused("not_member"));
    await assert.rejects(say("bob", id), refused("not_member"));
    for (const uid of ["bob", "dave"]) {
      await assert.rejects(ask(uid, "rooms.join", { id }), refused("forbidden", "banned"));
      await assert.rejects(ask(uid, "rooms.get", { id }), refused("not_member"));
      await assert.rejects(ask("alice", "rooms.invite", { id, uids: [uid] }), refused("forbidden", "banned"));
    }
    const banned = await ask("alice", "rooms.members", { id, standing: "banned" });
    assert.deepEqual(
      banned.members.map(({ uid }: Answer) => uid),
      ["bob", "dave"],
    );
    await assert.rejects(ask("carol", "rooms.members", { id, standing: "banned" }), refused("forbidden"));
    await assert.rejects(ask("carol", "rooms.ban", { id, uids: ["alice"] }), refused("forbidden", "ban"));
    await assert.rejects(ask("alice", "rooms.ban", { id, uids: ["alice"] }), refused("forbidden", "self"));
    await assert.rejects(ask("alice", "rooms.ban", { id, uids: ["nobody"] }), refused("not_found"));
    const { conversations } = await byHttp("dave", "sync", { cursors: {}, all: true });
    assert.ok(!conversations.some(({ conv }: Answer) => conv === `room/${id}`));
    await ask("alice", "rooms.unban", { id, uid: "bob" });
    assert.deepEqual((await ask("bob", "rooms.join", { id })).uids, ["bob"]);
  });

  test(`${door}: a muted member may not write until that ends, also in a new stay`, async () => {
    const id = await make(["bob", "carol"], { join: "open" });
    await assert.rejects(ask("carol", "rooms.mute", { id, uid: "bob" }), refused("forbidden", "mute"));
    await ask("alice", "rooms.mute", { id, uid: "bob", seconds: 3_600 });
    await assert.rejects(say("bob", id), refused("forbidden", "muted"));
    await ask("bob", "rooms.leave", { id });
    await ask("bob", "rooms.join", { id });
    await assert.rejects(say("bob", id), refused("forbidden", "muted"));
    assert.ok((await ask("bob", "rooms.get", { id })).mutedUntil > Date.now());
    await ask("alice", "rooms.unmute", { id, uid: "bob" });
    await say("bob", id);
  });

  test(`${door}: a room's profile and settings change one by one, for all who see it`, async () => {
    const id = await make(["bob"]);
    await assert.rejects(ask("bob", "rooms.update", { id, topic: "mine" }), refused("forbidden", "update"));
    const changed = await ask("alice", "rooms.update", {
      id,
      name: "Cafe\u0301",
      topic: "tea",
      settings: { write: "admin" },
    });
    assert.deepEqual([changed.name, changed.nick, changed.topic], ["Caf\u00e9", "Caf\u00e9", "tea"]);
    await ask("alice", "rooms.update", { id, topic: null, avatar: "https://a/b.png", settings: { pin: "member" } });
    const seen = await ask("bob", "rooms.get", { id });
    assert.deepEqual(
      [seen.topic, seen.avatar, seen.settings],
      [undefined, "https://a/b.png", { write: "admin", pin: "member" }],
    );
    for (const avatar of [
      "javascript:alert(1)",
      "data:image/svg+xml,x",
      "https://a/b c",
      "a.png",
      "//host/x",
      "/\\host/x",
    ]) {
      await assert.rejects(ask("alice", "rooms.update", { id, avatar }), refused("invalid_packet"));
      await assert.rejects(ask("alice", "rooms.create", { name: "Room", avatar }), refused("invalid_packet"));
    }
    assert.equal((await ask("bob", "rooms.get", { id })).avatar, "https://a/b.png");
    await assert.rejects(say("bob", id), refused("forbidden", "write"));
    const last = (await read("bob", id)).at(-1);
    assert.deepEqual([last.content.data.event, last.content.data.room.avatar], ["update", "https://a/b.png"]);
    const listed = (await ask("bob", "rooms.list")).rooms.find((room: Answer) => room.id === id);
    assert.deepEqual(listed, seen);
    const { conversations } = await byHttp("bob", "conversations.list");
    assert.equal(conversations.find(({ conv }: Answer) => conv === `room/${id}`).name, "Caf\u00e9");
  });

  test(`${door}: slow mode says how long to wait, and lets who has waited write`, async () => {
    const id = await make(["bob"], { slowModeSeconds: 3_600 });
    await say("bob", id);
    await assert.rejects(say("bob", id), (error: AppError) => {
      assert.ok((error.details?.retryAfterMs as number) > 3_500_000);
      return refused("rate_limited", "slow_mode")(error);
    });
    await say("alice", id);
    await say("alice", id);
    await ask("alice", "rooms.update", { id, settings: { slowModeSeconds: 0 } });
    await say("bob", id);
  });

  test(`${door}: a room takes so many messages a second, of all members together`, async () => {
    const id = await make(["bob"], { messagesPerSecond: 2 });
    await say("alice", id);
    await say("bob", id);
    await assert.rejects(say("alice", id), refused("rate_limited", "write_speed"));
    await eventually(() => say("bob", id));
    await ask("alice", "rooms.update", { id, settings: { messagesPerSecond: 0 } });
    for (let count = 0; count < 5; count++) await say("alice", id);
  });

  test(`${door}: a member only reads, or only writes, or both, as it was added or as is said later`, async () => {
    const modes = { read: ["bob"], write: ["carol"] };
    const { id } = await ask("alice", "rooms.create", { name: "Sides", members: ["bob", "carol"], modes });
    await assert.rejects(say("bob", id), refused("forbidden", "mode"));
    await say("carol", id, "from carol");
    await say("alice", id, "from alice");
    const heard = async (uid: string) =>
      (await read(uid, id)).flatMap(({ content }) => content.data?.event ?? content.data);
    assert.deepEqual(await heard("bob"), ["create", "from carol", "from alice"]);
    assert.deepEqual(await heard("carol"), ["create"]);
    const members = async () => (await ask("alice", "rooms.members", { id })).members;
    assert.deepEqual(
      (await members()).map(({ uid, mode }: Answer) => [uid, mode]),
      [
        ["alice", undefined],
        ["bob", "read"],
        ["carol", "write"],
      ],
    );
    assert.equal((await ask("carol", "rooms.get", { id })).mode, "write");
    await assert.rejects(
      ask("bob", "rooms.setMode", { id, uid: "bob", mode: "read-write" }),
      refused("forbidden", "mode"),
    );
    await ask("alice", "rooms.setMode", { id, uid: "carol", mode: "read-write" });
    await ask("alice", "rooms.setMode", { id, uid: "bob", mode: "write" });
    await say("bob", id, "from bob");
    assert.deepEqual(await heard("carol"), ["create", "mode", "mode", "from bob"]);
    assert.deepEqual(await heard("bob"), ["create", "from carol", "from alice", "mode", "mode"]);
    await ask("alice", "rooms.invite", { id, uids: ["dave"], mode: "read" });
    await assert.rejects(say("dave", id), refused("forbidden", "mode"));
    const stranger = { name: "Sides", members: ["bob"], modes: { read: ["erin"] } };
    await assert.rejects(ask("alice", "rooms.create", stranger), refused("invalid_packet"));
  });

  test(`${door}: who joins a room whose history is open reads all of it, and only what comes else`, async () => {
    const id = await make([], { join: "open" });
    await say("alice", id, "early");
    await ask("bob", "rooms.join", { id });
    assert.deepEqual(
      (await read("bob", id)).map(({ seq }) => seq),
      [3],
    );
    await ask("alice", "rooms.update", { id, settings: { history: "all" } });
    await ask("carol", "rooms.join", { id });
    assert.deepEqual(
      (await read("carol", id)).map(({ seq }) => seq),
      [1, 2, 3, 4, 5],
    );
    const { conversations } = await byHttp("carol", "conversations.list");
    assert.equal(conversations.find(({ conv }: Answer) => conv === `room/${id}`).unread, 0);
  });

  test(`${door}: who is to be asked first is told, and a member when it accepts`, async () => {
    const id = await make([], { invitations: "ask" });
    const told: unknown[] = [];
    const listening = api.nats.subscribe(subjects.notify, {
      callback: (_, message) =>
        void told.push(...[message.json<NotifyRequest>()].filter(({ uids }) => uids?.includes("bob"))),
    });
    await api.nats.flush();
    assert.deepEqual((await ask("alice", "rooms.invite", { id, uids: ["bob", "carol"] })).invited, ["bob", "carol"]);
    const packet: InvitationNotice = { type: "invitation", id, conv: `room/${id}`, name: "Room", by: "alice" };
    await eventually(() => told.length > 0);
    assert.deepEqual(told, [{ uids: ["bob", "carol"], channel: "m", packet }]);
    listening.unsubscribe();
    assert.deepEqual(await roles(id), { alice: "owner" });
    await assert.rejects(read("bob", id), refused("not_member"));
    assert.equal((await ask("bob", "rooms.get", { id })).name, "Room");
    const mine = (await ask("bob", "rooms.invitations")).invitations.filter((one: Answer) => one.id === id);
    assert.deepEqual(mine, [{ id, conv: `room/${id}`, name: "Room", by: "alice", standing: "invited" }]);
    assert.deepEqual((await ask("bob", "rooms.join", { id })).uids, ["bob"]);
    assert.deepEqual((await ask("carol", "rooms.refuse", { id })).uids, ["carol"]);
    await assert.rejects(ask("carol", "rooms.join", { id }), refused("forbidden", "join"));
    assert.deepEqual(await roles(id), { alice: "owner", bob: "member" });
  });

  test(`${door}: a user's own setting makes others ask it first, also when a room is made, and the profile tells it`, async () => {
    assert.equal((await ask("erin", "profile.get")).invitations, "add");
    await ask("erin", "rooms.setInvitations", { invitations: "ask" });
    assert.equal((await ask("erin", "profile.get")).invitations, "ask");
    assert.equal((await ask("erin", "profile.update", { status: "" })).invitations, "ask");
    const id = await make(["bob", "erin"]);
    assert.deepEqual(await roles(id), { alice: "owner", bob: "member" });
    assert.deepEqual((await ask("erin", "rooms.join", { id })).uids, ["erin"]);
    await ask("erin", "rooms.setInvitations", { invitations: "add" });
    assert.equal((await ask("erin", "profile.get")).invitations, "add");
    assert.deepEqual(await roles(await make(["erin"])), { alice: "owner", erin: "member" });
  });

  test(`${door}: who asks to be let in waits for an admin's word`, async () => {
    const id = await make(["bob"], { join: "ask" });
    assert.equal((await ask("carol", "rooms.get", { id })).name, "Room");
    for (const uid of ["carol", "dave"]) assert.equal((await ask(uid, "rooms.join", { id })).asking, true);
    const asking = await ask("alice", "rooms.members", { id, standing: "asking" });
    assert.deepEqual(
      asking.members.map(({ uid }: Answer) => uid),
      ["carol", "dave"],
    );
    await assert.rejects(ask("bob", "rooms.admit", { id, uids: ["carol"] }), refused("forbidden", "admit"));
    assert.deepEqual((await ask("alice", "rooms.admit", { id, uids: ["carol", "erin"] })).uids, ["carol"]);
    assert.deepEqual((await ask("alice", "rooms.refuse", { id, uids: ["dave"] })).uids, ["dave"]);
    assert.deepEqual(await roles(id), { alice: "owner", bob: "member", carol: "member" });
    await assert.rejects(read("dave", id), refused("not_member"));
  });

  test(`${door}: who blocks a room is out and cannot be invited`, async () => {
    const id = await make(["bob"]);
    await ask("bob", "rooms.block", { id });
    await assert.rejects(ask("alice", "rooms.invite", { id, uids: ["bob"] }), refused("blocked"));
    await assert.rejects(ask("dave", "rooms.block", { id }), refused("not_found"));
    await ask("bob", "rooms.unblock", { id });
    assert.deepEqual((await ask("alice", "rooms.invite", { id, uids: ["bob"] })).uids, ["bob"]);
    const asking = await make(["carol"], { invitations: "ask", join: "open" });
    await ask("carol", "rooms.block", { id: asking });
    await assert.rejects(ask("alice", "rooms.invite", { id: asking, uids: ["carol"] }), refused("blocked"));
    // Else any stranger could write into a room that anybody may join.
    await assert.rejects(ask("dave", "rooms.block", { id: asking }), refused("not_member"));
  });

  test(`${door}: nobody brings into a room who has blocked it, whole or not at all, and the blocker sees nothing`, async () => {
    await byHttp("erin", "roster.block", { id: "bob" });
    const { id } = await ask("bob", "rooms.create", { name: "Bob's", members: ["dave"] });
    for (const uids of [["erin"], ["carol", "erin"]]) {
      await assert.rejects(ask("bob", "rooms.invite", { id, uids }), refused("blocked"));
      await assert.rejects(ask("bob", "rooms.create", { name: "Trap", members: uids }), refused("blocked"));
      const name = `trap-${door.toLowerCase()}`;
      await assert.rejects(ask("bob", "rooms.create", { id: name, name, members: uids }), refused("blocked"));
      await assert.rejects(ask("carol", "rooms.get", { id: name }), refused("not_found"));
    }
    assert.deepEqual(await roles(id, "dave"), { bob: "owner", dave: "member" });
    await ask("bob", "rooms.update", { id, settings: { invitations: "ask", invite: "member" } });
    await assert.rejects(ask("bob", "rooms.invite", { id, uids: ["erin"] }), refused("blocked"));
    assert.deepEqual((await ask("erin", "rooms.invitations")).invitations, []);
    assert.deepEqual((await ask("dave", "rooms.invite", { id, uids: ["erin"] })).invited, ["erin"]);
    await ask("erin", "rooms.refuse", { id });
    await byHttp("erin", "roster.unblock", { id: "bob" });
    assert.deepEqual((await ask("bob", "rooms.invite", { id, uids: ["erin"] })).invited, ["erin"]);
    await byHttp("erin", "roster.block", { id: "bob" });
    assert.deepEqual((await ask("erin", "rooms.invitations")).invitations, [], "nor what was before the block");
    await byHttp("erin", "roster.unblock", { id: "bob" });
  });

  test(`${door}: an invite link lets in as many as it says, until it ends`, async () => {
    const id = await make(["bob"]);
    await assert.rejects(ask("bob", "rooms.makeLink", { id }), refused("forbidden", "link"));
    const one = await ask("alice", "rooms.makeLink", { id, uses: 1, seconds: 3_600 });
    assert.match(one.link, /^[0-9a-zA-Z_-]{43}$/);
    await assert.rejects(ask("carol", "rooms.join", { id, link: "x".repeat(43) }), refused("not_found"));
    const both = await Promise.allSettled(
      ["carol", "dave"].map((uid) => ask(uid, "rooms.join", { id, link: one.link })),
    );
    assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const late = both.find(({ status }) => status === "rejected") as PromiseRejectedResult;
    assert.ok(refused("forbidden", "link")(late.reason), "who shows a link that was good knows of the room");
    const { link: _, ...shown } = one;
    assert.deepEqual((await ask("alice", "rooms.links", { id })).links, [shown]);
    await assert.rejects(ask("bob", "rooms.links", { id }), refused("forbidden"));
    assert.ok((await read("bob", id)).every((message) => !JSON.stringify(message).includes("hash")));
    const other = await ask("alice", "rooms.makeLink", { id });
    await ask("alice", "rooms.removeLink", { id, link: other.id });
    await assert.rejects(ask("erin", "rooms.join", { id, link: other.link }), refused("not_found"));
  });

  test(`${door}: an archived room is read and left, not written in or joined`, async () => {
    const id = await make(["bob"], { join: "open" });
    await say("bob", id);
    await assert.rejects(ask("bob", "rooms.archive", { id }), refused("forbidden", "archive"));
    await ask("alice", "rooms.archive", { id });
    await assert.rejects(say("alice", id), refused("forbidden", "archived"));
    await assert.rejects(ask("dave", "rooms.join", { id }), refused("forbidden", "archived"));
    await assert.rejects(ask("alice", "rooms.invite", { id, uids: ["dave"] }), refused("forbidden", "archived"));
    await assert.rejects(ask("alice", "rooms.update", { id, name: "No" }), refused("forbidden", "archived"));
    assert.equal((await ask("bob", "rooms.get", { id })).archived, true);
    assert.equal((await read("bob", id)).length, 3);
    await ask("alice", "rooms.unarchive", { id });
    await say("bob", id);
    assert.equal((await ask("bob", "rooms.get", { id })).archived, undefined);
  });

  test(`${door}: of a deleted room nobody reads anything but that it is gone`, async () => {
    const id = await make(["bob", "carol"], { join: "open" });
    await say("bob", id, "secret");
    await ask("carol", "rooms.leave", { id });
    await assert.rejects(ask("bob", "rooms.delete", { id }), refused("forbidden", "delete"));
    const { seq } = await ask("alice", "rooms.delete", { id });
    for (const uid of ["alice", "bob"]) {
      const kept = await read(uid, id);
      assert.deepEqual(
        kept.map((message) => [message.seq, message.content.data.event]),
        [[seq, "delete"]],
      );
      const { conversations } = await byHttp(uid, "sync", { cursors: { [`room/${id}`]: 1 } });
      const synced = conversations.find(({ conv }: Answer) => conv === `room/${id}`);
      assert.deepEqual(
        synced.messages.map((message: Answer) => message.seq),
        [seq],
      );
      assert.equal(synced.unread, 0);
      await assert.rejects(ask(uid, "rooms.get", { id }), refused("not_found"));
      assert.ok(!(await ask(uid, "rooms.list")).rooms.some((room: Answer) => room.id === id));
      const listed = (await byHttp(uid, "conversations.list")).conversations;
      assert.ok(!listed.some(({ conv }: Answer) => conv === `room/${id}`));
    }
    assert.deepEqual(await read("carol", id), []);
    for (const uid of ["bob", "dave"]) await assert.rejects(ask(uid, "rooms.join", { id }), refused("not_found"));
    await assert.rejects(say("alice", id), refused("not_found"));
    await assert.rejects(ask("alice", "rooms.create", { id, name: "Again" }), refused("conflict"));
  });
}

test("members come in pages, in the order of their uids, that the caller's device takes", async () => {
  const id = (await byHttp("alice", "rooms.create", { name: "Pages", members: ["bob", "carol", "dave"] })).id;
  const uids: string[] = [];
  for (let page: string | null | undefined; page !== null; ) {
    const answer: Answer = await byHttp("alice", "rooms.members", { id, limit: 3, ...(page && { page }) });
    uids.push(...answer.members.map(({ uid }: Answer) => uid));
    page = answer.next;
  }
  assert.deepEqual(uids, ["alice", "bob", "carol", "dave"]);
  const caller = { uid: "alice", via: "mqtt", maxBytes: 700 } as const;
  const { members, next } = await callMethod(api.nats, roomsMembers, caller, { id }, { timeoutMs: 12_000 });
  assert.deepEqual([members.length, next], [2, "bob"]);
});

test("rooms and invitations come in pages that the caller's device takes, each of them once", async () => {
  const description = "d".repeat(900);
  const [rooms, asked] = [[] as string[], [] as string[]];
  for (let count = 0; count < 3; count++) {
    rooms.push((await byHttp("alice", "rooms.create", { name: "Long", description, members: ["erin"] })).id);
    const { id } = await byHttp("alice", "rooms.create", { name: "n".repeat(128), settings: { invitations: "ask" } });
    await byHttp("alice", "rooms.invite", { id, uids: ["erin"] });
    asked.push(id);
  }
  const listed = async (name: string, key: string, maxBytes: number) => {
    const found: string[] = [];
    for (let page: string | null | undefined; page !== null; ) {
      const caller = { uid: "erin", via: "mqtt", maxBytes } as const;
      const params = page === undefined ? {} : { page };
      const answer: Answer = await callMethod(api.nats, methods.get(name) as Method, caller, params, {
        timeoutMs: 12_000,
      });
      assert.ok(JSON.stringify(answer).length < maxBytes);
      found.push(...answer[key].map((one: Answer) => one.id));
      page = answer.next;
    }
    return found;
  };
  const room = await listed("rooms.list", "rooms", 2_500);
  assert.equal(new Set(room).size, room.length);
  assert.ok(rooms.every((id) => room.includes(id)));
  const invitations = await listed("rooms.invitations", "invitations", 800);
  assert.equal(new Set(invitations).size, invitations.length);
  assert.ok(asked.every((id) => invitations.includes(id)));
});

test("SlimChat's paths are taken with a last slash too", async () => {
  const { id } = (await api.call("POST", "/rooms/", { token: token.alice as string, json: { name: "Slash" } })).body;
  const invited = await api.call("POST", `/rooms/${id}/members/`, {
    token: token.alice as string,
    json: { uids: ["bob"] },
  });
  assert.deepEqual(invited.body.uids, ["bob"]);
  const { body } = await api.call("GET", `/rooms/${id}/members/`, { token: token.bob as string });
  assert.equal(body.members.length, 2);
});

test("a room of many members is made in one request, all of them in it, and the request repeated changes nothing", async () => {
  const uids = Array.from({ length: 1_200 }, (_, n) => `many${n}`);
  const made = await api.call("POST", "/keys", { token: api.secrets.servicesSecret, json: { name: "many" } });
  for (let at = 0; at < uids.length; at += 100)
    await Promise.all(
      uids.slice(at, at + 100).map((uid) => api.call("POST", "/users", { token: made.body.key, json: { uid } })),
    );
  const create = () =>
    api.call("POST", "/rooms", {
      token: token.alice as string,
      json: { id: "many", name: "Many", members: uids },
      headers: { "idempotency-key": "many" },
    });
  const { body } = await create();
  assert.equal(body.members, 1_201, JSON.stringify(body));
  assert.deepEqual((await create()).body, body);
  const found: string[] = [];
  for (let page: string | null | undefined; page !== null; ) {
    const answer: Answer = await byHttp("alice", "rooms.members", { id: "many", ...(page && { page }) });
    found.push(...answer.members.map(({ uid }: Answer) => uid));
    page = answer.next;
  }
  assert.deepEqual(found, ["alice", ...uids].sort());
  assert.equal((await read("alice", "many")).length, 2);
});
