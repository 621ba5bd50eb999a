// The HTTP calls of the SlimChat draft, in its order, its spelling and its objects: Buddy and Room.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually } from "@parley/testkit";
import { startHistoryProcess } from "./history-process.ts";
import { type Reply, startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after });
startHistoryProcess({ after }, api);
const token: Record<string, string> = {};
for (const uid of ["jack", "rose", "cal"]) token[uid] = (await api.user(uid, "android")).token;
const as = (uid: string, verb: string, path: string, json?: object) =>
  api.call(verb, path, { token: token[uid] as string, ...(json ? { json } : {}) });
// biome-ignore lint/suspicious/noExplicitAny: what api answers is what the tests look at
const ok = async (reply: Promise<Reply>): Promise<any> => {
  const { status, body } = await reply;
  assert.ok(status === 200 || status === 201, JSON.stringify(body));
  return body;
};
const refused = async (reply: Promise<Reply>, expected: number, code: string) => {
  const { status, body } = await reply;
  assert.deepEqual([status, body.error?.code], [expected, code], JSON.stringify(body));
};
type Fields = Record<string, unknown>;
const fieldsOf = (object: Fields, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, object[name]]));
const fields = ["id", "name", "nick", "group", "avatar"];
const buddies = async (uid: string): Promise<Fields[]> =>
  (await ok(as(uid, "GET", "/roster"))).contacts.map((contact: Fields) => fieldsOf(contact, fields));

await eventually(async () => (await as("jack", "POST", "/sync", {})).status === 200, { timeoutMs: 60_000 });

test("the roster is synced as Buddy objects: POST and GET /roster", async () => {
  await ok(as("rose", "PUT", "/profile", { name: "Rose D", nick: "Rosie", avatar: "http://gravatar.com/kd.png" }));
  const buddy = { id: "rose", name: "Rose D", nick: "Rosie", group: "friend", avatar: "http://gravatar.com/kd.png" };
  await ok(as("jack", "POST", "/roster", { id: "rose", group: "friend" }));
  assert.deepEqual(await buddies("jack"), [buddy]);
});

test("a Buddy is taken back whole as it was given: PUT /roster/{id}; name and avatar stay the user's own", async () => {
  const [buddy] = await buddies("jack");
  const changed = { ...buddy, nick: "R", group: "crew", name: "Somebody", avatar: "http://else.example/x.png" };
  const answered = await ok(as("jack", "PUT", "/roster/rose", changed));
  const expected = { ...buddy, nick: "R", group: "crew" };
  assert.deepEqual(fieldsOf(answered, fields), expected);
  assert.deepEqual(await buddies("jack"), [expected]);
  await ok(as("cal", "POST", "/roster/", { ...buddy, nick: "R" }));
  assert.deepEqual(
    (await buddies("cal")).map(({ nick, name }) => [nick, name]),
    [["R", "Rose D"]],
  );
});

test("an id in the body that is not the path's is refused", () =>
  refused(as("jack", "PUT", "/roster/rose", { id: "cal", nick: "C" }), 400, "invalid_packet"));

test("a buddy is blocked and unblocked, and removed", async () => {
  const said = () => as("rose", "POST", "/messages", { to: "user/jack", content: { type: "text", data: "hi" } });
  await ok(as("jack", "POST", "/roster/rose/block"));
  await refused(said(), 403, "blocked");
  await ok(as("jack", "POST", "/roster/rose/unblock"));
  await ok(said());
  await ok(as("jack", "DELETE", "/roster/rose"));
  assert.deepEqual(await buddies("jack"), []);
});

const room = { id: "rd", name: "room", nick: "Room1", group: "RD", avatar: "http://gravatar.com/r.png" };

test("rooms are made from a Room object and synced as such: POST /rooms/ and GET /rooms", async () => {
  assert.deepEqual(fieldsOf(await ok(as("jack", "POST", "/rooms/", room)), fields), room);
  const { rooms } = await ok(as("jack", "GET", "/rooms"));
  assert.deepEqual(
    rooms.map((one: Fields) => fieldsOf(one, fields)),
    [room],
  );
});

test("a room's nick is changed and taken away by itself, and is its name where it has none", async () => {
  const nickOf = async (change: object) => (await ok(as("jack", "PUT", "/rooms/rd", change))).nick;
  assert.equal(await nickOf({ nick: "Room2" }), "Room2");
  assert.equal(await nickOf({ name: "room" }), "Room2");
  assert.equal(await nickOf({ nick: null }), "room");
  assert.equal(await nickOf(room), "Room1");
  await refused(as("jack", "PUT", "/rooms/rd", { nick: "   " }), 400, "invalid_packet");
});

test("members are invited and listed: POST and GET /rooms/{room}/members/", async () => {
  await ok(as("jack", "POST", "/rooms/rd/members/", { uids: ["rose"] }));
  const { members } = await ok(as("rose", "GET", "/rooms/rd/members/"));
  assert.deepEqual(
    members.map(({ uid, role }: Fields) => [uid, role]),
    [
      ["jack", "owner"],
      ["rose", "member"],
    ],
  );
});

test("who is asked first agrees: POST /rooms/{room}/join", async () => {
  await ok(as("cal", "PUT", "/invitations", { invitations: "ask" }));
  assert.deepEqual((await ok(as("jack", "POST", "/rooms/rd/members/", { uids: ["cal"] }))).invited, ["cal"]);
  await ok(as("cal", "POST", "/rooms/rd/join"));
  assert.equal((await ok(as("cal", "GET", "/rooms"))).rooms.length, 1);
});

test("a room is left, blocked and unblocked: POST /rooms/{room}/leave, /block, /unblock", async () => {
  await ok(as("rose", "POST", "/rooms/rd/leave"));
  await ok(as("rose", "POST", "/rooms/rd/block"));
  await refused(as("jack", "POST", "/rooms/rd/members/", { uids: ["rose"] }), 403, "blocked");
  await ok(as("rose", "POST", "/rooms/rd/unblock"));
  await ok(as("jack", "POST", "/rooms/rd/members/", { uids: ["rose"] }));
  assert.equal((await ok(as("rose", "GET", "/rooms"))).rooms.length, 1);
});

test("a picture goes up at POST /attachements/ and comes down at GET /attachements/{id}, for whom it was sent to", async () => {
  const png = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  );
  const headers = { "content-type": "application/octet-stream" };
  const up = api.call("POST", "/attachements/?name=p.png", { token: token.jack!, raw: png, headers });
  const { id, mime } = await ok(up);
  assert.equal(mime, "image/png");
  const read = (uid: string) =>
    fetch(`${api.url}/attachements/${id}`, { headers: { authorization: `Bearer ${token[uid]}` } });
  assert.equal((await read("rose")).status, 404);
  const content = { type: "image", url: `/attachements/${id}` };
  await ok(as("jack", "POST", "/messages", { to: "user/rose", content }));
  const down = await read("rose");
  assert.equal(down.status, 200);
  assert.deepEqual(Buffer.from(await down.arrayBuffer()), png);
});
