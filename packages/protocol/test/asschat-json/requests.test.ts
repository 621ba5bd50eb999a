// ASSChat's second form: what devices ask of the server, and how users are there.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AppError,
  conversationsUpdate,
  presenceGet,
  presenceList,
  pushRegister,
  pushRemove,
  roomsCreate,
  roomsDelete,
  roomsGet,
  roomsInvite,
  roomsLeave,
  roomsList,
  roomsMembers,
  roomsRemove,
  roomsUpdate,
  rosterList,
} from "@parley/protocol";
import { dialectOf } from "@parley/protocol/dialects";
import { answersOf, changesOf, open, roomOf } from "./device.ts";

const users = [
  { user_id: "ada", mode: 7 },
  { user_id: "bob", mode: 7 },
];

/** A device whose changes are done. */
function working() {
  const device = open();
  const { parley } = device;
  parley.answer(roomsCreate, ({ id = "" }) => roomOf(id, { role: "owner" }));
  parley.answer(roomsUpdate, ({ id }) => roomOf(id));
  parley.answer(roomsDelete, () => ({ seq: 1 }));
  parley.answer(roomsLeave, () => ({ seq: 1, uids: [] }));
  parley.answer(roomsRemove, ({ uids = [] }) => ({ seq: 1, uids }));
  parley.answer(roomsInvite, ({ uids }) => ({ seq: 1, uids }));
  parley.answer(conversationsUpdate, ({ conv }) => ({ conv, settings: {} }));
  return device;
}

test("a channel is made with the modes of its users, and answered where a reply is wanted", async () => {
  const { ask, parley } = working();
  const some = [...users, { user_id: "cal", mode: 4 }, { user_id: "dan", mode: 3 }];
  const answer = await ask("ch_create", {
    req_id: "5b18",
    ch_id: "ch1",
    ch_name: "One",
    users: some,
    want_reply: true,
  });
  assert.deepEqual(answer, {
    req_id: "5b18",
    type: "ch_create",
    rcode: 201,
    rmsg: "channel created; push is each user's own to set",
    ch_id: "ch1",
  });
  const modes = { read: ["cal"], write: ["dan"] };
  const room = { id: "ch1", name: "One", members: ["bob", "cal", "dan"], modes, settings: { leastMembers: 2 } };
  assert.deepEqual(changesOf(parley), [["rooms.create", room]]);
  assert.equal(await ask("ch_create", { req_id: "5b19", ch_id: "ch2", users }), undefined);
});

test("a channel without an id is given one, the same for the same request, and made once", async () => {
  const first = working();
  const request = { req_id: "5b18", users, want_reply: true };
  const made = await first.ask("ch_create", request);
  assert.match(`${made?.ch_id}`, /^c-[0-9a-f]{24}$/);
  const again = working();
  again.parley.answer(roomsCreate, () => {
    throw new AppError("conflict");
  });
  assert.deepEqual(await again.ask("ch_create", request, { dup: true }), made);
  assert.notEqual((await first.ask("ch_create", { ...request, req_id: "5b19" }))?.ch_id, made?.ch_id);
  assert.equal((await first.ask("ch_create", { users, want_reply: true }))?.rcode, 400);
});

test("ch_create with the id of a channel of one's own changes it; of another's it is refused", async () => {
  const { ask, parley } = working();
  parley.answer(roomsCreate, () => {
    throw new AppError("conflict");
  });
  const answer = await ask("ch_create", { req_id: 1, ch_id: "tea", ch_name: "Tea", users, want_reply: true });
  assert.deepEqual([answer?.rcode, answer?.rmsg], [200, "channel updated"]);
  const asked = changesOf(parley).map(([what]) => what);
  assert.deepEqual(asked.slice(0, 3), ["rooms.create", "rooms.update", "rooms.invite"]);
  parley.answer(roomsGet, () => {
    throw new AppError("not_found");
  });
  assert.equal((await ask("ch_create", { req_id: 2, ch_id: "secret", users }))?.rcode, 409);
});

