// Push through the whole system: what is said to who is away comes to local providers, as its user wants to be told.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { callHttp, type Session } from "@parley/client";
import {
  conversationsMark,
  conversationsUpdate,
  logout,
  messagesSend,
  type PushReplayReply,
  pushList,
  pushRegister,
  pushUpdateSettings,
  roomsCreate,
  roomsInvite,
  rosterRequest,
} from "@parley/protocol";
import {
  type ApnsRequest,
  eventually,
  fcmError,
  startApns,
  startFcm,
  startTestCluster,
  startWebPush,
} from "@parley/testkit";
import { logIn } from "./mosquitto.ts";
import { runParley } from "./parley.ts";
import { connectAs, registerAll } from "./people.ts";

const home = await mkdtemp(join(tmpdir(), "parley-push-"));
after(() => rm(home, { recursive: true, force: true }));
const [apns, fcm, web] = await Promise.all([startApns({ after }), startFcm({ after }), startWebPush({ after })]);
const providers = { ...apns.settings, ...fcm.settings, ...web.settings };
const cluster = await startTestCluster({ after }, { env: { ...providers, PUSH_DELAY_MS: "300" } });
await registerAll(cluster, "ann", "bob", "cal", "dan", "eve", "fay");
const { http } = cluster.run();
const ann = await logIn(cluster, "ann", "web");
const auth = ({ token }: Session) => ({ token });
const hex = (byte: number) => byte.toString(16).padStart(2, "0").repeat(32);
const text = (data: string, more: object = {}) => ({ type: "text", data, ...more });
const say = (to: string, content: { type: string }, from = ann) =>
  callHttp(http, messagesSend, { to, content: content as never }, auth(from));

/** A phone that is logged in and not connected. */
async function phone(uid: string, byte: number, more: object = {}, device = "phone"): Promise<Session> {
  const session = await logIn(cluster, uid, device);
  await callHttp(http, pushRegister, { kind: "apns", token: hex(byte), appId: "app.parley", ...more }, auth(session));
  return session;
}
let marks = 0;
/** What was said before is told, or is not told: another message, behind it, has been. */
async function isThrough(): Promise<void> {
  const mark = `mark ${++marks}`;
  await say("user/bob", text(mark));
  await eventually(() => wordsOf(0xb0).some((words) => words.includes(mark)));
}

/** What APNs was sent for a token, as texts to look into. */
const sentTo = (byte: number) => apns.seen.filter(({ token }) => token === hex(byte));
const badgeOf = (sent: ApnsRequest | undefined) =>
  (sent?.payload as { aps?: { badge?: number } } | undefined)?.aps?.badge;
const wordsOf = (byte: number) => sentTo(byte).map(({ payload }) => JSON.stringify(payload));

test("each device that is away is notified once, by its own provider, with name, words, badge and conversation", async () => {
  await phone("bob", 0xb0);
  const tab = await logIn(cluster, "bob", "tab");
  await callHttp(
    http,
    pushRegister,
    { kind: "fcm", token: "fcm-of-bob-0123456789", appId: "app.parley", language: "de" },
    auth(tab),
  );
  const browser = await logIn(cluster, "bob", "web");
  await callHttp(http, pushRegister, { kind: "webpush", subscription: web.subscribe() }, auth(browser));
  await say("user/bob", text("first"));
  await say("user/bob", text("second"));
  await eventually(() => sentTo(0xb0).length === 2 && fcm.seen.length === 2 && web.seen.length === 2);
  const [, last] = sentTo(0xb0);
  assert.ok(last);
  const { aps, ...data } = last.payload as { aps: { alert: object; badge: number; "thread-id": string } };
  assert.deepEqual(aps.alert, { title: "ann", body: "second" });
  assert.equal(aps.badge, 2);
  assert.deepEqual([(data as { conv?: string }).conv, (data as { seq?: number }).seq], ["p2p/ann/bob", 2]);
  const [collapse] = new Set(sentTo(0xb0).map(({ headers }) => headers["apns-collapse-id"]));
  assert.ok(collapse !== undefined && sentTo(0xb0).every(({ headers }) => headers["apns-collapse-id"] === collapse));
  assert.equal(fcm.seen[1]?.token, "fcm-of-bob-0123456789");
  assert.match(JSON.stringify(fcm.seen[1]?.message), /second/);
  assert.match(web.seen[1]?.payload ?? "", /second/);
  await callHttp(http, conversationsMark, { conv: "p2p/ann/bob", read: 2 }, auth(tab));
  await eventually(() => sentTo(0xb0).length === 3);
  assert.equal(badgeOf(sentTo(0xb0)[2]), 0, "what is read elsewhere leaves the badge");
  assert.equal(web.seen.length, 2, "a browser must show what it is sent");
});

