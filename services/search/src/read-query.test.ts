// What a query means, and what it is told that means nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "@parley/protocol";
import { type AskedQuery, readQuery } from "./read-query.ts";

const read: [query: string, asked: Partial<AskedQuery>][] = [
  ["tea", { terms: [{ text: "tea" }] }],
  ["  tea \t cake ", { terms: [{ text: "tea" }, { text: "cake" }] }],
  ['"tea and cake" hot', { terms: [{ text: "tea and cake" }, { text: "hot" }] }],
  ["te* - !", { terms: [{ text: "te", isPrefix: true }] }],
  ["北*", { terms: [{ text: "北", isPrefix: true }] }],
  ["FROM:bob has:image Has:IMAGE", { terms: [], from: "bob", has: ["image"] }],
  ["tea in:#room in:bob in:p2p/a/b", { in: ["room/room", "p2p/alice/bob", "p2p/a/b"] }],
  ["from:@bob in:@carol tea", { from: "bob", in: ["p2p/alice/carol"] }],
  ["Re: lunch", { terms: [{ text: "Re:" }, { text: "lunch" }] }],
  ["tea after:2026-11-01 before:2026-11-28", { since: Date.UTC(2026, 10, 1), until: Date.UTC(2026, 10, 28) }],
  ["tea after:2026-11-01T09:30", { since: Date.UTC(2026, 10, 1, 9, 30) }],
  ["tea before:2026-11-01T09:30:15+02:00", { until: Date.UTC(2026, 10, 1, 7, 30, 15) }],
  ['"foo:bar" 12:30 https://a.b/c', { terms: [{ text: "foo:bar" }, { text: "12:30" }, { text: "https://a.b/c" }] }],
];

for (const [query, asked] of read)
  test(`${query} is understood`, () => {
    const found = readQuery(query, "alice");
    assert.deepEqual({ ...found, ...asked }, found);
  });

const wrong: [query: string, words: RegExp][] = [
  ["   ", /no word to look for/],
  ['"" … *', /no word to look for/],
  ["in:bob after:2026-01-01", /no word to look for/],
  ["std::vector", /unknown operator std:.*from: in: before: after: has:.*quotes/],
  ["tea from:", /from: is not followed by a value/],
  ["tea from:a/b", /from: is followed by the id of a user/],
  ["tea from:a from:b", /from: is given twice/],
  ["tea in:room/", /in: is followed by/],
  ["tea has:fire", /has: is followed by file, link, image/],
  ["tea before:2026-02-30", /before: is followed by a day/],
  ["tea before:2026-13-01", /before: is followed by a day/],
  ["tea after:1795240386143", /after: is followed by a day/],
  ["tea after:2026-01-01 after:2026-01-02", /after: is given twice/],
  ["a*", /a\*: a beginning has at least 2 letters/],
  ['tea "open', /quote is not closed/],
  ["a b c d e f g h i j k l m n o p q r s t u", /more than 20 words/],
];

for (const [query, words] of wrong)
  test(`${query} is refused in words`, () => {
    const isRefusal = (error: unknown) =>
      error instanceof AppError && error.code === "invalid_packet" && words.test(error.message);
    assert.throws(() => readQuery(query, "alice"), isRefusal);
  });
