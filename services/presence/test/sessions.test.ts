import assert from "node:assert/strict";
import { test } from "node:test";
import { devicesList, subjects } from "@parley/protocol";
import { callMethod } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { type Presence, startOne } from "./start.ts";

/** alice's devices and which are online, as devices.list says. */
async function online({ nats }: Presence, uid = "alice"): Promise<string[]> {
  const { devices } = await callMethod(nats, devicesList, { uid, via: "service" }, {}, { timeoutMs: 30_000 });
  return devices.filter((device) => device.online).map(({ clientId }) => clientId);
}

const shows = (presence: Presence, uid = "alice") => presence.noticesOf(uid).map(({ show }) => show);

/** bob is online and alice's contact, so that he is told of her. */
async function withBob(presence: Presence): Promise<void> {
  presence.contacts.set("alice", ["bob"]).set("bob", ["alice"]);
  assert.deepEqual(await presence.connect("bob"), { ok: true });
}

test("a device that connects is online, and its user's online contacts are told once", async (t) => {
  const presence = await startOne(t);
  await withBob(presence);
  assert.deepEqual(await presence.connect("alice:phone"), { ok: true });
  assert.deepEqual(await presence.connect("alice:web"), { ok: true });
  await eventually(() => shows(presence).length > 0);
  assert.deepEqual(await online(presence), ["alice:phone", "alice:web"]);
  const told = presence.told.filter(({ uids }) => uids?.includes("bob"));
  assert.deepEqual(told, [
    { uids: ["bob"], channel: "e", packet: { type: "presence", uid: "alice", show: "online", lastSeen: null } },
  ]);
});

test("a device that connects is told which of its user's contacts are online", async (t) => {
  const presence = await startOne(t);
  await withBob(presence);
  presence.contacts.set("alice", ["bob", "carol"]);
  await presence.connect("alice:phone");
  const greeting = await eventually(() => presence.told.find(({ device }) => device?.clientId === "alice:phone"));
  assert.deepEqual(greeting.packet, { type: "presence", uid: "bob", show: "online", lastSeen: null });
});

test("a user is offline when the last session ended, told with the time it was last seen", async (t) => {
  const presence = await startOne(t);
  await withBob(presence);
  await presence.connect("alice:phone");
  await presence.connect("alice:web");
  await presence.session("gone", "alice:phone");
  await eventually(async () => (await online(presence)).length === 1);
  await eventually(() => shows(presence).length > 0);
  assert.deepEqual(shows(presence), ["online"]);
  await presence.session("offline", "alice:web");
  await eventually(() => shows(presence).at(-1) === "offline");
  const { lastSeen } = presence.noticesOf("alice").at(-1)!;
  assert.ok(lastSeen !== null && Date.now() - lastSeen < 120_000);
  const { devices } = await callMethod(
    presence.nats,
    devicesList,
    { uid: "alice", via: "service" },
    {},
    { timeoutMs: 30_000 },
  );
  assert.ok(devices.every((device) => device.lastSeen !== null && !device.online));
});

test("a take-over does not flicker: the old connection's end ends no newer session", async (t) => {
  const presence = await startOne(t, { PRESENCE_OFFLINE_DELAY_MS: "0" });
  await withBob(presence);
  const at = Date.now();
  await presence.connect("alice:phone", { at: at - 5000 });
  await presence.session("connected", "alice:phone", at - 4990);
  await presence.connect("alice:phone", { at });
  await presence.session("gone", "alice:phone", at - 4990);
  await presence.session("connected", "alice:phone", at + 10);
  await presence.session("gone", "alice:phone", at - 4990);
  await presence.connect("alice:web");
  assert.deepEqual(await online(presence), ["alice:phone", "alice:web"]);
  assert.ok(!shows(presence).includes("offline"));
  await presence.session("gone", "alice:phone", at + 10);
  await eventually(async () => (await online(presence)).join() === "alice:web");
});

test("a begin that arrives after its end makes no ghost", async (t) => {
  const presence = await startOne(t);
  const at = Date.now();
  await presence.connect("alice:phone", { at: at - 100 });
  await presence.session("gone", "alice:phone", at);
  await eventually(async () => (await online(presence)).length === 0);
  await presence.session("connected", "alice:phone", at - 50);
  await presence.connect("alice:web");
  assert.deepEqual(await online(presence), ["alice:web"]);
});

