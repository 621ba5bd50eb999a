import assert from "node:assert/strict";
import { test } from "node:test";
import { createAdmit } from "./admit.ts";

const device = (clientId: string) => ({ p: "0", uid: "a", clientId, verb: "msg" as const });

test("a device may send a burst, then its rate; others are not touched by it", () => {
  let now = 0;
  const admit = createAdmit({ rate: 10, burst: 3, now: () => now });
  assert.deepEqual(
    [1, 2, 3].map(() => admit(device("a"))),
    [undefined, undefined, undefined],
  );
  assert.equal(admit(device("a"))?.code, "rate_limited");
  assert.equal(admit(device("b")), undefined);
  now += 100;
  assert.equal(admit(device("a")), undefined);
  assert.equal(admit(device("a"))?.code, "rate_limited");
});

test("a refusal says when to send again", () => {
  const admit = createAdmit({ rate: 10, burst: 1, now: () => 0 });
  admit(device("a"));
  assert.equal(admit(device("a"))?.details?.retryAfterMs, 100);
});