test("the push bit of one's own mode mutes the conversation for oneself, and nobody else's is touched", async () => {
  for (const [mode, mutedUntil] of [
    [6, Number.MAX_SAFE_INTEGER],
    [7, 0],
  ] as const) {
    const { ask, parley } = working();
    const answer = await ask("ch_users_update", { ch_id: "tea", users: [{ user_id: "ada", mode }], want_reply: true });
    assert.deepEqual([answer?.rcode, answer?.rmsg], [201, "channel user added"]);
    assert.deepEqual(changesOf(parley), [["conversations.update", { conv: "room/tea", mutedUntil }]]);
  }
  const { ask, parley } = working();
  const answer = await ask("ch_users_update", { ch_id: "tea", users: [{ user_id: "bob", mode: 6 }], want_reply: true });
  assert.match(`${answer?.rmsg}`, /each user's own/);
  assert.deepEqual(changesOf(parley), [["rooms.invite", { id: "tea", uids: ["bob"], mode: "read-write" }]]);
});

test("users go out and channels end", async () => {
  const { ask, parley } = working();
  const gone = await ask("ch_users_delete", { req_id: "c", ch_id: "$tea", users: ["bob", "ada"], want_reply: true });
  assert.deepEqual(gone, {
    req_id: "c",
    type: "ch_users_delete",
    rcode: 200,
    rmsg: "channel user deleted",
    ch_id: "$tea",
  });
  const end = await ask("ch_delete", { req_id: "d", ch_id: "tea", want_reply: true });
  assert.deepEqual(end, { req_id: "d", type: "ch_delete", rcode: 200, rmsg: "channel deleted", ch_id: "tea" });
  assert.deepEqual(
    changesOf(parley).map(([what]) => what),
    ["rooms.remove", "rooms.leave", "rooms.delete"],
  );
});

test("a search finds channels of the user's own by what they are and who is in them", async () => {
  const { ask } = open();
  const found = async (query: string) => {
    const answer = await ask("ch_search", { req_id: "s", query });
    assert.deepEqual([answer?.rcode, answer?.type, answer?.req_id], [200, "ch_search", "s"]);
    return answer?.query_result as { ch_id: string }[];
  };
  const [coffee] = await found("expr('ch_name', 'cof+ee$')");
  assert.deepEqual(coffee, {
    ...{ ch_id: "coffee", ch_name: "The coffee", persis: true },
    // Its own user has it muted.
    users: [
      { user_id: "ada", mode: 6 },
      { user_id: "bob", mode: 5 },
      { user_id: "cal", mode: 3 },
    ],
  });
  const ids = async (query: string) => (await found(query)).map(({ ch_id }) => ch_id);
  assert.deepEqual(await ids("cs('users', ['cal', 'zoe'])"), ["coffee"]);
  assert.deepEqual(await ids("or(eq('ch_id', 'tea'), cs('users', ['cal']))"), ["tea", "coffee"]);
  assert.deepEqual(await ids("eq('ch_id', 'secret')"), []);
});

test("a search for users tells what they are called and may", async () => {
  const { ask } = open();
  const answer = await ask("ch_users_search", {
    req_id: 7,
    query: "and(eq('ch_id', 'coffee'), neq('user_id', 'ada'))",
  });
  assert.deepEqual(answer?.query_result, [
    { user_id: "bob", user_name: "BOB", mode: 5, ch_id: "coffee" },
    { user_id: "cal", user_name: "CAL", mode: 3, ch_id: "coffee" },
  ]);
});

test("a search reads nobody's users of channels that its query leaves out", async () => {
  const { ask, parley } = open();
  await ask("ch_users_search", { query: "eq('ch_id', 'tea')" });
  const asked = parley.asks.filter(([what]) => what === "rooms.members").map(([, params]) => params);
  assert.deepEqual(asked, [{ id: "tea" }]);
});

test("a channel that its user leaves while a search goes on is passed over", async () => {
  const { ask, parley } = open();
  parley.answer(roomsMembers, ({ id }) => {
    if (id === "tea") throw new AppError("not_member");
    return { members: [], next: null };
  });
  const answer = await ask("ch_search", { query: "neq('ch_id', 'none')" });
  assert.deepEqual(answer?.query_result, [{ ch_id: "coffee", ch_name: "The coffee", persis: true, users: [] }]);
});

test("a search that would read too much ends, and says that there is more", async () => {
  const { ask, parley } = open();
  const count = () => parley.asks.filter(([what]) => what === "rooms.members").length;
  const many = Array.from({ length: 60 }, (_, at) => roomOf(`r${at}`));
  parley.answer(roomsList, () => ({ rooms: many, next: null }));
  const users = await ask("ch_search", { query: "cs('users', ['nobody'])" });
  assert.deepEqual([users?.more, users?.query_result, count()], [true, [], 50]);
  parley.answer(roomsList, ({ page = "0" }) => ({ rooms: many, next: `${Number(page) + 1}` as never }));
  const none = await ask("ch_search", { query: "eq('ch_id', 'none')" });
  assert.deepEqual([none?.more, none?.query_result], [true, []]);
  assert.equal(parley.asks.filter(([what]) => what === "rooms.list").length, 1 + 4);
});

test("an answer to a search has a bounded size, and says that there is more", async () => {
  const { ask, parley } = open();
  const named = { name: "N".repeat(100), nick: "", avatar: "", role: "member" as const, joinSeq: 1 };
  const members = Array.from({ length: 1_000 }, (_, at) => ({ ...named, uid: `user-${at}` }));
  parley.answer(roomsMembers, () => ({ members, next: "user-999" }));
  const users = await ask("ch_users_search", { query: "eq('ch_id', 'tea')" });
  assert.equal(users?.more, true);
  assert.ok(JSON.stringify(users).length < 50_000);
  const channels = (await ask("ch_search", { query: "eq('ch_id', 'tea')" })) as {
    query_result: { users: unknown[]; more_users: boolean }[];
  };
  const [tea] = channels.query_result;
  assert.deepEqual([tea?.users.length, tea?.more_users], [200, true]);
  parley.answer(roomsMembers, () => ({ members: members.slice(0, 9), next: "user-8" }));
  assert.equal((await ask("ch_users_search", { query: "eq('ch_id', 'tea')" }))?.more, true);
});

test("every field of the wrong type, too much, or unknown is refused with a code, words and the request's id", async () => {
  const query = "eq('ch_id', 'tea')";
  const wrong: [verb: string, request: unknown, words: RegExp][] = [
    ["ch_create", { ch_id: 5, users }, /ch_id/],
    ["ch_create", { ch_id: "a b", users }, /no channel id/],
    ["ch_create", { ch_id: "x".repeat(40), users }, /channel|two/],
    ["ch_create", { ch_id: "ch1", users: "bob" }, /users/],
    ["ch_create", { ch_id: "ch1", users: ["bob"] }, /users\.0/],
    ["ch_create", { ch_id: "ch1", users: [{ user_id: "b b" }] }, /users\.0\.user_id/],
    ["ch_create", { ch_id: "ch1", users: [{ user_id: "bob", mode: 8 }] }, /users\.0\.mode/],
    ["ch_create", { ch_id: "ch1", users: [{ user_id: "bob", mode: 1 }] }, /mode 1 is for nobody/],
    ["ch_create", { ch_id: "ch1", users: [{ user_id: "ada", mode: 4 }, { user_id: "bob" }] }, /reads and writes/],
    ["ch_create", { ch_id: "ch1", users, persis: false }, /always kept/],
    ["ch_create", { ch_id: "ch1", users, persis: "yes" }, /persis/],
    ["ch_create", { ch_id: "ch1", users, color: "red" }, /unknown field color/],
    ["ch_create", { ch_id: "ch1", users, want_reply: 1 }, /want_reply/],
    ["ch_delete", {}, /ch_id is missing/],
    ["ch_users_update", { ch_id: "tea" }, /users is missing/],
    ["ch_users_update", { ch_id: "tea", users: [] }, /users/],
    ["ch_users_delete", { ch_id: "tea", users: [{ user_id: "bob" }] }, /users\.0/],
    ["ch_search", {}, /query is missing/],
    ["ch_search", { query: 5 }, /query/],
    ["ch_search", { query: "eq(" }, /not an expression/],
    ["ch_search", { query: "eq('user_id', 'bob')" }, /the properties are/],
    ["ch_users_search", { query: "cs('users', ['bob'])" }, /the properties are/],
    ["ch_users_search", { query: `${query}, ${query}` }, /one clause/],
    ["push_token_reg", { push_target: "APNS" }, /device_token is missing/],
    ["push_token_reg", { device_token: "t" }, /push_target is missing/],
    ["push_token_reg", { push_target: "WNS", device_token: "t" }, /APNS or FCM/],
    ["push_token_reg", { push_target: "constructor", device_token: "t" }, /APNS or FCM/],
    ["push_token_reg", { push_target: "FCM", device_token: 5 }, /device_token/],
    ["push_token_reg", { push_target: "FCM", device_token: "t", app_id: 5 }, /app_id/],
    ["push_token_unreg", { device_token: "t" }, /unknown field device_token/],
  ];
  for (const [verb, request, words] of wrong) {
    const { ask, parley } = working();
    parley.answer(roomsGet, () => {
      throw new AppError("not_found");
    });
    const answer = await ask(verb, { req_id: "r1", ...(request as object) });
    assert.equal(answer?.rcode, 400, `${verb} ${JSON.stringify(request)} ${answer?.rmsg}`);
    assert.match(`${answer?.rmsg}`, words);
    assert.deepEqual([answer?.type, answer?.req_id], [verb, "r1"]);
    assert.deepEqual(changesOf(parley), []);
  }
});

test("a device registers the token that it is notified by, and takes it back; it is answered where it asks for that", async () => {
  const { ask, parley } = open();
  parley.answer(pushRegister, () => ({ id: "t".repeat(43) }));
  parley.answer(pushRemove, () => ({}));
  const request = { req_id: "aa05f0d6f476", push_target: "APNS", device_token: "ab12", want_reply: true };
  assert.deepEqual(await ask("push_token_reg", request), {
    ...{ req_id: "aa05f0d6f476", type: "push_token_reg", rcode: 201, rmsg: "device token registered" },
  });
  const quiet = { push_target: "FCM", device_token: "f", app_id: "com.example.chat", want_reply: false };
  assert.equal(await ask("push_token_reg", quiet), undefined);
  assert.deepEqual(await ask("push_token_unreg", { req_id: "46e657cf3ea3", want_reply: true }), {
    ...{ req_id: "46e657cf3ea3", type: "push_token_unreg", rcode: 200, rmsg: "device token unregistered" },
  });
  assert.deepEqual(changesOf(parley), [
    ["push.register", { kind: "apns", token: "ab12" }],
    ["push.register", { kind: "fcm", token: "f", appId: "com.example.chat" }],
    ["push.remove", {}],
  ]);
  parley.answer(pushRegister, () => {
    throw new AppError("forbidden", "appId is missing");
  });
  const { rcode, rmsg } = (await ask("push_token_reg", { ...request, want_reply: false }))!;
  assert.deepEqual([rcode, rmsg], [403, "appId is missing"]);
});

test("what is no request is answered too: no JSON, verbs and topics that are not there", async () => {
  const { parley, take } = working();
  await take("ass/s/ch_create", '{"req_id":"cut off","users":[');
  await take("ass/s/ch_create", "[]");
  await take("ass/s/ch_rename", { req_id: 3 });
  await take("ass/s/constructor", { req_id: 4 });
  await take("ass/msg/$tea", "hi");
  await take("ch/tea/more", "hi");
  assert.deepEqual(
    answersOf(parley.said).map(({ type, rcode, req_id }) => [type, rcode, req_id]),
    [
      ["ch_create", 400, "cut off"],
      ["ch_create", 400, undefined],
      ["ch_rename", 404, 3],
      ["constructor", 404, 4],
      ["ass/msg/$tea", 404, undefined],
      ["ch/tea/more", 404, undefined],
    ],
  );
  assert.deepEqual(changesOf(parley), []);
});

test("a device says how it is there on its own topic, and on nobody else's; a Will there says nothing new", async () => {
  const { parley, take } = open();
  await take("status/ada:pc", "offline");
  await take("status/ada", '"online"');
  await take("status/ada:pc", "offline", { will: true });
  assert.deepEqual(changesOf(parley), [
    ["state", { show: "invisible" }],
    ["state", { show: "online" }],
  ]);
  await take("status/bob", "offline");
  await take("status/ada:phone", "offline");
  await take("status/ada:pc", "busy");
  assert.deepEqual(
    answersOf(parley.said).map(({ type, rcode }) => [type, rcode]),
    [
      ["status", 403],
      ["status", 403],
      ["status", 400],
    ],
  );
  assert.equal(changesOf(parley).length, 2);
});

test("the status of others is told where a filter asks for it, and then as it changes", async () => {
  const { parley, speaker, tree } = open(["#", "status/bob/#", "status/bob:pc", "status/bob/pc", "status/stranger"]);
  parley.answer(presenceGet, ({ uid }) => {
    if (uid === "stranger") throw new AppError("not_found");
    return { uid, show: "away" as const, lastSeen: null };
  });
  await speaker.subscribed?.(tree.filters);
  assert.deepEqual(parley.said, [
    { topic: "status/bob", payload: "online" },
    { topic: "status/bob:pc", payload: "online" },
    { topic: "status/bob/pc", payload: "online" },
  ]);
  const changed = (uid: string) => speaker.render({ type: "presence", uid, show: "offline", lastSeen: 1 });
  assert.deepEqual(await changed("bob"), [
    { topic: "status/bob", payload: "offline" },
    { topic: "status/bob:pc", payload: "offline" },
    { topic: "status/bob/pc", payload: "offline" },
  ]);
  assert.deepEqual(await changed("cal"), []);
});

test("a filter for everybody's status is told of contacts alone", async () => {
  const { parley, speaker } = open(["#", "status/+"]);
  const contact = {
    changedAt: 1,
    nick: "",
    name: "",
    avatar: "",
    group: "",
    note: "",
    tags: [],
    muted: false,
    blocked: false,
  };
  parley.answer(presenceList, () => ({
    contacts: [{ uid: "bob", show: "online" as const, lastSeen: null }],
    next: null,
  }));
  parley.answer(rosterList, () => ({
    contacts: (["bob", "cal", "dan"] as const).map((id) => ({
      ...contact,
      id,
      relation: id === "dan" ? "pending" : "contact",
    })) as never,
    ...{ version: 1, whole: true, next: null },
  }));
  await speaker.subscribed?.(["#", "status/+"]);
  assert.deepEqual(
    parley.said.map(({ topic, payload }) => `${topic} ${payload}`),
    ["status/bob online", "status/cal offline"],
  );
});

test("each topic has one owner: the two forms, the other protocols, and guests", () => {
  const owner = (topic: string, guestPrefixes: string[] = []) => dialectOf({ topic, guestPrefixes })?.name;
  for (const [topic, name] of [
    ["ch/ch1", "asschat-json"],
    ["ch/+", "asschat-json"],
    ["ass/s/ch_create", "asschat-json"],
    ["ass/c/ada:pc", "asschat-json"],
    ["$share/g/ch/ch1", "asschat-json"],
    ["status/bob", "asschat-json"],
    ["status/bob/#", "asschat-json"],
    ["ass/#", "asschat"],
    ["ass/msg/$tea", "asschat"],
    ["ass/cmd/create", "asschat"],
    ["ass/ack", "asschat"],
    ["ch/message", "mqtt-chat"],
    ["ch/o/m", "mqtt-chat"],
    ["status/s/l", "mqtt-chat"],
    ["status/chatstate", "mqtt-chat"],
    ["ch", undefined],
    ["ch/a/b", undefined],
    ["chat/tea", undefined],
  ] as const)
    assert.equal(owner(topic), name, topic);
  assert.equal(owner("ch/tea", ["ch"]), "chatroom");
  assert.equal(owner("ch/+", ["ch"]), "chatroom");
  assert.equal(owner("ch/tea", ["chat"]), "asschat-json");
});
