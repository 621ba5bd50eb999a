import assert from "node:assert/strict";
import { test } from "node:test";
import { openReminders } from "./reminders.ts";

test("what goes on is said at once, and again every ten seconds; each key for itself", () => {
  let now = 0;
  const reminders = openReminders(() => now);
  assert.equal(reminders.isDue("one"), true);
  assert.equal(reminders.isDue("one"), false);
  assert.equal(reminders.isDue("two"), true);
  now = 9_999;
  assert.equal(reminders.isDue("one"), false);
  now = 10_000;
  assert.equal(reminders.isDue("one"), true);
});
