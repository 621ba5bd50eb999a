// Which devices are there, as push asks before it notifies those that are not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type PushPresenceReply, pushAskedMax, subjects } from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { type Presence, startOne } from "./start.ts";

const asking =
  ({ nats }: Presence) =>
  async (uids: unknown) =>
    (await requestJson<PushPresenceReply>(nats, subjects.pushPresence, { uids }, { timeoutMs: 30_000 })).users;

const says = (presence: Presence, clientId: string, state: object) =>
  presence.publish(subjects.deviceState, { uid: clientId.split(":")[0], clientId, ...state });

const byName = (rows: { clientId: string }[] = []) => rows.toSorted((a, b) => (a.clientId < b.clientId ? -1 : 1));

test("push is told of every connected device whether it is active, and of users who want no disturbance", async (t) => {
  const presence = await startOne(t);
  const ask = asking(presence);
  for (const clientId of ["alice:phone", "alice:web", "bob"]) await presence.connect(clientId);
  const users = await ask(["alice", "bob", "carol", "alice"]);
  assert.deepEqual(Object.keys(users), ["alice", "bob"], "who is not there is missing");
  assert.deepEqual(byName(users.alice?.devices), [
    { clientId: "alice:phone", active: true },
    { clientId: "alice:web", active: true },
  ]);
  await says(presence, "alice:phone", { active: false });
  const active = async () => byName((await ask(["alice"])).alice?.devices).map((one) => "active" in one && one.active);
  await eventually(async () => (await active()).join() === "false,true");
  assert.equal((await ask(["alice"])).alice?.dnd, undefined);
  await says(presence, "alice:web", { show: "dnd" });
  await eventually(async () => (await ask(["alice"])).alice?.dnd === true);
  await says(presence, "alice:phone", { show: "invisible" });
  await says(presence, "alice:phone", { active: true });
  await eventually(async () => (await active()).join() === "true,true");
  assert.equal((await ask(["alice"])).alice?.dnd, true, "also of who is not shown to others");
  await says(presence, "alice:web", { show: "online" });
  await eventually(async () => (await ask(["alice"])).alice?.dnd === undefined);
  await presence.session("gone", "bob");
  await eventually(async () => (await ask(["bob"])).bob === undefined);
});

test("a device of another protocol is there for its user and for every account that it acts for, and for nobody else", async (t) => {
  const presence = await startOne(t);
  const ask = asking(presence);
  presence.accounts.set("ann", ["ann", "annie"]).set("annie", ["ann", "annie"]);
  await presence.connect("ann:pc");
  await presence.connect("dialect-1", {
    uid: "ann",
    connection: "c1",
    tree: { owner: "user", persistent: false, clean: true },
  });
  await presence.session("connected", "dialect-1", Date.now(), "c1");
  const devicesOf = async (uid: string) => byName((await ask([uid]))[uid]?.devices).map(({ clientId }) => clientId);
  await eventually(async () => (await devicesOf("annie")).length > 0);
  assert.deepEqual(await devicesOf("annie"), ["dialect-1"], "her own device is ann's alone");
  assert.deepEqual(await devicesOf("ann"), ["ann:pc", "dialect-1"]);
  assert.deepEqual(await devicesOf("bob"), []);
  presence.silent.accounts = true;
  assert.deepEqual(await devicesOf("ann"), ["ann:pc", "dialect-1"], "without api each has its own");
});

test("while Redis is away push is told that nothing is known, and what cannot be asked is refused", async (t) => {
  const presence = await startOne(t);
  const ask = asking(presence);
  await presence.connect("alice:phone");
  const most = Array.from({ length: pushAskedMax }, (_, at) => `u${at}`);
  assert.deepEqual(await ask(most), {});
  for (const wrong of [[...most, "alice"], ["a b"], "alice", [1]])
    await assert.rejects(ask(wrong), { code: "invalid_packet" });
  await presence.redis.kill();
  await assert.rejects(ask(["alice"]), { code: "unavailable" });
  await presence.redis.start();
  await presence.connect("alice:phone");
  await eventually(async () => "alice" in (await ask(["alice"]).catch(() => ({}))));
});
