import assert from "node:assert/strict";
import { test } from "node:test";
import { watchNetwork } from "./network.ts";

test("a network that is back, and a page that is looked at again, are told until nobody asks any more", () => {
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: "hidden" });
  let changes = 0;
  const stop = watchNetwork(() => changes++, Object.assign(window, { document }));
  window.dispatchEvent(new Event("online"));
  assert.equal(changes, 1);
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(changes, 1, "it was hidden");
  document.visibilityState = "visible";
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(changes, 2);
  stop();
  window.dispatchEvent(new Event("online"));
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(changes, 2);
});

test("a machine that slept is told: its clock has gone on while no timer ran", (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "Date"] });
  let changes = 0;
  const stop = watchNetwork(() => changes++, new EventTarget());
  for (let tick = 0; tick < 12; tick += 1) t.mock.timers.tick(5_000);
  assert.equal(changes, 0);
  t.mock.timers.setTime(Date.now() + 3_600_000);
  t.mock.timers.tick(5_000);
  assert.equal(changes, 1);
  stop();
});
