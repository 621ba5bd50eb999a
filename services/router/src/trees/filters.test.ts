import assert from "node:assert/strict";
import { test } from "node:test";
import { readFilters } from "./filters.ts";

const matches = (filter: string, topic: string) => readFilters([filter]).match(topic);

test("a filter matches what MQTT says it does, and in a tree also what begins with $", () => {
  for (const [filter, topic] of [
    ["#", "$IM/user/bob"],
    ["a/#", "a"],
    ["a/#", "a/b/c"],
    ["+/o/m", "bob/o/m"],
    ["a/+", "a/"],
    ["$share/g/a/+", "a/b"],
    ["/", "/"],
    ["a/b", "a/b"],
    ["$share/g/#", "a"],
  ] as const)
    assert.ok(matches(filter, topic), `${filter} ${topic}`);
  for (const [filter, topic] of [
    ["a", "a/b"],
    ["a/b", "a"],
    ["a/+", "a"],
    ["+", "a/b"],
    ["a/+/c", "a/b/d"],
    ["$share/g/a", "a/b"],
  ] as const)
    assert.ok(!matches(filter, topic), `${filter} ${topic}`);
});

test("native topics are asked for by name, not by a filter that hears everything", () => {
  const { match, matchNative, hears } = readFilters(["#", "$share/g/im/dn/bob/+"]);
  const all = (topic: string) => [match(topic), matchNative(topic), hears(topic)];
  assert.deepEqual(all("im/dn/ann/m"), [true, false, false]);
  assert.deepEqual(all("im/dn/bob/m"), [true, true, true]);
  assert.deepEqual(all("$IM/user/bob"), [true, false, true]);
});
