import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { AppError } from "@parley/protocol";
import { eventually } from "@parley/testkit";
import { startRequests } from "./requests.ts";

function requestsOf(t: TestContext, options: { resendMs?: number; timeoutMs?: number; maxBytes?: number } = {}) {
  const published: { id: string; method: string }[] = [];
  let id = 0;
  const requests = startRequests({
    nextId: () => `${++id}`,
    publish: (packet) => published.push(packet as { id: string; method: string }),
    ...options,
  });
  t.after(requests.close);
  return { requests, published };
}

test("an answer goes to the request with its id, a result or an error", async (t) => {
  const { requests, published } = requestsOf(t);
  requests.setOnline(true);
  const one = requests.request("rooms.list", {});
  const other = requests.request("rooms.get", { id: "r1" });
  assert.deepEqual(
    published.map(({ id, method }) => [id, method]),
    [
      ["1", "rooms.list"],
      ["2", "rooms.get"],
    ],
  );
  assert.equal(requests.answered({ id: "2", error: { code: "not_found", message: "no such room" } }), true);
  assert.equal(requests.answered({ id: "1", result: { rooms: [] } }), true);
  assert.deepEqual(await one, { rooms: [] });
  await assert.rejects(other, { code: "not_found", message: "no such room" });
});

test("answers to nothing, or twice, are nobody's", (t) => {
  const { requests } = requestsOf(t);
  requests.setOnline(true);
  void requests.request("rooms.list", {});
  for (const id of ["9", 1, null, undefined])
    assert.equal(requests.answered({ ...(id === undefined ? {} : { id }), result: 1 }), false);
  assert.equal(requests.answered({ id: "1", result: 1 }), true);
  assert.equal(requests.answered({ id: "1", result: 1 }), false);
});

test("a request is sent again with the same id: after a while, and on a new connection", async (t) => {
  const { requests, published } = requestsOf(t, { resendMs: 10 });
  void requests.request("rooms.list", {}).catch(() => {});
  assert.equal(published.length, 0, "not without a connection");
  requests.setOnline(true);
  requests.setOnline(false);
  requests.setOnline(true);
  await eventually(() => published.length >= 3);
  assert.deepEqual(new Set(published.map(({ id }) => id)), new Set(["1"]));
});

test("without an answer it fails as unavailable and says why", async (t) => {
  const { requests } = requestsOf(t, { timeoutMs: 5 });
  await assert.rejects(requests.request("rooms.list", {}), { code: "unavailable", details: { reason: "offline" } });
  requests.setOnline(true);
  await assert.rejects(requests.request("rooms.list", {}), { code: "unavailable", details: { reason: "timeout" } });
});

test("a request that is refused instead of answered fails with the refusal", async (t) => {
  const { requests } = requestsOf(t);
  requests.setOnline(true);
  const request = requests.request("rooms.list", {});
  assert.equal(requests.refused("7", new AppError("rate_limited")), false);
  assert.equal(requests.refused("1", new AppError("rate_limited")), true);
  await assert.rejects(request, { code: "rate_limited" });
});

test("a request says how large its answer may be, where the device has a limit", (t) => {
  for (const maxBytes of [2_048, undefined]) {
    const { requests, published } = requestsOf(t, maxBytes === undefined ? {} : { maxBytes });
    requests.setOnline(true);
    void requests.request("rooms.list", {}).catch(() => {});
    assert.equal((published[0] as { maxBytes?: number }).maxBytes, maxBytes);
  }
});
