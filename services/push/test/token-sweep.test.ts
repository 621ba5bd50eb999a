// Tokens of devices that are logged in no more, where nobody heard that they were logged out.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Caller, ConnectionCredential } from "@parley/protocol";
import { openStore } from "@parley/store";
import { eventually, serviceContext } from "@parley/testkit";
import { openKept } from "../src/tokens/kept.ts";
import { askLogins } from "../src/tokens/logins.ts";
import { type MarkDoc, sweepTokens } from "../src/tokens/sweep.ts";
import { startOthers } from "./others.ts";
import { callerOf, fcm, list, register, startRegistered, storeFolder } from "./registered.ts";

const t = { after };
const others = await startOthers(t);
const { nats } = others;
const hourMs = 3_600_000;

const login = (clientId: string, family: string) => ({ clientId, at: Date.now(), families: [family.repeat(32)] });
const byMqtt = (uid: string, device: string): Caller => ({ uid, clientId: `${uid}:${device}`, via: "mqtt" });

function connect(uid: string, device: string, made: NonNullable<ConnectionCredential["connection"]>): void {
  others.connections.set(`${uid}:${device}`, { uid, known: true, connection: made });
}

/** A device of each kind that is there, and one of each that is there no more. */
async function registerAll(): Promise<string[]> {
  const at = Date.now();
  connect("ann", "loggedOut", { at });
  await register(nats, callerOf("ann", "loggedOut", { passwordSince: 2, family: "a".repeat(32) }), fcm());
  const kept = [await register(nats, callerOf("ann", "loggedIn", { passwordSince: 1, family: "b".repeat(32) }), fcm())];
  await register(nats, callerOf("ann", "otherLogin", { passwordSince: 2, family: "o".repeat(32) }), fcm());
  connect("ann", "oldPassword", { at, passwordSince: 1 });
  await register(nats, byMqtt("ann", "oldPassword"), fcm());
  connect("ann", "password", { at, passwordSince: 2 });
  kept.push(await register(nats, byMqtt("ann", "password"), fcm()));
  connect("ann", "issuer", { at, issuedAt: at / 1000 });
  kept.push(await register(nats, byMqtt("ann", "issuer"), fcm()));
  connect("ann", "removed", { at, issuedAt: at / 1000 });
  await register(nats, byMqtt("ann", "removed"), fcm());
  others.users.add("gone");
  connect("gone", "issuer", { at, issuedAt: at / 1000 });
  await register(nats, byMqtt("gone", "issuer"), fcm());
  others.logins.set("ann", [login("ann:loggedIn", "b"), login("ann:otherLogin", "n")]);
  others.passwords.set("ann", 2);
  others.connections.set("ann:removed", { uid: "ann" });
  others.users.delete("gone");
  return kept.map(({ id }) => id).toSorted();
}

test("a look at all tokens removes those of devices that are not logged in any more, and no others", async (t) => {
  const storeUrl = await storeFolder(t);
  const push = await startRegistered(t, others, storeUrl);
  await push.sound();
  const kept = await registerAll();
  await push.stop();
  const store = await openStore(storeUrl, { service: "push" });
  t.after(() => store.close());
  const tokens = await openKept(store.documents());
  const changed: string[] = [];
  const { log } = serviceContext("test");
  const parts = {
    kept: tokens,
    logins: askLogins(nats),
    changed: (uids: readonly string[]) => void changed.push(...uids),
    log,
  };
  await sweepTokens(parts, () => false);
  const left = (await tokens.find({ limit: 100 })).items.map(({ key }) => key);
  assert.deepEqual(left.toSorted(), kept);
  assert.deepEqual(changed.toSorted(), ["ann", "ann", "ann", "ann", "gone"]);
});

test("push that was away for longer than revocations are kept believes no token before it has looked at all", async (t) => {
  const storeUrl = await storeFolder(t);
  const push = await startRegistered(t, others, storeUrl);
  await push.sound();
  const kept = await registerAll();
  await push.stop();
  const store = await openStore(storeUrl, { service: "push" });
  const marks = await store.documents().collection<MarkDoc>({ name: "marks" });
  const long = Date.now() - 21 * hourMs;
  await marks.put([{ key: "tokens", doc: { knownAt: long, sweptAt: long } }]);
  await store.close();
  const logins = others.logins.get("ann")!;
  // Who is logged in cannot be found out at first.
  others.logins.set("ann", "unknown" as never);
  const late = await startRegistered(t, others, storeUrl);
  await eventually(() => late.lines.some(({ event }) => event === "tokens_not_swept"));
  assert.match(String(late.tokens.areSound()), /compared/);
  await assert.rejects(late.tokens.ofUsers(["ann"]), { code: "unavailable" });
  await assert.rejects(late.tokens.get(kept), { code: "unavailable" });
  others.logins.set("ann", logins);
  await late.sound();
  const told = (await late.tokens.ofUsers(["ann"])).get("ann") ?? [];
  assert.deepEqual(told.map(({ key }) => key).toSorted(), kept);
  assert.deepEqual((await list(nats, "gone")).length, 0);
});

test("nothing is believed before revocations were loaded, and again once NATS was away", async (t) => {
  const { revocations } = others;
  others.revocations = "away";
  const push = await startRegistered(t, others, await storeFolder(t));
  await assert.rejects(push.tokens.ofUsers(["ann"]), { code: "unavailable" });
  others.revocations = revocations;
  await push.sound();
  await push.tokens.ofUsers(["ann"]);
  await others.natsServer.kill();
  await eventually(() => push.tokens.areSound() !== true);
  await others.natsServer.start();
  await push.sound();
});
