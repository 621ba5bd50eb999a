// What every engine of the port SearchIndex must do.
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import {
  type FoundPage,
  type IndexedMessage,
  lastVersion,
  type SearchIndex,
  type SearchQuery,
} from "../search-index.ts";
import { StoreError } from "../store-error.ts";
import type { OpenEngine } from "./engine.ts";

const conv = "room/r1";
const day = 86_400_000;

/** Registers the suite; `name` is the engine's. */
export function searchIndexConformance(name: string, open: OpenEngine): void {
  describe(`SearchIndex on ${name}: words`, () => words(open));
  describe(`SearchIndex on ${name}: order and filters`, () => filters(open));
  describe(`SearchIndex on ${name}: versions`, () => versions(open));
  describe(`SearchIndex on ${name}: several indexes`, () => several(open));
}

const openIndex = async (open: OpenEngine, t: TestContext) => (await open(t)).store.searchIndexes().open("a");

function message(seq: number, text: string | null, change: Partial<IndexedMessage> = {}): IndexedMessage {
  return { conv, seq, version: seq, ts: seq * 1_000, from: "alice", text, has: [], ...change };
}

const seqs = ({ messages }: FoundPage) => messages.map(({ seq }) => seq);

async function find(index: SearchIndex, text: string, query: Partial<SearchQuery> = {}): Promise<number[]> {
  const isPrefix = text.endsWith("*");
  const terms = [{ text: text.replace(/\*$/, ""), isPrefix }];
  return seqs(await index.find({ convs: [conv], terms, limit: 100, ...query }));
}

async function findPages(index: SearchIndex, query: SearchQuery): Promise<number[]> {
  const found: number[] = [];
  for (let after: string | null | undefined, pages = 0; after !== null; pages++) {
    assert.ok(pages < 10, "pages come to an end");
    const page = await index.find({ ...query, ...(after && { after }) });
    found.push(...seqs(page));
    after = page.next;
  }
  return found;
}

/** A message, what finds it, and what does not. */
const texts: [text: string, found: string[], not: string[]][] = [
  ["明天在北京开会", ["北京", "京", "会", "在北京开", "明天在北京开会"], ["北会", "东京", "京北", "上"]],
  ["東京タワーへ行く", ["東", "タワー", "東京", "行く", "ワ"], ["タワ行", "京東"]],
  ["他今年3岁了，住5月份的家", ["3岁", "岁", "5月份", "岁了"], ["4岁"]],
  ["ประชุมวันนี้ที่โรงเรียน", ["ประชุม", "โรงเรียน", "วันนี้"], ["โรงแรม"]],
  ["ذهبت إلى المَكْتَبَة أمس", ["المكتبة", "مكتبة", "الى", "امس"], ["كتاب"]],
  ["Ранок о п’ятій на подвір'ї, мʼята", ["п'ятій", "п’ятій", "пʼятій", "подвірʼї", "м’ята", "РАНОК"], ["пятій"]],
  ["Мой йогурт", ["мой", "йогурт"], ["мои", "иогурт"]],
  ["Café in der Hauptstraße, ŁÓDŹ and Ærø", ["cafe", "CAFÉ", "hauptstrasse", "lodz", "aero", "caf*"], ["straße*"]],
  ["Αθήνα και Κόσμος", ["αθηνα", "κοσμος", "ΚΟΣΜΟΣ"], ["θηνα"]],
  ["l’homme can't stop", ["homme", "l'homme", "can't"], ["cant"]],
  ["İstanbul ılık", ["istanbul", "ilik"], ["stanbul"]],
  ["नमस्ते दुनिया", ["दुनिया", "नमस्ते"], ["नमसत"]],
  ["한국어 검색을 해요", ["한국어", "한국", "검색", "검색*"], ["검해", "국검"]],
  ["deploy v2.14.6 to 10.0.0.7", ["v2.14.6", "2.14.6", "10.0.0.7", "deploy"], ["2.14.7", "v2.14.60"]],
  ["foo_bar of bob@example.com", ["foo_bar", "foo", "bar", "bob@example.com", "example.com", "bob"], ["oo_bar"]],
  ["👍🏽 great ❤️ 👨‍👩‍👧", ["👍", "👍🏿", "❤", "👨‍👩‍👧"], ["👎"]],
  ["Ｆｕｌｌ ｗｉｄｔｈ ﾀﾜｰ", ["full", "width", "タワー"], []],
  [`quote " and * and @c1 AND NOT near(`, ["quote", "near", "not", `and " and`], ["quote near"]],
];

