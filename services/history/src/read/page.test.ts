// Pages of messages of which much was said later.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { limits } from "@parley/protocol";
import { openStore } from "@parley/store";
import type { TestContext } from "@parley/testkit";
import { newMember } from "../fold/members.ts";
import { type Annotations, annotationsKey, noAnnotations } from "../keep/annotations.ts";
import { openHistoryStore } from "../keep/store.ts";
import { cutPage, readPage } from "./page.ts";

const conv = "room/r1";
const member = { ...newMember(conv, "ann"), stays: [[1, null]] as [number, null][] };
const count = 400;

/** As many messages, each with what `said` makes of its seq. */
async function begin(t: TestContext, said: (seq: number) => Partial<Annotations> | undefined) {
  const folder = await mkdtemp(join(tmpdir(), "parley-pages-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const opened = await openStore(`sqlite:${folder}`, { service: "history", lockWaitMs: 0 });
  t.after(() => opened.close());
  const store = await openHistoryStore(opened);
  const seqs = Array.from({ length: count }, (_, index) => index + 1);
  await store.log.append(
    0,
    seqs.map((seq) => {
      const body = Buffer.from(JSON.stringify({ id: `${seq}`, to: conv, content: { type: "text", data: "m" } }));
      const event = seq > 1 ? { reply: 1 } : null;
      const place = { q: 0, pos: seq, conv, seq, ord: seq, memberSeq: 0, origin: null, event };
      return { ...place, from: "bob", device: "bob:d", id: `${seq}`, type: "text", ts: 1, body };
    }),
  );
  await store.annotations.put(
    seqs.flatMap((seq) => {
      const some = said(seq);
      return some ? [{ key: annotationsKey(conv, seq), doc: { ...noAnnotations(conv, seq), ...some } }] : [];
    }),
  );
  const looked = { finds: 0, documents: 0, most: 0 };
  const find = store.annotations.find.bind(store.annotations);
  store.annotations.find = async (query) => {
    const page = await find(query);
    looked.finds += 1;
    looked.documents += page.items.length;
    looked.most = Math.max(looked.most, page.items.length);
    return page;
  };
  return { store, looked };
}

const reactions = Array.from(
  { length: limits.messageReactions },
  (_, n) => [`${n % limits.reactionKinds}`.padStart(20, "r"), `user-${n}`, 500] as const,
);

test("a page of messages with as many reactions as there may be looks at some of them, from either end", async (t) => {
  const { store, looked } = await begin(t, (seq) => (seq <= 100 || seq > count - 100 ? { reactions } : undefined));
  const oldest = cutPage(await readPage(store, member, { after: 0, limit: count }), limits.pageBytes);
  assert.ok(oldest.seqs.length > 0 && oldest.full && oldest.bytes <= limits.pageBytes);
  assert.deepEqual([oldest.seqs[0], oldest.to], [1, oldest.seqs.at(-1)]);
  const newest = cutPage(await readPage(store, member, { limit: count }), limits.pageBytes, "newest");
  assert.ok(newest.seqs.length > 0 && newest.full && newest.bytes <= limits.pageBytes);
  assert.deepEqual([newest.seqs.at(-1), newest.from], [count, newest.seqs[0]]);
  assert.ok(looked.documents <= 100 && looked.most <= 50, `${looked.documents} documents, ${looked.most} at once`);
});

test("each message has what was said about it, wherever a piece of the page ends, up and down", async (t) => {
  const { store, looked } = await begin(t, (seq) =>
    seq % 3 === 0 ? { reactions: [["👍", `user-${seq}`, 500]] } : undefined,
  );
  for (const query of [{ after: 0 }, {}]) {
    const page = await readPage(store, member, { ...query, limit: count });
    assert.deepEqual(
      [page.from, page.to, page.full, page.seqs],
      [1, count, false, Array.from({ length: count }, (_, index) => index + 1)],
    );
    const found = page.messages.map((text) => JSON.parse(text));
    assert.deepEqual(
      found.map(({ seq, reactions, quoted }) => [seq, reactions?.[0].uids[0], quoted?.seq]),
      page.seqs.map((seq) => [seq, seq % 3 === 0 ? `user-${seq}` : undefined, seq > 1 ? 1 : undefined]),
    );
  }
  looked.finds = 0;
  await readPage(store, member, { after: 0, limit: 100 });
  assert.equal(looked.finds, 1, "few documents are one look");
});

test("a page never ends within what its reader may not see: it goes on behind that, up and down, and the last one says so", async (t) => {
  const { store } = await begin(t, () => undefined);
  const hidden = [300, 301, 302, 303, 399, 400].map((seq) => [seq, seq] as const);
  const apart = {
    ...member,
    stays: [
      [3, 10],
      [250, null],
    ] as [number, number | null][],
    deletedTo: 5,
    hidden,
  };
  const pageOf = async (query: { after?: number; before?: number }) =>
    (await readPage(store, apart, { ...query, limit: 2 })).seqs;
  assert.deepEqual(await pageOf({ after: 0 }), [6, 7]);
  assert.deepEqual(await pageOf({ after: 10 }), [250, 251]);
  assert.deepEqual(await pageOf({ after: 100 }), [250, 251]);
  assert.deepEqual(await pageOf({ after: 299 }), [304, 305]);
  assert.deepEqual(await pageOf({ after: 398 }), []);
  assert.deepEqual(await pageOf({ before: 401 }), [397, 398]);
  assert.deepEqual(await pageOf({ before: 304 }), [298, 299]);
  assert.deepEqual(await pageOf({ before: 250 }), [9, 10]);
  assert.deepEqual(await pageOf({ before: 100 }), [9, 10]);
  assert.deepEqual(await pageOf({ before: 6 }), []);
  const left = { ...apart, stays: [[3, 10]] as [number, number][] };
  assert.deepEqual((await readPage(store, left, { after: 10, limit: 2 })).seqs, []);
  assert.deepEqual((await readPage(store, left, { limit: 2 })).seqs, [9, 10]);
});