test("a quick reconnect is not told at all", async (t) => {
  const presence = await startOne(t, { PRESENCE_OFFLINE_DELAY_MS: "60000" });
  await withBob(presence);
  await presence.connect("alice:phone");
  await eventually(() => shows(presence).length === 1);
  await presence.session("gone", "alice:phone");
  await eventually(async () => (await online(presence)).length === 0);
  await presence.connect("alice:phone");
  await presence.publish(subjects.deviceState, { uid: "alice", clientId: "alice:phone", show: "away" });
  await eventually(() => shows(presence).length === 2);
  assert.deepEqual(shows(presence), ["online", "away"]);
});

test("what devices say of themselves is told: dnd if any says so, else online if any is active, else away", async (t) => {
  const presence = await startOne(t);
  await withBob(presence);
  await presence.connect("alice:phone");
  await presence.connect("alice:web");
  const say = (device: string, state: object) =>
    presence.publish(subjects.deviceState, { uid: "alice", clientId: `alice:${device}`, ...state });
  await say("phone", { active: false });
  await say("web", { show: "away", status: "at lunch" });
  await eventually(() => shows(presence).at(-1) === "away");
  await say("phone", { show: "dnd" });
  await eventually(() => shows(presence).at(-1) === "dnd");
  assert.equal(presence.noticesOf("alice").at(-1)?.status, "at lunch");
  await say("phone", { active: true, show: "online" });
  await eventually(() => shows(presence).at(-1) === "online");
});

test("a device that is inactive before it is told who is online is not told, one that is active is", async (t) => {
  const presence = await startOne(t, { PRESENCE_START_STATE_DELAY_MS: "400" });
  await withBob(presence);
  await presence.connect("alice:phone");
  await presence.publish(subjects.deviceState, { uid: "alice", clientId: "alice:phone", active: false });
  await presence.connect("alice:web");
  const greeted = (clientId: string) => presence.told.filter(({ device }) => device?.clientId === clientId).length;
  await eventually(() => greeted("alice:web") === 1);
  assert.equal(greeted("alice:phone"), 0);
});

test("a client id belongs to the user it names and to nobody else", async (t) => {
  const presence = await startOne(t);
  const refused = { ok: false, reason: "owned_by_another" };
  assert.deepEqual(await presence.connect("alice:phone", { uid: "bob" }), refused);
  assert.deepEqual(await presence.connect("mqtt/7", { uid: "alice" }), { ok: true });
  assert.deepEqual(await presence.connect("mqtt/7", { uid: "bob" }), refused);
  assert.deepEqual(await presence.connect("mqtt/7", { uid: "alice" }), { ok: true });
});

test("devices and their owners outlive a restart", async (t) => {
  const before = await startOne(t);
  await before.connect("alice:phone");
  await before.connect("mqtt/7", { uid: "alice" });
  await before.stop();
  const after = await startOne(t, { PARLEY_DIR: before.folder }, before);
  assert.deepEqual(await after.connect("mqtt/7", { uid: "bob" }), { ok: false, reason: "owned_by_another" });
  const { devices } = await callMethod(
    after.nats,
    devicesList,
    { uid: "alice", via: "service" },
    {},
    { timeoutMs: 30_000 },
  );
  assert.deepEqual(devices.map(({ clientId }) => clientId).sort(), ["alice:phone", "mqtt/7"]);
});

test("a request or event that is wrong is refused by name and costs nobody else anything", async (t) => {
  const presence = await startOne(t);
  const poison = ["a\u0000", "\ud800", "😀".repeat(129)].map((clientId) => ({ clientId }));
  for (const bad of [
    { uid: "a b" },
    { uid: 7 },
    { clientId: "" },
    { clientId: 7 },
    { at: "now" },
    { at: null },
    ...poison,
  ])
    await assert.rejects(presence.connect("alice:phone", bad), { code: "invalid_packet" });
  for (const bad of [
    "{",
    "null",
    { event: "gone" },
    { event: "stolen", clientId: "alice", at: 1 },
    { event: "gone", clientId: 7, at: 1 },
  ])
    await presence.publish(subjects.sessionEvent, bad);
  for (const bad of ["", "null", { uid: "alice" }, { clientId: 7, uid: "alice" }])
    await presence.publish(subjects.deviceState, bad);
  for (const bad of ["", "null", {}, { uid: "alice", before: "x" }]) await presence.publish(subjects.revoked, bad);
  for (const bad of ["", "null", {}, { uid: "alice", other: 7 }, { uid: "alice", other: "bob" }])
    await presence.publish(subjects.contactsChanged, bad);
  // A revocation and a change of contacts have two hearers.
  await eventually(() => presence.lines.filter(({ event }) => event === "event_refused").length === 27);
  assert.deepEqual(await presence.connect("alice:phone"), { ok: true });
});