test("who is connected and active, who reads in time, who sent it, and who is muted or blocked is not notified", async (t) => {
  const [cals, dans] = [await phone("cal", 0xc0), await phone("dan", 0xd0)];
  const { conv } = await callHttp(http, roomsCreate, { name: "Tea", members: ["cal", "dan"] }, auth(ann));
  await eventually(() => sentTo(0xc0).length === 1 && sentTo(0xd0).length === 1);
  assert.match(wordsOf(0xc0)[0] ?? "", /Tea/, "who is taken into a room is told");
  // The phone of cal connects: it has what is said by itself.
  const { client } = await connectAs(t, cluster, "cal", { device: "phone" });
  await callHttp(http, conversationsUpdate, { conv, mutedUntil: Date.now() + 60_000 }, auth(dans));
  await say(conv, text("muted for dan"));
  await say(conv, text("said by cal"), cals);
  await say(conv, text("hey @dan", { mentions: ["dan"] }));
  await eventually(() => sentTo(0xd0).length === 2);
  assert.match(wordsOf(0xd0)[1] ?? "", /hey @dan/, "a mention passes a mute");
  await callHttp(http, pushUpdateSettings, { mentions: false }, auth(dans));
  await say(conv, text("again @dan", { mentions: ["dan"] }));
  await isThrough();
  await callHttp(http, conversationsUpdate, { conv, mutedUntil: 0 }, auth(dans));
  await callHttp(http, pushUpdateSettings, { preview: "none" }, auth(dans));
  client.setDeviceState({ active: false });
  await say(conv, text("to all"));
  await eventually(() => sentTo(0xd0).length === 3 && sentTo(0xc0).length === 2);
  assert.doesNotMatch(wordsOf(0xd0)[2] ?? "", /to all|Tea|ann|room/, "nothing is shown to who wants it so");
  assert.match(wordsOf(0xc0)[1] ?? "", /to all/, "a device that is connected and inactive is told");
});

test("a call rings at once by the voip token, and a request to be a contact is told", async () => {
  await phone("eve", 0xe0);
  await phone("eve", 0xe1, { kind: "apns-voip" });
  const before = Date.now();
  await say("user/eve", { type: "call", media: "audio", outcome: "ringing", call: "c1" } as never);
  await eventually(() => sentTo(0xe1).length === 1);
  const [ring] = sentTo(0xe1);
  assert.equal(ring?.headers["apns-push-type"], "voip");
  assert.equal(ring?.headers["apns-topic"], "app.parley.voip");
  const expiresMs = Number(ring?.headers["apns-expiration"]) * 1_000 - before;
  assert.ok(expiresMs > 20_000 && expiresMs <= 31_000, `${expiresMs}`);
  assert.equal(sentTo(0xe0).length, 0, "it rings by one token alone");
  await say("user/eve", { type: "call", media: "audio", outcome: "missed", call: "c1" } as never);
  await eventually(() => sentTo(0xe0).length === 1);
  await callHttp(http, rosterRequest, { id: "eve" }, auth(ann));
  await eventually(() => sentTo(0xe0).length === 2);
  assert.match(wordsOf(0xe0)[1] ?? "", /ann/);
});

test("who logs out is notified no more, and a token that the provider does not know goes", async (t) => {
  const session = await phone("fay", 0xf0);
  const other = await phone("fay", 0xf1, {}, "other");
  apns.answer(
    ({ token }) =>
      (token === hex(0xf1) ? { status: 410, reason: "Unregistered", timestamp: Date.now() } : undefined) as never,
  );
  t.after(() => apns.answer(() => undefined));
  const { code, out } = await runParley(t, { cluster, home }, ["push", "test", "fay", "--json"]);
  const results = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { clientId: string; outcome: string });
  assert.deepEqual(results.map(({ clientId, outcome }) => [clientId, outcome]).sort(), [
    ["fay:other", "gone"],
    ["fay:phone", "sent"],
  ]);
  assert.equal(code, 1, "one was not sent");
  assert.deepEqual(
    (await callHttp(http, pushList, {}, auth(other))).tokens.map(({ clientId }) => clientId),
    ["fay:phone"],
  );
  await callHttp(http, logout, {} as never, auth(session));
  const before = sentTo(0xf0).length;
  await say("user/fay", text("are you there?"));
  await say("user/bob", text("somebody else"));
  await eventually(() => wordsOf(0xb0).some((words) => words.includes("somebody else")));
  assert.equal(sentTo(0xf0).length, before);
});

test("a provider that fails costs nothing: it is tried again, and what it refuses waits for an operator", async (t) => {
  const tries = () => fcm.seen.filter(({ message }) => JSON.stringify(message).includes("while it is down"));
  fcm.answer(() => fcmError(503, "UNAVAILABLE"));
  await say("user/bob", text("while it is down"));
  await eventually(() => tries().length === 1);
  fcm.answer(() => undefined);
  await eventually(() => tries().length === 2);
  fcm.answer(() => fcmError(400, "INVALID_ARGUMENT", { violation: "message.data" }));
  await say("user/bob", text("refused"));
  const refusals = () => fcm.seen.filter(({ message }) => JSON.stringify(message).includes("refused"));
  await eventually(() => refusals().length === 1);
  fcm.answer(() => undefined);
  const replay = ["push", "replay", "--provider", "fcm", "--json"];
  // It is a dead letter a moment after the provider has refused it.
  await eventually(async () => {
    const { out, err } = await runParley(t, { cluster, home }, replay);
    assert.equal(err, "");
    return (JSON.parse(out) as { replayed: number }).replayed === 1;
  });
  await eventually(() => refusals().length === 2);
  const { out } = await runParley(t, { cluster, home }, replay);
  const { waiting, ...replayed } = JSON.parse(out) as PushReplayReply;
  assert.deepEqual(replayed, { replayed: 0, expired: 0, left: 0 });
  assert.deepEqual(Object.keys(waiting ?? {}), ["fcm"], "it says what waits for the provider");
});

test("who is invited to a room is told by whom", async () => {
  const { id } = await callHttp(http, roomsCreate, { name: "Garden" }, auth(ann));
  await callHttp(http, roomsInvite, { id, uids: ["eve"] }, auth(ann));
  await eventually(() => wordsOf(0xe0).some((words) => /Garden/.test(words) && /ann/.test(words)));
});