function words(open: OpenEngine): void {
  test("every script is found by its words, whatever their case and accents", async (t) => {
    const index = await openIndex(open, t);
    await index.put(texts.map(([text], at) => message(at + 1, text)));
    for (const [at, [text, found, not]] of texts.entries()) {
      for (const asked of found) assert.ok((await find(index, asked)).includes(at + 1), `${asked} in ${text}`);
      for (const asked of not) assert.ok(!(await find(index, asked)).includes(at + 1), `no ${asked} in ${text}`);
    }
  });

  test("words of one term follow one another, terms stand anywhere, and the last word of a prefix may go on", async (t) => {
    const index = await openIndex(open, t);
    await index.put([message(1, "the quick brown fox"), message(2, "brown is the fox, quick"), message(3, "the fox")]);
    assert.deepEqual(await find(index, "quick brown"), [1]);
    assert.deepEqual(await find(index, "quick bro*"), [1]);
    assert.deepEqual(await find(index, "bro*"), [2, 1]);
    assert.deepEqual(await find(index, "bro"), []);
    const terms = [{ text: "fox" }, { text: "quick" }];
    assert.deepEqual(seqs(await index.find({ convs: [conv], terms, limit: 9 })), [2, 1]);
  });

  test("a term without a word finds nothing, and neither does a text without one", async (t) => {
    const index = await openIndex(open, t);
    await index.put([message(1, "?! …"), message(2, ""), message(3, "word")]);
    assert.deepEqual(await find(index, "?!"), []);
    assert.deepEqual(await find(index, ""), []);
    assert.deepEqual(await find(index, "word"), [3]);
  });

  test("a message of 64 KiB, and a word longer than words are kept, are found", async (t) => {
    const index = await openIndex(open, t);
    await index.put([
      message(1, `${"long text ".repeat(6_500)}end`),
      message(2, "x".repeat(60_000)),
      message(3, "北".repeat(20_000)),
    ]);
    assert.deepEqual(await find(index, "text end"), [1]);
    assert.deepEqual(await find(index, "x".repeat(60_000)), [2]);
    assert.deepEqual(await find(index, "北北北"), [3]);
  });
}

function filters(open: OpenEngine): void {
  test("the newest come first, in pages that go on behind a place, whatever is put meanwhile", async (t) => {
    const index = await openIndex(open, t);
    const convs = Array.from({ length: 150 }, (_, n) => `room/c${n}`);
    await index.put(Array.from({ length: 600 }, (_, n) => message(n + 1, "hello", { conv: convs[n % 150]! })));
    const found: number[] = [];
    for (let after: string | undefined; ; ) {
      const page = await index.find({ convs, terms: [{ text: "hello" }], limit: 70, ...(after && { after }) });
      found.push(...seqs(page));
      if (page.next === null) break;
      after = page.next;
      await index.put([message(1_000 + found.length, "hello")]);
    }
    assert.deepEqual(
      found,
      Array.from({ length: 600 }, (_, n) => 600 - n),
    );
    await assert.rejects(
      index.find({ convs, terms: [{ text: "hello" }], limit: 1, after: "nowhere" }),
      (error) => error instanceof StoreError && error.code === "invalid_page",
    );
  });

  test("only conversations that are asked for are searched", async (t) => {
    const index = await openIndex(open, t);
    await index.put([
      message(1, "hello"),
      message(2, "hello", { conv: "p2p/a/b" }),
      message(3, "hello", { conv: "room/r" }),
    ]);
    assert.deepEqual(await find(index, "hello"), [1]);
    assert.deepEqual(await find(index, "hello", { convs: ["p2p/a/b", "room/unknown"] }), [2]);
    assert.deepEqual(await find(index, "hello", { convs: [] }), []);
    const others = Array.from({ length: 200 }, (_, n) => `room/o${n}`);
    assert.deepEqual(await find(index, "", { terms: [], convs: [...others, "room/r"] }), [3]);
    assert.deepEqual(await find(index, "hello", { convs: others }), []);
    await index.put(others.map((other, n) => message(n + 1, "hello", { conv: other })));
    assert.deepEqual(await find(index, "hello", { convs: [...others.slice(0, 100), "room/r"], limit: 2 }), [100, 99]);
  });

  test("what thousands of newer messages hold too is found in one's own, in order, and a phrase whose words they hold, page by page", async (t) => {
    const index = await openIndex(open, t);
    const own = Array.from({ length: 100 }, (_, n) => `room/own${n}`);
    const mine = (from: number) => own.map((one, n) => message(from + n, "hello", { conv: one }));
    await index.put([...mine(1), message(999, "hello you", { conv: "room/others" })]);
    for (let n = 0; n < 6; n++)
      await index.put(
        Array.from({ length: 1_000 }, (_, at) => message(1_000 * (n + 1) + at, "you hello", { conv: "room/others" })),
      );
    await index.put(mine(8_000).slice(0, 10));
    const found = await index.find({ convs: own, terms: [{ text: "hello" }], limit: 200 });
    const newest = [...mine(1), ...mine(8_000).slice(0, 10)].map(({ seq }) => seq).reverse();
    assert.deepEqual(seqs(found), newest);
    const rest = { convs: own, terms: [{ text: "hello" }], limit: 20, after: found.messages[14]!.place };
    assert.deepEqual(seqs(await index.find(rest)), newest.slice(15, 35));
    assert.deepEqual(
      await findPages(index, { convs: ["room/others"], terms: [{ text: "hello you" }], limit: 5 }),
      [999],
    );
  });

  test("sender, attachments and time narrow it, with words or alone", async (t) => {
    const index = await openIndex(open, t);
    await index.put([
      message(1, "see this", { ts: 10 * day, from: "Bob" }),
      message(2, "see that", { ts: 20 * day, has: ["link"] }),
      message(3, "", { ts: 30 * day, has: ["file", "image"] }),
      message(4, "see bob", { ts: 40 * day, from: "bob" }),
    ]);
    assert.deepEqual(await find(index, "see", { from: "bob" }), [4]);
    assert.deepEqual(await find(index, "see", { from: "Bob" }), [1]);
    assert.deepEqual(await find(index, "see", { from: "nobody" }), []);
    assert.deepEqual(await find(index, "see", { has: ["link"] }), [2]);
    assert.deepEqual(await find(index, "see", { terms: [], has: ["file", "image"] }), [3]);
    assert.deepEqual(await find(index, "see", { terms: [], from: "alice" }), [3, 2]);
    assert.deepEqual(await find(index, "see", { since: 20 * day }), [4, 2]);
    assert.deepEqual(await find(index, "see", { until: 20 * day }), [1]);
    assert.deepEqual(await find(index, "see", { since: 11 * day, until: 40 * day }), [2]);
    assert.deepEqual(await find(index, "see", { until: 10 * day }), []);
    assert.deepEqual(await find(index, "see", { since: 41 * day }), []);
  });

  test("times narrow it among thousands of messages", async (t) => {
    const index = await openIndex(open, t);
    await index.put(Array.from({ length: 3_000 }, (_, n) => message(n + 1, "tick", { ts: (n + 1) * 1_000 })));
    const query = { since: 1_500_000, until: 1_505_000 };
    assert.deepEqual(await find(index, "tick", query), [1_504, 1_503, 1_502, 1_501, 1_500]);
  });
}

