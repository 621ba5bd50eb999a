import assert from "node:assert/strict";
import { test } from "node:test";
import { contentKinds, uncountedTypes } from "@parley/protocol";
import { notificationExamples, readNotifications } from "./notifications.ts";

test("the notifications of docs/push.md are those of the code (else: node test/documents/write-notifications.ts)", () => {
  const { written, wanted } = readNotifications();
  assert.equal(written, wanted);
});

test("its table has words for every content type that people are told of", () => {
  const { words = "" } = notificationExamples();
  const told = Object.keys(contentKinds).filter((type) => !uncountedTypes.has(type));
  // A heading, a line, one each, and those of rooms, mentions, settings, requests and applications.
  assert.ok(words.split("\n").length >= 2 + told.length + 8);
});
