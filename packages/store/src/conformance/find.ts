// What every engine of the port Documents must do: finding.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FindQuery } from "../documents.ts";
import type { OpenEngine } from "./engine.ts";
import { codeOf, keys, openTokens, walk } from "./tokens.ts";

export function finding(open: OpenEngine): void {
  const docs = (uid: string, count: number) =>
    Array.from({ length: count }, (_, ts) => ({ key: `${uid}-${String(ts).padStart(3, "0")}`, doc: { uid, ts } }));

  test("find answers by equal leading values, in the order of the next field, both ways", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.put([...docs("b", 5).reverse(), ...docs("a", 3)]);
    const times = async (query: Partial<FindQuery>) =>
      (await tokens.find({ index: "byUidTime", equals: ["b"], limit: 9, ...query })).items.map(({ doc }) => doc.ts);
    assert.deepEqual(await times({}), [0, 1, 2, 3, 4]);
    assert.deepEqual(await times({ order: "desc" }), [4, 3, 2, 1, 0]);
    assert.deepEqual(await times({ from: 1, to: 3 }), [1, 2, 3]);
    assert.deepEqual(await times({ after: 1, before: 3 }), [2]);
    assert.deepEqual(await times({ from: 1, before: 3, order: "desc" }), [2, 1]);
    assert.deepEqual(await times({ equals: ["b", 2] }), [2]);
    assert.deepEqual(await times({ equals: ["nobody"] }), []);
    assert.deepEqual(await times({ from: 3, to: 2 }), []);
    assert.deepEqual(
      keys(await tokens.find({ index: "byUidTime", limit: 99 })),
      [...docs("a", 3), ...docs("b", 5)].map(({ key }) => key),
    );
  });

  test("equal values come in the order of their keys", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.put(["c", "a", "B", "é", "z", "😀", "b"].map((key) => ({ key, doc: { uid: "u", ts: 1 } })));
    const ordered = ["B", "a", "b", "c", "z", "é", "😀"];
    assert.deepEqual(keys(await tokens.find({ index: "byUidTime", equals: ["u"], limit: 9 })), ordered);
    const down = await tokens.find({ index: "byUid", equals: ["u"], limit: 9, order: "desc" });
    assert.deepEqual(keys(down), ordered.toReversed());
  });

  test("without an index find goes by key, with bounds on the key", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.put(docs("a", 6));
    assert.deepEqual(keys(await tokens.find({ limit: 2 })), ["a-000", "a-001"]);
    assert.deepEqual(keys(await tokens.find({ after: "a-001", to: "a-003", limit: 9 })), ["a-002", "a-003"]);
    assert.deepEqual(keys(await tokens.find({ order: "desc", limit: 1 })), ["a-005"]);
    assert.equal(keys(await walk(tokens, { limit: 4 })).length, 6);
  });

  for (const order of ["asc", "desc"] as const) {
    test(`pages in ${order} order together hold every document once, however large the page`, async (t) => {
      const tokens = await openTokens(open, t);
      const many = Array.from({ length: 23 }, (_, n) => ({ key: `k${n}`, doc: { uid: "u", ts: n % 4 } }));
      await tokens.put([...many, ...docs("v", 3)]);
      const query = { index: "byUidTime", equals: ["u"], order };
      const whole = keys(await tokens.find({ ...query, limit: 99 }));
      assert.equal(whole.length, 23);
      for (const limit of [1, 2, 5, 22, 23, 24]) assert.deepEqual(keys(await walk(tokens, { ...query, limit })), whole);
    });
  }

  test("pages of a unique index hold every document once", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.put(
      Array.from({ length: 9 }, (_, ts) => ({ key: `k${9 - ts}`, doc: { uid: "u", ts, token: `t${ts}` } })),
    );
    const found = await walk(tokens, { index: "byToken", limit: 2 });
    assert.deepEqual(
      found.items.map(({ doc }) => doc.token),
      Array.from({ length: 9 }, (_, n) => `t${n}`),
    );
  });

  test("what is inserted or removed between two pages shifts nothing", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.put(docs("u", 6));
    const query = { index: "byUidTime", equals: ["u"], limit: 3 };
    const first = await tokens.find(query);
    await tokens.insert("early", { uid: "u", ts: -1 });
    await tokens.remove("u-002");
    await tokens.remove("u-003");
    await tokens.insert("late", { uid: "u", ts: 4.5 });
    const second = await tokens.find({ ...query, page: first.next! });
    assert.deepEqual(keys(second), ["u-004", "late", "u-005"]);
    assert.equal(second.next, null);
  });

  test("a page token that is broken, or of another query, is invalid_page", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.put([...docs("u", 6), ...docs("v", 6)]);
    const query = { index: "byUidTime", equals: ["u"], limit: 3 };
    const page = (await tokens.find(query)).next!;
    assert.match(page, /^[A-Za-z0-9_-]+$/);
    const [mark, ...position] = JSON.parse(Buffer.from(page, "base64url").toString());
    const forge = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString("base64url");
    const wrong: Partial<FindQuery>[] = [
      { page: forge(mark) },
      { page: forge(mark, ...position, "more") },
      { page: forge(mark, ...position.map(() => null)) },
      { page: forge(mark, ...position.map(() => ({ $gt: "" }))) },
      { page: "" },
      { page: "nonsense" },
      { page: "W10" },
      { page: page.slice(0, -3) },
      { page, equals: ["v"] },
      { page, order: "desc" },
      { page, index: "byUid" },
      { page, from: 1 },
    ];
    for (const change of wrong) await assert.rejects(tokens.find({ ...query, ...change }), codeOf("invalid_page"));
    assert.equal(keys(await tokens.find({ ...query, page, limit: 2 })).length, 2);
  });

  test("truth values, fractions and fields of objects are found", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.insert("on", { uid: "a", ts: 1.5, active: true, nested: { email: "a@x" } });
    await tokens.insert("off", { uid: "a", ts: -2, active: false });
    assert.deepEqual(keys(await tokens.find({ index: "byActive", equals: [true], limit: 9 })), ["on"]);
    assert.deepEqual(keys(await tokens.find({ index: "byActive", equals: [false], limit: 9 })), ["off"]);
    assert.deepEqual(keys(await walk(tokens, { index: "byActive", limit: 1 })), ["off", "on"]);
    assert.deepEqual(keys(await tokens.find({ index: "byEmail", equals: ["a@x"], limit: 9 })), ["on"]);
    assert.deepEqual(keys(await tokens.find({ index: "byUidTime", equals: ["a"], limit: 9 })), ["off", "on"]);
  });

  test("a document without a field of the index is not found through it", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.insert("with", { uid: "a", ts: 1, token: "x" });
    await tokens.insert("without", { uid: "a", ts: 1 });
    await tokens.insert("null", { uid: "a", ts: 1, token: null });
    assert.deepEqual(keys(await tokens.find({ index: "byToken", limit: 9 })), ["with"]);
    assert.deepEqual(keys(await tokens.find({ index: "byUid", limit: 9 })), ["null", "with", "without"]);
  });

  test("a query that no index serves is a mistake that is told", async (t) => {
    const tokens = await openTokens(open, t);
    await assert.rejects(tokens.find({ index: "byNothing", limit: 1 }), TypeError);
    await assert.rejects(tokens.find({ index: "byUid", equals: ["a", "b"], limit: 1 }), TypeError);
    await assert.rejects(tokens.find({ equals: ["a"], limit: 1 }), TypeError);
    for (const limit of [0, -1, 1.5, Number.NaN]) await assert.rejects(tokens.find({ limit }), TypeError);
  });
}
