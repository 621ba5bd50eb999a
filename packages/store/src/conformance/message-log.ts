// What every engine of the port MessageLog must do.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LogEntry } from "../log.ts";
import { StoreError } from "../store-error.ts";
import type { OpenEngine } from "./engine.ts";
import { append, entries, entry, keyOf, neighboursOf, partitionOf, plain, seqs } from "./entries.ts";
import { readingForReaders } from "./read-entries.ts";

const conv = "room/r1";
const q = partitionOf(conv);
const codeOf = (code: string) => (error: unknown) => error instanceof StoreError && error.code === code;

/** Registers the suite; `name` is the engine's. */
export function messageLogConformance(name: string, open: OpenEngine): void {
  describe(`MessageLog on ${name}: writing`, () => writing(open));
  describe(`MessageLog on ${name}: reading`, () => reading(open));
  describe(`MessageLog on ${name}: reading for readers`, () => readingForReaders(open));
  describe(`MessageLog on ${name}: erasing and retention`, () => erasing(open));
  describe(`MessageLog on ${name}: restoring`, () => restoring(open));
}

function writing(open: OpenEngine): void {
  test("an entry comes back exactly as it was appended", async (t) => {
    const log = (await open(t)).store.log();
    const odd = { conv: `p2p/a'"%_$.\\/ü☃😀`, from: "a@b.c", device: "a:'; DROP TABLE", id: "__proto__$.\0 😀" };
    const written = [
      entry(conv, 1, 1, { body: Uint8Array.from({ length: 300 }, (_, at) => at % 256) }),
      entry(conv, 2, 2, {
        origin: "api",
        event: { kind: "join", uids: ["a", "'b\""], depth: { n: null } },
        memberSeq: 2,
      }),
      entry(conv, 3, 3, { body: new Uint8Array(0), ts: 0, ord: 0 }),
      entry(conv, 4, 4, { body: Buffer.from("xabcx").subarray(1, 4), id: "" }),
    ];
    await append(log, written);
    await append(log, [entry(odd.conv, 1, 1, odd)]);
    const found = await log.range(conv, { after: 0, limit: 10 });
    assert.deepEqual(found.map(plain), written.map(plain));
    assert.deepEqual((await log.find([odd])).map(plain), [entry(odd.conv, 1, 1, odd)]);
  });

  test("numbers up to 2^53 are kept", async (t) => {
    const log = (await open(t)).store.log();
    const ts = Number.MAX_SAFE_INTEGER;
    await append(log, [entry(conv, 2 ** 31 + 1, 1, { ts, ord: 2 ** 40 })]);
    assert.deepEqual(plain(await log.at(q, 1)), entry(conv, 2 ** 31 + 1, 1, { ts, ord: 2 ** 40 }));
  });

  test("a body of 512 KiB is kept", async (t) => {
    const log = (await open(t)).store.log();
    const body = new Uint8Array(512 * 1024).fill(0xff);
    await append(log, [entry(conv, 1, 1, { body })]);
    assert.deepEqual(Uint8Array.from((await log.at(q, 1))!.body), body);
  });

  test("an empty batch stores nothing", async (t) => {
    const log = (await open(t)).store.log();
    await log.append(q, []);
    assert.deepEqual(await log.last(q), { pos: 0 });
  });

  for (const [what, change] of [
    ["position", { conv: neighboursOf(conv, 1)[0]!, seq: 1, pos: 3 }],
    ["seq of the conversation", { seq: 3, id: "another" }],
    ["idempotency key", { id: "id-1" }],
  ] as [string, Partial<LogEntry>][]) {
    test(`a ${what} that is taken refuses its entry and the rest of the batch, and keeps what came before`, async (t) => {
      const log = (await open(t)).store.log();
      await append(log, entries(conv, 1, 3));
      const taken = change.pos !== undefined;
      const before = taken ? [] : [entry(conv, 4, 4)];
      const culprit = entry(conv, 5, taken ? 3 : 5, change);
      const batch = [...before, culprit, entry(conv, 6, culprit.pos + 1)];
      await assert.rejects(append(log, batch), (error) => {
        assert.ok(error instanceof StoreError);
        assert.equal(error.code, "duplicate_key");
        assert.deepEqual(error.details, { q, pos: culprit.pos, conv: culprit.conv, seq: culprit.seq });
        return true;
      });
      assert.deepEqual(await log.last(q), { pos: 3 + before.length });
      assert.deepEqual(await log.find([keyOf(entry(conv, 6, 6))]), [undefined]);
      await append(log, [entry(conv, 4 + before.length, 4 + before.length)]);
    });
  }

  test("of two writers at the same position one wins, whole, and the other stores nothing", async (t) => {
    const log = (await open(t)).store.log();
    const mine = entries(conv, 1, 5);
    const theirs = mine.map((each) => ({ ...each, id: `theirs-${each.seq}` }));
    const results = await Promise.allSettled([append(log, mine), append(log, theirs)]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const winner = results[0]!.status === "fulfilled" ? mine : theirs;
    assert.deepEqual((await log.follow(q, 0, 10)).map(plain), winner.map(plain));
  });

  test("entries of a batch that do not follow one another are refused from the gap on", async (t) => {
    const log = (await open(t)).store.log();
    await assert.rejects(append(log, [entry(conv, 1, 1), entry(conv, 2, 3)]), codeOf("gap"));
    const other = { ...entry(conv, 3, 3), q: (q + 1) % 256 };
    await assert.rejects(log.append(q, [entry(conv, 2, 2, { q }), other]), codeOf("gap"));
    assert.ok((await log.last(q)).pos <= 2);
    assert.deepEqual(await log.last(other.q), { pos: 0 });
  });

  test("appends of many partitions at once fail each on its own", async (t) => {
    const log = (await open(t)).store.log();
    const convs = Array.from({ length: 40 }, (_, n) => `room/many${n}`).filter(
      (each, at, all) => all.findIndex((other) => partitionOf(other) === partitionOf(each)) === at,
    );
    await append(log, [entry(convs[0]!, 1, 1)]);
    const results = await Promise.allSettled(convs.map((each) => append(log, entries(each, 1, 3))));
    assert.equal(results[0]!.status, "rejected");
    assert.ok(results.slice(1).every(({ status }) => status === "fulfilled"));
    assert.deepEqual(await log.last(partitionOf(convs[0]!)), { pos: 1 });
    for (const each of convs.slice(1)) assert.deepEqual(await log.last(partitionOf(each)), { pos: 3 });
  });

  test("everything is there after the store was closed and opened again", async (t) => {
    const engine = await open(t);
    await append(engine.store.log(), entries(conv, 1, 20));
    const log = (await engine.reopen()).log();
    assert.deepEqual(await log.last(q), { pos: 20 });
    assert.deepEqual((await log.follow(q, 0, 100)).map(plain), entries(conv, 1, 20).map(plain));
    await assert.rejects(append(log, [entry(conv, 20, 20)]), codeOf("duplicate_key"));
    await append(log, [entry(conv, 21, 21)]);
  });
}

function reading(open: OpenEngine): void {
  test("an empty log answers with nothing", async (t) => {
    const log = (await open(t)).store.log();
    assert.deepEqual(await log.last(q), { pos: 0 });
    assert.deepEqual(await log.heads([conv]), new Map());
    assert.deepEqual(await log.heads([]), new Map());
    assert.deepEqual(await log.range(conv, { limit: 10 }), []);
    assert.deepEqual(await log.follow(q, 0, 10), []);
    assert.equal(await log.at(q, 1), undefined);
    assert.deepEqual(await log.find([]), []);
    assert.deepEqual(await log.senders(conv, 0, 10, 10), []);
    assert.equal(await log.first(conv), 0);
  });

  test("range answers oldest first: after a seq the nearest, before one or without any the newest", async (t) => {
    const log = (await open(t)).store.log();
    await append(log, entries(conv, 1, 9));
    assert.deepEqual(seqs(await log.range(conv, { after: 0, limit: 3 })), [1, 2, 3]);
    assert.deepEqual(seqs(await log.range(conv, { after: 7, limit: 3 })), [8, 9]);
    assert.deepEqual(seqs(await log.range(conv, { after: 9, limit: 3 })), []);
    assert.deepEqual(seqs(await log.range(conv, { before: 6, limit: 3 })), [3, 4, 5]);
    assert.deepEqual(seqs(await log.range(conv, { before: 3, limit: 3 })), [1, 2]);
    assert.deepEqual(seqs(await log.range(conv, { before: 100, limit: 2 })), [8, 9]);
    assert.deepEqual(seqs(await log.range(conv, { limit: 2 })), [8, 9]);
    assert.deepEqual(seqs(await log.range(conv, { after: 2, before: 8, limit: 3 })), [3, 4, 5]);
    assert.deepEqual(seqs(await log.range(conv, { after: 2, before: 4, limit: 9 })), [3]);
    assert.deepEqual(seqs(await log.range(conv, { after: 2, before: 3, limit: 9 })), []);
    assert.deepEqual(seqs(await log.range(conv, { limit: 0 })), []);
  });

  test("range ends before maxBytes is passed, and answers one entry however large", async (t) => {
    const log = (await open(t)).store.log();
    const body = new Uint8Array(100);
    await append(
      log,
      entries(conv, 1, 5).map((each) => ({ ...each, body })),
    );
    assert.deepEqual(seqs(await log.range(conv, { after: 0, limit: 9, maxBytes: 300 })), [1, 2, 3]);
    assert.deepEqual(seqs(await log.range(conv, { after: 0, limit: 9, maxBytes: 299 })), [1, 2]);
    assert.deepEqual(seqs(await log.range(conv, { after: 0, limit: 9, maxBytes: 1 })), [1]);
    assert.deepEqual(seqs(await log.range(conv, { before: 5, limit: 9, maxBytes: 200 })), [3, 4]);
    assert.deepEqual(seqs(await log.range(conv, { limit: 9, maxBytes: 1 })), [5]);
  });

  test("conversations of one partition do not see each other's entries", async (t) => {
    const log = (await open(t)).store.log();
    const [other] = neighboursOf(conv, 1) as [string];
    await append(log, [entry(conv, 1, 1), entry(other, 1, 2), entry(conv, 2, 3), entry(other, 2, 4)]);
    assert.deepEqual(
      (await log.range(other, { after: 0, limit: 9 })).map(({ pos }) => pos),
      [2, 4],
    );
    assert.deepEqual(
      (await log.follow(q, 0, 9)).map((each) => [each.pos, each.conv, each.seq]),
      [
        [1, conv, 1],
        [2, other, 1],
        [3, conv, 2],
        [4, other, 2],
      ],
    );
    assert.deepEqual(await log.last(q), { pos: 4 });
  });

  test("heads answers the last entry of each of many conversations", async (t) => {
    const log = (await open(t)).store.log();
    const convs = [conv, ...neighboursOf(conv, 30)];
    const batch = [1, 2].flatMap((seq) => convs.map((each, at) => entry(each, seq, (seq - 1) * convs.length + at + 1)));
    await append(log, batch);
    const heads = await log.heads([...convs, "room/unknown", "__proto__"]);
    assert.equal(heads.size, convs.length);
    for (const each of convs) assert.equal(heads.get(each)?.seq, 2);
    assert.deepEqual(plain(heads.get(conv)), plain(batch[convs.length]));
  });

  test("follow and at answer by position, from any position on", async (t) => {
    const log = (await open(t)).store.log();
    await append(log, entries(conv, 1, 6));
    const positions = async (after: number, limit: number) => (await log.follow(q, after, limit)).map(({ pos }) => pos);
    assert.deepEqual(await positions(0, 3), [1, 2, 3]);
    assert.deepEqual(await positions(4, 100), [5, 6]);
    assert.deepEqual(await positions(6, 100), []);
    assert.deepEqual(await positions(0, 0), []);
    assert.deepEqual(plain(await log.at(q, 4)), entry(conv, 4, 4));
    assert.equal(await log.at(q, 7), undefined);
    assert.equal(await log.at((q + 1) % 256, 4), undefined);
  });

  test("find answers each key in its place, and takes all four parts for the key", async (t) => {
    const log = (await open(t)).store.log();
    await append(log, entries(conv, 1, 3));
    const key = keyOf(entry(conv, 2, 2));
    const found = await log.find([
      key,
      { ...key, conv: "room/r2" },
      { ...key, from: "bob" },
      { ...key, device: "alice" },
      { ...key, id: "ID-2" },
      key,
    ]);
    assert.deepEqual(
      found.map((each) => each?.seq),
      [2, undefined, undefined, undefined, undefined, 2],
    );
  });

  test("senders are distinct, in order of their names, of the seqs asked for, up to the limit", async (t) => {
    const log = (await open(t)).store.log();
    const names = ["zoe", "bob", "zoe", "Al", "bob", "ann"];
    await append(
      log,
      names.map((from, at) => entry(conv, at + 1, at + 1, { from })),
    );
    assert.deepEqual(await log.senders(conv, 0, 99, 99), ["Al", "ann", "bob", "zoe"]);
    assert.deepEqual(await log.senders(conv, 1, 3, 99), ["bob", "zoe"]);
    assert.deepEqual(await log.senders(conv, 0, 99, 2), ["Al", "ann"]);
    assert.deepEqual(await log.senders(conv, 6, 99, 99), []);
  });
}

function erasing(open: OpenEngine): void {
  test("blank empties the body of one entry and keeps its keys", async (t) => {
    const engine = await open(t);
    let log = engine.store.log();
    await append(log, entries(conv, 1, 3));
    assert.equal(await log.blank(conv, 2), true);
    assert.equal(await log.blank(conv, 2), true);
    assert.equal(await log.blank(conv, 4), false);
    log = (await engine.reopen()).log();
    const written = entries(conv, 1, 3);
    written[1] = { ...written[1]!, body: new Uint8Array(0) };
    assert.deepEqual((await log.range(conv, { after: 0, limit: 9 })).map(plain), written.map(plain));
    assert.equal((await log.find([keyOf(entry(conv, 2, 2))]))[0]?.seq, 2);
    await assert.rejects(append(log, [entry(conv, 4, 4, { id: "id-2" })]), codeOf("duplicate_key"));
  });

  test("erase takes out what was said and keeps places, membership events and what was recalled", async (t) => {
    const engine = await open(t);
    const log = engine.store.log();
    const kinds = ["text", "reaction", "event", "recall"].map((type, index) =>
      entry(conv, index + 1, index + 1, { type, event: { event: type, text: "secret" }, device: "alice:phone" }),
    );
    // Another device of the sender may be called and say what it will.
    const other = entry(conv, 5, 5, { device: "erased", id: "erased-1" });
    const again = entry(conv, 6, 6, { type: "event", device: "alice:desk", id: kinds[2]!.id });
    await append(log, [...kinds, other, again]);
    for (const first of [1, 2]) await log.erase(conv, [first, 1, 2, 3, 4, 6, 9]);
    const gone = { device: "", body: new Uint8Array(0) };
    const expected = [
      { ...kinds[0]!, ...gone, id: "erased-1", event: null },
      { ...kinds[1]!, ...gone, id: "erased-2", event: null },
      { ...kinds[2]!, device: "", id: "erased-3" },
      { ...kinds[3]!, ...gone, id: "erased-4" },
      other,
      { ...again, device: "", id: "erased-6" },
    ];
    await engine.store.compact();
    const reopened = (await engine.reopen()).log();
    assert.deepEqual((await reopened.range(conv, { after: 0, limit: 9 })).map(plain), expected.map(plain));
    await append(reopened, [entry(conv, 7, 7)]);
  });

  test("blank puts another event in place of an entry's own, or none", async (t) => {
    const engine = await open(t);
    let log = engine.store.log();
    const event = { event: "update", name: "secret" };
    await append(log, [entry(conv, 1, 1, { event }), entry(conv, 2, 2, { event }), entry(conv, 3, 3, { event })]);
    assert.equal(await log.blank(conv, 1, { event: "update" }), true);
    assert.equal(await log.blank(conv, 2, null), true);
    assert.equal(await log.blank(conv, 4, null), false);
    log = (await engine.reopen()).log();
    const events = (await log.range(conv, { after: 0, limit: 9 })).map((one) => [one.event, one.body.byteLength > 0]);
    assert.deepEqual(events, [
      [{ event: "update" }, false],
      [null, false],
      [event, true],
    ]);
  });

  test("retain removes what is below, and tells how much and where the conversation now begins", async (t) => {
    const log = (await open(t)).store.log();
    const [other] = neighboursOf(conv, 1) as [string];
    await append(log, [...entries(conv, 1, 6), entry(other, 1, 7)]);
    assert.equal(await log.first(conv), 1);
    assert.equal(await log.retain(conv, 4), 3);
    assert.equal(await log.retain(conv, 4), 0);
    assert.equal(await log.first(conv), 4);
    assert.deepEqual(seqs(await log.range(conv, { after: 0, limit: 9 })), [4, 5, 6]);
    assert.equal(await log.first(other), 1);
    assert.equal(await log.retain("room/unknown", 4), 0);
  });

  test("retain never removes the last entry of a conversation, so seq and pos go on", async (t) => {
    const engine = await open(t);
    let log = engine.store.log();
    const [other] = neighboursOf(conv, 1) as [string];
    await append(log, [entry(other, 1, 1), ...entries(conv, 1, 3).map((each) => ({ ...each, pos: each.pos + 1 }))]);
    assert.equal(await log.retain(conv, Number.MAX_SAFE_INTEGER), 2);
    assert.equal(await log.retain(other, Number.MAX_SAFE_INTEGER), 0);
    log = (await engine.reopen()).log();
    assert.deepEqual(await log.last(q), { pos: 4 });
    assert.equal((await log.heads([conv])).get(conv)?.seq, 3);
    assert.equal(await log.first(other), 1);
    await append(log, [entry(conv, 4, 5)]);
  });

  test("retain of thousands of entries removes them all", async (t) => {
    const log = (await open(t)).store.log();
    await append(log, entries(conv, 1, 1_500));
    assert.equal(await log.retain(conv, 1_400), 1_399);
    assert.equal(await log.first(conv), 1_400);
  });
}

function restoring(open: OpenEngine): void {
  const [other] = neighboursOf(conv, 1) as [string];
  const retained = [entry(conv, 7, 12), entry(other, 1, 13, { body: new Uint8Array(0) }), entry(conv, 8, 20)];

  test("a retained log can be restored elsewhere, holes and all, in parts, and goes on behind it", async (t) => {
    const engine = await open(t);
    await engine.store.log().restore(q, []);
    await engine.store.log().restore(q, retained.slice(0, 2));
    await engine.store.log().restore(q, retained.slice(2));
    const log = (await engine.reopen()).log();
    assert.deepEqual((await log.follow(q, 0, 9)).map(plain), retained.map(plain));
    assert.deepEqual(await log.last(q), { pos: 20 });
    assert.equal(await log.first(conv), 7);
    await append(log, [entry(conv, 9, 21)]);
    assert.deepEqual(seqs(await log.range(conv, { after: 0, limit: 9 })), [7, 8, 9]);
  });

  test("restore refuses what is not behind the last entry, or of another partition, from there on", async (t) => {
    const log = (await open(t)).store.log();
    await log.restore(q, retained.slice(0, 1));
    await assert.rejects(log.restore(q, [entry(other, 1, 11)]), codeOf("gap"));
    await assert.rejects(log.restore(q, [entry(conv, 8, 20), entry(other, 1, 20)]), codeOf("gap"));
    await assert.rejects(log.restore(q, [entry(other, 2, 30, { q: (q + 1) % 256 })]), codeOf("gap"));
    assert.ok((await log.last(q)).pos <= 20);
    assert.deepEqual(await log.last((q + 1) % 256), { pos: 0 });
  });

  test("restore refuses a message that is there, and keeps what came before", async (t) => {
    const log = (await open(t)).store.log();
    await log.restore(q, retained.slice(0, 1));
    const batch = [entry(other, 1, 13), entry(conv, 7, 14, { id: "another" }), entry(other, 2, 15)];
    await assert.rejects(log.restore(q, batch), codeOf("duplicate_key"));
    assert.deepEqual(
      (await log.follow(q, 0, 9)).map(({ pos }) => pos),
      [12, 13],
    );
  });
}
