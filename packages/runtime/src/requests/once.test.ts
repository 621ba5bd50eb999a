import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type Caller, historyGet, roomsCreate, roomsJoin } from "@parley/protocol";
import { memoryRequests } from "../../test/memory-requests.ts";
import { type Attempt, createOnce, type OnceOptions, pruneRequests, requestLifeMs } from "./once.ts";

const caller: Caller = { uid: "ann", clientId: "ann:phone", via: "mqtt", requestId: "7" };

function start(options: Partial<OnceOptions> = {}) {
  const requests = memoryRequests();
  const attempts: Attempt[] = [];
  const replica = () => {
    const once = createOnce({ requests, ...options });
    return (
      work: () => unknown,
      { params = { id: "1" } as object, method = roomsJoin as never, from = caller }: Asked = {},
    ) =>
      once({ method, params, caller: from }, (attempt) => {
        attempts.push(attempt);
        return work();
      });
  };
  return { requests, attempts, replica, ask: replica() };
}

type Asked = { params?: object; method?: never; from?: Caller };

test("a request that is sent again is answered as before, by any replica, without its work", async () => {
  const { ask, replica, attempts } = start();
  assert.deepEqual(await ask(() => ({ n: 1 })), { n: 1 });
  assert.deepEqual(await ask(() => assert.fail()), { n: 1 });
  assert.deepEqual(await replica()(() => assert.fail()), { n: 1 });
  assert.equal(attempts.length, 1);
});

test("of two at once the second waits and gets the first one's answer", async () => {
  const { ask } = start();
  const work = Promise.withResolvers<object>();
  const answers = Promise.all([ask(() => work.promise), ask(() => assert.fail())]);
  work.resolve({ n: 1 });
  assert.deepEqual(await answers, [{ n: 1 }, { n: 1 }]);
});

test("one that another replica began just now is waited for", async () => {
  const { ask, replica } = start();
  const work = Promise.withResolvers<object>();
  const first = ask(() => work.promise);
  const second = replica()(() => assert.fail());
  work.resolve({ n: 1 });
  assert.deepEqual([await first, await second], [{ n: 1 }, { n: 1 }]);
});

test("one whose replica died is worked again under the same operation, and is told that", async () => {
  const { ask, replica, requests, attempts } = start();
  void ask(() => new Promise(() => {}));
  while (requests.docs.size === 0 || attempts.length === 0) await new Promise(setImmediate);
  for (const doc of requests.docs.values()) doc.begunAt -= 60_000;
  assert.deepEqual(await replica()(() => ({ n: 2 })), { n: 2 });
  const [first, second] = attempts;
  assert.deepEqual([first?.again, second?.again], [false, true]);
  assert.equal(first?.operation, second?.operation);
});

test("what may pass when it is sent again goes on under the same operation, thrown or returned", async () => {
  const { ask, attempts, requests } = start();
  const refuse = () => new AppError("unavailable");
  assert.equal(((await ask(refuse)) as AppError).code, "unavailable");
  for (const doc of requests.docs.values()) doc.begunAt -= 60_000;
  const thrown = await ask(() => {
    throw refuse();
  });
  assert.equal((thrown as AppError).code, "unavailable");
  assert.deepEqual(await ask(() => ({ n: 3 })), { n: 3 });
  assert.deepEqual(new Set(attempts.map(({ operation }) => operation)).size, 1);
});

test("the id of a request that was refused for good may be used again", async () => {
  const { ask, requests } = start();
  assert.equal(((await ask(() => new AppError("forbidden"))) as AppError).code, "forbidden");
  assert.equal(requests.docs.size, 0);
  assert.deepEqual(await ask(() => ({ n: 2 }), { params: { id: "2" } }), { n: 2 });
});

test("an id that was used for another request is a conflict; other devices and methods that only read are none", async () => {
  const { ask } = start();
  await ask(() => ({ n: 1 }));
  const other = { params: { id: "2" } };
  assert.equal(((await ask(() => assert.fail(), other)) as AppError).code, "conflict");
  const method = roomsCreate as never;
  assert.equal(((await ask(() => assert.fail(), { method })) as AppError).code, "conflict");
  assert.deepEqual(await ask(() => ({ n: 4 }), { ...other, from: { ...caller, clientId: "ann:tablet" } }), { n: 4 });
  assert.deepEqual(await ask(() => ({ n: 5 }), { ...other, method: historyGet as never }), { n: 5 });
});

test("without a request id each is worked under an operation of its own", async () => {
  const { ask, attempts, requests } = start();
  const { requestId: _, ...from } = caller;
  for (const n of [1, 2]) assert.deepEqual(await ask(() => ({ n }), { from }), { n });
  assert.notEqual(attempts[0]?.operation, attempts[1]?.operation);
  assert.equal(requests.docs.size, 0);
});

test("an answer that must not be kept is made again under the same operation", async () => {
  const { ask, attempts, requests } = start({ keepsAnswer: () => false });
  await ask(() => ({ key: "secret" }));
  assert.doesNotMatch(JSON.stringify([...requests.docs]), /secret/);
  await ask(() => ({ key: "secret" }));
  assert.equal(attempts[0]?.operation, attempts[1]?.operation);
});

test("an unexpected failure is thrown, and the request may be sent again", async () => {
  const { ask, requests } = start();
  await assert.rejects(
    ask(() => {
      throw new TypeError("bug");
    }),
    TypeError,
  );
  for (const doc of requests.docs.values()) doc.begunAt -= 60_000;
  assert.deepEqual(await ask(() => ({ n: 1 })), { n: 1 });
});

test("requests are forgotten after 24 h", async () => {
  const { ask, requests } = start();
  await ask(() => ({ n: 1 }));
  await pruneRequests(requests, Date.now() + requestLifeMs - 1_000);
  assert.equal(requests.docs.size, 1);
  await pruneRequests(requests, Date.now() + requestLifeMs + 1_000);
  assert.equal(requests.docs.size, 0);
});
