// kill -9 of a process that registers, erases or has to end tokens, at every step.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { pushSettings, pushUpdateSettings, subjects } from "@parley/protocol";
import { callMethod, requestJson } from "@parley/runtime";
import { openStore } from "@parley/store";
import { eventually } from "@parley/testkit";
import { openKept } from "../src/tokens/kept.ts";
import { startOthers } from "./others.ts";
import { startProcess } from "./processes.ts";
import { callerOf, fcm, list, register, storeFolder } from "./registered.ts";

const t = { after };
const others = await startOthers(t);
const { nats } = others;

async function countOf(storeUrl: string, uid: string): Promise<number> {
  const store = await openStore(storeUrl, { service: "push" });
  try {
    const kept = await openKept(store.documents());
    return (await kept.find({ index: "uid", equals: [uid], limit: 100 })).items.length;
  } finally {
    await store.close();
  }
}

const idsOf = async (uid: string) => (await list(nats, uid)).map(({ id }) => id);

for (const point of ["before-token", "before-earlier-token", "before-token-told"] as const)
  test(`a token whose taker dies ${point} is one user's at every moment, and the taker's when it asks again`, async (t) => {
    const storeUrl = await storeFolder(t);
    const token = fcm();
    const first = await startProcess(t, others, storeUrl);
    const { id } = await register(nats, callerOf("ann", "phone"), token);
    const own = await register(nats, callerOf("bob", "phone"), fcm());
    await first.kill();
    const dying = await startProcess(t, others, storeUrl, point);
    const taking = callerOf("bob", "phone", { requestId: "take" });
    void register(nats, taking, token, 5_000).catch(() => undefined);
    assert.equal(await dying.died(), "SIGKILL");
    const third = await startProcess(t, others, storeUrl);
    const isWritten = point !== "before-token";
    assert.deepEqual([await idsOf("ann"), await idsOf("bob")], isWritten ? [[], [id]] : [[id], [own.id]]);
    assert.deepEqual(await register(nats, taking, token), { id });
    assert.deepEqual([await idsOf("ann"), await idsOf("bob")], [[], [id]]);
    await third.kill();
    assert.equal(await countOf(storeUrl, "bob"), 1, "the earlier one is gone");
  });

test("an erasure that dies between tokens and settings is done when it is asked again", async (t) => {
  const storeUrl = await storeFolder(t);
  const caller = callerOf("eve", "phone");
  const erase = (timeoutMs: number) => requestJson(nats, subjects.erasePush, { uid: "eve" }, { timeoutMs });
  const dying = await startProcess(t, others, storeUrl, "before-tokens-erased");
  await register(nats, caller, fcm());
  await callMethod(nats, pushUpdateSettings, caller, { preview: "none" }, { timeoutMs: 30_000 });
  void erase(5_000).catch(() => undefined);
  assert.equal(await dying.died(), "SIGKILL");
  await startProcess(t, others, storeUrl);
  assert.deepEqual(await idsOf("eve"), []);
  const left = () => callMethod(nats, pushSettings, caller, {}, { timeoutMs: 30_000 });
  assert.equal((await left()).preview, "none");
  await erase(30_000);
  assert.equal((await left()).preview, "full");
});

test("a device that was logged out while no push lived has no token when one lives again", async (t) => {
  const storeUrl = await storeFolder(t);
  const first = await startProcess(t, others, storeUrl);
  await register(nats, callerOf("gus", "phone"), fcm());
  const { id } = await register(nats, callerOf("gus", "pad"), fcm());
  await first.kill();
  await others.revoke({ uid: "gus", clientId: "gus:phone", before: Date.now() / 1000 });
  await startProcess(t, others, storeUrl);
  await eventually(async () => assert.deepEqual(await idsOf("gus"), [id]) ?? true);
});
