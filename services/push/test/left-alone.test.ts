// What an operator reads in the log of the real push while a provider takes nothing of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@parley/testkit";
import { startPushing } from "./pushing.ts";

const others = ["bob", "cal", "dan", "eve"];

test("a notification that APNs refuses for our key is one error with its reason, those that wait meanwhile are none, and one line says that it works again", async (t) => {
  const pushing = await startPushing(t, ["ann", ...others, "zoe"], { settings: { PARLEY_LOG_LEVEL: "info" } });
  const { apns, lines } = pushing;
  apns.answer(() => ({ status: 403, reason: "InvalidProviderToken" }));
  pushing.start();
  await pushing.follows();
  await pushing.phone("zoe", "phone");
  const say = (from: string) => pushing.say(`p2p/${from}/zoe`, from, "hello");
  const said = () => lines.filter(({ event }) => String(event).startsWith("push_provider"));
  await say("ann");
  await eventually(() => said().length > 0);
  apns.answer(() => undefined);
  await Promise.all(others.map(say));
  await eventually(() => apns.count() === 1 + 1 + others.length);
  await pushing.isIdle();
  await eventually(() => said().length > 1);
  const [alone, works, ...more] = said();
  assert.deepEqual(more, []);
  assert.deepEqual([alone?.event, alone?.level, alone?.provider], ["push_provider_left_alone", "error", "apns"]);
  assert.match(String(alone?.reason), /InvalidProviderToken/);
  assert.ok(Number(alone?.ms) >= 5_000);
  assert.deepEqual([works?.event, works?.level, works?.provider], ["push_provider_works", "info", "apns"]);
});
