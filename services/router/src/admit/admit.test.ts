import assert from "node:assert/strict";
import { test } from "node:test";
import { createAdmit } from "./admit.ts";

const device = (clientId: string) => ({ uid: "a", clientId });

test("a device may send a burst, then its rate; others are not touched by it", () => {
  let now = 0;
  const admit = createAdmit({ rate: 10, burst: 3, now: () => now });
  assert.deepEqual(
    [1, 2, 3].map(() => admit.packet(device("a"))),
    [undefined, undefined, undefined],
  );
  assert.equal(admit.packet(device("a"))?.code, "rate_limited");
  assert.equal(admit.packet(device("b")), undefined);
  now += 100;
  assert.equal(admit.packet(device("a")), undefined);
  assert.equal(admit.packet(device("a"))?.code, "rate_limited");
});

test("a refusal says when to send again", () => {
  const admit = createAdmit({ rate: 10, burst: 1, now: () => 0 });
  admit.packet(device("a"));
  assert.equal(admit.packet(device("a"))?.details?.retryAfterMs, 100);
});

test("a flood is not answered one by one: as many refusals as packets are allowed, one a second where no packet is named", () => {
  let now = 0;
  const admit = createAdmit({ rate: 10, burst: 20, now: () => now });
  const told = (may: () => boolean) => Array.from({ length: 1_000 }, may).filter(Boolean).length;
  assert.equal(
    told(() => admit.mayTell(device("a"))),
    20,
  );
  assert.equal(
    told(() => admit.mayTellNameless(device("a"))),
    1,
  );
  now += 1_000;
  assert.equal(
    told(() => admit.mayTell(device("a"))),
    10,
  );
  assert.equal(
    told(() => admit.mayTellNameless(device("a"))),
    1,
  );
  assert.equal(
    told(() => admit.mayTell(device("b"))),
    20,
  );
});
