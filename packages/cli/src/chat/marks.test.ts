import assert from "node:assert/strict";
import { test } from "node:test";
import { markText } from "./marks.ts";

const others = (marks: Record<string, [delivered: number, read: number]>) =>
  new Map(Object.entries(marks).map(([uid, [delivered, read]]) => [uid, { delivered, read }]));

test("a message is on its way, stored, delivered, read", () => {
  assert.equal(markText({ sending: 1, stored: 4, others: others({ bob: [4, 4] }) }), "…");
  assert.equal(markText({ sending: 0, stored: 5, others: others({ bob: [4, 4] }) }), "✓");
  assert.equal(markText({ sending: 0, stored: 5, others: others({ bob: [5, 4] }) }), "✓✓");
  assert.equal(markText({ sending: 0, stored: 5, others: others({ bob: [6, 5] }) }), "✓✓ read");
  assert.equal(markText({ sending: 0, stored: 0, others: others({}) }), "");
});

test("among several, those who have read it are named", () => {
  assert.equal(
    markText({ sending: 0, stored: 5, others: others({ bob: [5, 5], carol: [5, 1], dave: [9, 9] }) }),
    "✓✓ read by bob, dave",
  );
});
