import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceTopic, ephemeralTopic, messagesTopic } from "@parley/protocol";
import { openHearing } from "./hearing.ts";

const m = { topic: "im/dn/ann/m" };
const e = { topic: "im/dn/ann/e" };
const d = { topic: "im/dn/ann/d/ann:m" };

test("a new session hears nothing, and of a resumed one nobody knows", () => {
  assert.deepEqual([openHearing(true).of("m"), openHearing(true).of("d")], ["not", "not"]);
  assert.deepEqual([openHearing(false).of("m"), openHearing(false).of("d")], [undefined, undefined]);
});

test("what the broker grants is heard as it grants it, and nothing is known while it is asked", () => {
  const hearing = openHearing(false);
  hearing.asked(1, [m, e, d], true);
  assert.equal(hearing.of("m"), undefined);
  hearing.answered(2, Uint8Array.of(1));
  hearing.answered(1, Uint8Array.of(1, 0, 2));
  assert.deepEqual([hearing.of("m"), hearing.of("d")], [1, 2]);
  hearing.asked(3, [e], true);
  assert.equal(hearing.of("m"), undefined);
  hearing.answered(3, Uint8Array.of(0));
  assert.equal(hearing.of("m"), 1);
});

test("of what the broker refuses, or leaves out, nothing is known", () => {
  const hearing = openHearing(true);
  hearing.asked(1, [m, d], true);
  hearing.answered(1, Uint8Array.of(0x80));
  assert.deepEqual([hearing.of("m"), hearing.of("d")], [undefined, undefined]);
});

test("what is subscribed in another form is the broker's, until it is subscribed plainly", () => {
  const hearing = openHearing(true);
  hearing.asked(1, [m], false);
  hearing.answered(1, Uint8Array.of(1));
  assert.deepEqual([hearing.of("m"), hearing.of("d")], [undefined, "not"]);
  hearing.asked(2, [m], true);
  hearing.answered(2, Uint8Array.of(1));
  assert.equal(hearing.of("m"), 1);
});

test("after an UNSUBSCRIBE nothing is known, also of what was being asked", () => {
  const hearing = openHearing(true);
  hearing.asked(1, [m], true);
  hearing.unsubscribed();
  hearing.answered(1, Uint8Array.of(1));
  assert.equal(hearing.of("m"), undefined);
  hearing.asked(2, [m], true);
  hearing.answered(2, Uint8Array.of(0));
  assert.equal(hearing.of("m"), 0);
});

test("a user's name is no part of what a topic is for", () => {
  for (const uid of ["ann", "d", "m"]) {
    const hearing = openHearing(true);
    const topics = [messagesTopic(uid), deviceTopic(uid, `${uid}:phone`), ephemeralTopic(uid)];
    hearing.asked(
      1,
      topics.map((topic) => ({ topic })),
      true,
    );
    assert.deepEqual([hearing.of("m"), hearing.of("d")], [undefined, undefined]);
    hearing.answered(1, Uint8Array.of(1, 2, 0));
    assert.deepEqual([hearing.of("m"), hearing.of("d")], [1, 2], uid);
  }
});
