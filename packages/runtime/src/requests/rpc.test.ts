import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { AppError, type Caller, historyGet, methodSubject, roomsGet, roomsJoin } from "@parley/protocol";
import { startServers } from "@parley/testkit";
import { memoryRequests } from "../../test/memory-requests.ts";
import { recordingLogger } from "../../test/recorder.ts";
import { connectNats } from "../connections/nats.ts";
import { createOnce } from "./once.ts";
import { request } from "./request.ts";
import { callMethod, handle, JsonText, serveMethods } from "./rpc.ts";

const caller: Caller = { uid: "ann", clientId: "ann:phone", via: "mqtt", requestId: "7" };
const timeoutMs = 5000;
const page = { messages: [], firstSeq: 1, lastSeq: 3, more: false };

async function start(t: TestContext) {
  const { nats: server } = await startServers(t, { nats: true });
  const recorder = recordingLogger();
  const nats = await connectNats({ url: server.url, name: "test", log: recorder.log });
  t.after(() => nats.close());
  return { nats, ...recorder };
}

test("a method is called with its params and the caller, and answers its result", async (t) => {
  const { nats, log } = await start(t);
  const seen: unknown[] = [];
  const work = handle(historyGet, (params, from) => {
    seen.push(params, from);
    return page;
  });
  const serving = serveMethods(nats, { queue: "history", handlers: [work], log });
  const params = { conv: "room/1", limit: 10 };
  assert.deepEqual(await callMethod(nats, historyGet, caller, params, { timeoutMs }), page);
  assert.deepEqual(seen, [params, caller]);
  await serving.close();
  await assert.rejects(callMethod(nats, historyGet, caller, params, { timeoutMs }), {
    code: "unavailable",
    details: { reason: "no_responders" },
  });
});

test("params that are not of the method's schema never reach the work, and the error names the field", async (t) => {
  const { nats, log } = await start(t);
  const work = handle(historyGet, () => assert.fail("reached"));
  serveMethods(nats, { queue: "history", handlers: [work], log });
  const wrong = [
    [{ conv: "room/1", limits: 1 }, /limits/],
    [{ conv: "room/1", limit: 501 }, /limit /],
    [{}, /conv/],
    [[], /./],
  ] as const;
  for (const [params, field] of wrong) {
    await assert.rejects(callMethod(nats, historyGet, caller, params as never, { timeoutMs }), (error) => {
      assert.ok(error instanceof AppError);
      assert.equal(error.code, "invalid_packet");
      assert.match(error.message, field);
      return true;
    });
  }
});

test("a refusal reaches the caller whether it is returned or thrown, and is not logged", async (t) => {
  const { nats, log, lines } = await start(t);
  const returned = handle(historyGet, () => new AppError("not_member"));
  const thrown = handle(roomsGet, () => {
    throw new AppError("forbidden", "by invitation only");
  });
  serveMethods(nats, { queue: "history", handlers: [returned, thrown], log });
  await assert.rejects(callMethod(nats, historyGet, caller, { conv: "room/1" }, { timeoutMs }), { code: "not_member" });
  await assert.rejects(callMethod(nats, roomsGet, caller, { id: "1" }, { timeoutMs }), {
    code: "forbidden",
    message: "by invitation only",
  });
  assert.deepEqual(lines, []);
});

test("a result that is JSON already is passed on as it stands", async (t) => {
  const { nats, log } = await start(t);
  const work = handle(historyGet, () => new JsonText(JSON.stringify(page)));
  serveMethods(nats, { queue: "history", handlers: [work], log });
  assert.deepEqual(await callMethod(nats, historyGet, caller, { conv: "room/1" }, { timeoutMs }), page);
});

test("a request without a caller is refused", async (t) => {
  const { nats, log } = await start(t);
  serveMethods(nats, { queue: "history", handlers: [handle(historyGet, () => page)], log });
  for (const body of ["{", "null", "{}", '{"caller":{}}']) {
    const reply = await request(nats, methodSubject(historyGet.name), body, { timeoutMs });
    assert.equal(JSON.parse(Buffer.from(reply).toString()).error.code, "invalid_packet", body);
  }
});

test("a method that changes something is served only where its requests are kept, and then works once", async (t) => {
  const { nats, log } = await start(t);
  let worked = 0;
  const work = handle(roomsJoin, () => {
    worked += 1;
    return new JsonText("{}");
  });
  assert.throws(() => serveMethods(nats, { queue: "api", handlers: [work], log }), /rooms\.join/);
  serveMethods(nats, { queue: "api", handlers: [work], once: createOnce({ requests: memoryRequests() }), log });
  const join = () => callMethod(nats, roomsJoin, caller, { id: "1" }, { timeoutMs });
  assert.deepEqual([await join(), await join()], [{}, {}]);
  assert.equal(worked, 1);
});