function versions(open: OpenEngine): void {
  const edited: IndexedMessage[] = [
    message(1, "secret plan"),
    message(1, "open plan", { version: 5, ts: 9_000 }),
    message(1, "final plan", { version: 7, ts: 12_000 }),
    message(2, "recalled"),
    message(2, null, { version: 6, ts: 10_000, from: "admin" }),
    message(3, "erased"),
    message(3, null, { version: lastVersion, ts: 20_000 }),
    message(4, "plain plan"),
  ];

  const orders: [string, readonly IndexedMessage[][]][] = [
    ["in order", edited.map((one) => [one])],
    ["backwards", edited.toReversed().map((one) => [one])],
    ["together, and again", [edited, edited.toReversed(), edited]],
  ];
  for (const [how, batches] of orders) {
    test(`the last version holds, put ${how}`, async (t) => {
      const index = await openIndex(open, t);
      for (const batch of batches) await index.put(batch);
      assert.deepEqual((await find(index, "plan")).sort(), [1, 4]);
      for (const gone of ["secret", "open", "recalled", "erased"]) assert.deepEqual(await find(index, gone), [], gone);
      const found = await index.find({ convs: [conv], terms: [{ text: "final" }], limit: 1 });
      assert.equal(found.messages[0]?.version, 7);
      assert.deepEqual(await find(index, "final", { until: 2_000 }), [1], "its time is the message's own");
      assert.deepEqual(await find(index, "plan", { terms: [], from: "admin" }), []);
    });
  }

  test("an edited message keeps its place in the order", async (t) => {
    const index = await openIndex(open, t);
    await index.put([message(1, "a plan"), message(2, "b plan"), message(1, "c plan", { version: 3, ts: 3_000 })]);
    assert.deepEqual(await find(index, "plan"), [2, 1]);
  });

  test("everything is there after the store was closed and opened again, compacted or not", async (t) => {
    const engine = await open(t);
    const index = await engine.store.searchIndexes().open("a");
    await index.put(edited);
    await index.compact();
    await index.put([message(8, "another plan")]);
    const again = await (await engine.reopen()).searchIndexes().open("a");
    assert.deepEqual(await find(again, "plan"), [8, 4, 1]);
    await again.put([message(9, "the last plan")]);
    assert.deepEqual(await find(again, "plan"), [9, 8, 4, 1]);
  });
}

function several(open: OpenEngine): void {
  test("indexes are apart, are listed, and are no documents", async (t) => {
    const { store } = await open(t);
    const indexes = store.searchIndexes();
    const [one, two] = [await indexes.open("a"), await indexes.open("b2")];
    await one.put([message(1, "one")]);
    await two.put([message(1, "two")]);
    assert.deepEqual([await find(one, "one"), await find(two, "one")], [[1], []]);
    assert.deepEqual(await indexes.list(), ["a", "b2"]);
    assert.deepEqual(await store.documents().definitions(), []);
    await indexes.drop("a");
    await indexes.drop("a");
    assert.deepEqual(await indexes.list(), ["b2"]);
    assert.deepEqual(await find(await indexes.open("a"), "one"), []);
  });
}
