import assert from "node:assert/strict";
import { test } from "node:test";
import { isOfMqttChat, readFilter, splitTopic } from "./topics.ts";

test("topics and filters of mqtt-chat are known by what stands behind the id", () => {
  const own = ["ada/o/m", "ada/others/+", "ada/message", "ada/chatstate", "tea/g/#", "bob/self/profile", "+/s/l"];
  for (const topic of [...own, "$share/all/ada/o/m"]) assert.ok(isOfMqttChat(topic), topic);
  const others = [
    "chat",
    "ada",
    "/o/m",
    "ada/o",
    "ada/o/",
    "ada/message/x",
    "#",
    "ada/#",
    "ass/msg/$x",
    "$IM/user/a",
    "test/a",
  ];
  for (const topic of others) assert.ok(!isOfMqttChat(topic), topic);
});

test("a topic is taken apart at its first slash", () => {
  assert.deepEqual(splitTopic("ada/o/m"), { id: "ada", suffix: "o/m" });
  assert.deepEqual(splitTopic("ada/"), { id: "ada", suffix: "" });
  for (const topic of ["", "ada", "/o/m"]) assert.equal(splitTopic(topic), undefined);
});

test("a filter says whom it asks about, and in which spelling it hears a packet", () => {
  const spellings = ["g/e", "others/members"];
  for (const [filter, id, spelling] of [
    ["tea/g/e", "tea", "g/e"],
    ["tea/g/+", "tea", "g/e"],
    ["tea/others/+", "tea", "others/members"],
    ["tea/others/#", "tea", "others/members"],
    ["tea/#", "tea", "g/e"],
    ["tea/+/e", "tea", "g/e"],
    ["tea/g/e/#", "tea", "g/e"],
    ["tea/+", "tea", undefined],
    ["tea", "tea", undefined],
    ["tea/g", "tea", undefined],
    ["tea/g/m", "tea", undefined],
    ["+/g/+", undefined, "g/e"],
    ["#", undefined, "g/e"],
    ["$share/a/tea/g/e", "tea", "g/e"],
  ] as const) {
    const read = readFilter(filter);
    assert.deepEqual([read.id, read.match(spellings)], [id, spelling], filter);
  }
});
