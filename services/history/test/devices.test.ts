// Members who are in a room with some of their devices only, over NATS, with history's data on disk.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AppError,
  type Caller,
  historyGet,
  type RoomsReply,
  type RoomsRequest,
  subjects,
  sync,
} from "@parley/protocol";
import { callMethod, requestJson } from "@parley/runtime";
import { startTestHistory } from "./surroundings.ts";

const conv = "room/tea";
const withCode = (code: string) => (error: AppError) => error.code === code;
const timeoutMs = 5_000;

test("with which devices a member is in a room outlives its holder, for messages, receipts and every reader", async (t) => {
  const history = await startTestHistory(t);
  const as = (clientId?: string): Caller => ({ uid: "bob", via: "mqtt", ...(clientId !== undefined && { clientId }) });
  const get = (clientId?: string) => callMethod(history.nats, historyGet, as(clientId), { conv }, { timeoutMs });
  const synced = async (clientId?: string) =>
    (await callMethod(history.nats, sync, as(clientId), {}, { timeoutMs })).conversations.map((one) => one.conv);
  const rooms = async (asked: Omit<RoomsRequest, "uid">) =>
    (await requestJson<RoomsReply>(history.nats, subjects.rooms, { uid: "bob", ...asked }, { timeoutMs })).rooms;
  const devices = { bob: ["bob:pc"] };
  await history.change("tea", { event: "create", by: "ann", uids: ["bob"], name: "Tea", devices });
  const seq = await history.say("ann", conv, "1");

  const check = async () => {
    const [said, refused] = await history.append(
      history.item("bob", conv, `pc${Math.random()}`, { device: "bob:pc" }),
      history.item("bob", conv, `phone${Math.random()}`, { device: "bob:phone" }),
    );
    assert.deepEqual(
      [said && "seq" in said, refused && "error" in refused && refused.error.code],
      [true, "not_member"],
    );
    await assert.rejects(get("bob:phone"), withCode("not_member"));
    await assert.rejects(
      history.receipt({ conv, uid: "bob", clientId: "bob:phone", read: seq }),
      withCode("not_member"),
    );
    for (const clientId of ["bob:pc", undefined]) {
      assert.equal((await get(clientId)).firstSeq, 1);
      assert.deepEqual(await synced(clientId), [conv]);
      const asked = clientId === undefined ? {} : { clientId };
      assert.deepEqual((await rooms({ ...asked, which: "member" }))[0]?.member?.devices, devices.bob);
      assert.deepEqual((await rooms({ ...asked, convs: [conv] }))[0]?.member?.devices, devices.bob);
    }
    assert.deepEqual(await synced("bob:phone"), []);
    assert.deepEqual(await rooms({ clientId: "bob:phone" }), []);
    assert.deepEqual((await rooms({ clientId: "bob:phone", convs: [conv] }))[0]?.member, undefined);
    assert.deepEqual((await history.members(conv)).members.map((row) => row.devices), [undefined, devices.bob]); // biome-ignore format: one line reads better
  };
  await check();
  await history.restart();
  await check();

  await t.test("receipts are told to the devices that are in", async () => {
    const read = await history.receipt({ conv, uid: "bob", clientId: "bob:pc", read: seq });
    assert.deepEqual([read.tell, read.devices], [["ann"], [{ uid: "bob", clientId: "bob:pc" }]]);
    const own = await history.say("bob", conv, "own", { device: "bob:pc" });
    const told = await history.receipt({ conv, uid: "ann", read: own });
    assert.deepEqual([told.tell, told.devices], [["ann"], [{ uid: "bob", clientId: "bob:pc" }]]);
  });

  await t.test("once a member no more, its other devices read nothing of before either", async () => {
    await history.change("tea", { event: "remove", by: "ann", uids: ["bob"] });
    await history.restart();
    assert.equal((await get("bob:pc")).messages.at(-1)?.content.type, "event");
    await assert.rejects(get("bob:phone"), withCode("not_member"));
    assert.deepEqual(await synced("bob:phone"), []);
  });

  await t.test("an invitation to some devices is those's to see and to take", async () => {
    await history.change("den", { event: "create", by: "ann", uids: [], name: "Den" });
    const asked = { event: "invite" as const, by: "ann", uids: ["bob"], devices };
    await history.change("den", asked, { askFirst: ["bob"] });
    const pending = async (clientId: string) =>
      (await rooms({ clientId, which: "pending" })).map(({ standing }) => standing);
    assert.deepEqual([await pending("bob:pc"), await pending("bob:phone")], [["invited"], []]);
    const join = { event: "join" as const, by: "bob", uids: ["bob"] };
    await assert.rejects(history.change("den", join, { device: "bob:phone" }), withCode("forbidden"));
    await history.change("den", join, { device: "bob:pc" });
    assert.deepEqual((await history.members("room/den")).members[1]?.devices, devices.bob);
  });
});
