// What a user keeps for itself, over NATS, with history's data on disk.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AppError,
  conversationsUpdate,
  draftsList,
  draftsRemove,
  draftsSet,
  limits,
  type Method,
  messagesDelete,
  messagesStar,
  messagesStarred,
  messagesUnstar,
  type NotifyRequest,
  type ParamsOf,
  type ResultOf,
  subjects,
  sync,
} from "@parley/protocol";
import { callMethod } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { about, startTestHistory } from "./surroundings.ts";

const hasCode = (code: string) => (error: AppError) => error.code === code;
const seqs = (messages: readonly { seq: number }[]) => messages.map(({ seq }) => seq);

test("what a user keeps for itself holds on all its devices, and for nobody else", async (t) => {
  const history = await startTestHistory(t);
  const told: NotifyRequest[] = [];
  history.nats.subscribe(subjects.notify, { callback: (_, message) => void told.push(message.json()) });
  const call = <M extends Method>(uid: string, method: M, params: ParamsOf<M>): Promise<ResultOf<M>> =>
    callMethod(history.nats, method, { uid, via: "service" }, params, { timeoutMs: 5_000 });
  const row = async (uid: string, conv: string) =>
    (await history.list(uid)).conversations.find((one) => one.conv === conv);
  const synced = async (uid: string, conv: string, since?: number) => {
    const { conversations } = await history.sync(uid, since === undefined ? { all: true } : { since });
    return conversations.find((one) => one.conv === conv);
  };

  await t.test("deleted messages are in no page of who deleted them, and do not count as unread", async () => {
    const conv = "p2p/amy/bo";
    for (const id of ["1", "2", "3", "4", "5"]) await history.say("amy", conv, id);
    await history.say("amy", conv, "6", about("reaction", 5));
    assert.equal((await row("bo", conv))?.unread, 5);
    const own = await call("bo", messagesDelete, { conv, seqs: [2, 5, 6, 99, 2] });
    assert.deepEqual([own.deletedTo, own.hidden], [0, [2, 5, 6]]);
    const check = async () => {
      assert.deepEqual(seqs((await history.get("bo", { conv })).messages), [1, 3, 4]);
      const of = await synced("bo", conv);
      assert.deepEqual([seqs(of?.messages ?? []), of?.own?.hidden, of?.unread], [[1, 3, 4], [2, 5, 6], 3]);
      const listed = await row("bo", conv);
      assert.deepEqual([listed?.lastMessage?.seq, listed?.unread], [4, 3]);
    };
    await check();
    assert.equal((await history.get("amy", { conv })).messages.length, 6);
    await history.restart();
    await check();
    // The holder knows marks that the document lacks, and takes nothing back with them.
    await history.receipt({ conv, uid: "bo", read: 3 });
    await history.say("bo", conv, "own");
    await history.restart();
    assert.deepEqual(seqs((await history.get("bo", { conv })).messages), [1, 3, 4, 7]);
    const all = await call("bo", messagesDelete, { conv, upTo: 4 });
    assert.deepEqual([all.deletedTo, all.hidden], [4, [5, 6]]);
    assert.deepEqual(seqs((await history.get("bo", { conv })).messages), [7]);
    assert.deepEqual((await call("bo", messagesDelete, { conv, upTo: 2 })).deletedTo, 4, "marks move forward");
    assert.equal((await call("bo", messagesDelete, { conv, upTo: 1e9 })).deletedTo, 7, "and not past the end");
    assert.equal((await row("bo", conv))?.lastMessage, null);
    await history.say("amy", conv, "8");
    assert.equal((await row("bo", conv))?.unread, 1);
    // What it deleted is not there for it to speak about.
    const [outcome] = await history.append(history.item("bo", conv, "late", about("reaction", 3)));
    assert.ok(outcome && "error" in outcome && outcome.error.code === "not_found");
    await assert.rejects(call("bo", messagesDelete, { conv }), hasCode("invalid_packet"));
    await assert.rejects(call("bo", messagesDelete, { conv, upTo: 1, seqs: [1] }), hasCode("invalid_packet"));
    await assert.rejects(call("cy", messagesDelete, { conv, upTo: 1 }), hasCode("not_member"));
    await assert.rejects(call("cy", messagesDelete, { conv: "p2p/cy/di", upTo: 1 }), hasCode("not_found"));
  });

  await t.test("a thousand messages may be deleted one by one, then all up to one", async () => {
    const conv = "p2p/amy/cy";
    const items = Array.from({ length: limits.hiddenMessages + 1 }, (_, n) => history.item("amy", conv, `${n}`));
    for (let at = 0; at < items.length; at += 500) await history.append(...items.slice(at, at + 500));
    const every = items.map((_, n) => n + 1);
    for (let at = 0; at < limits.hiddenMessages; at += 100)
      await call("cy", messagesDelete, { conv, seqs: every.slice(at, at + 100) });
    await assert.rejects(call("cy", messagesDelete, { conv, seqs: [limits.hiddenMessages + 1] }), hasCode("conflict"));
    assert.equal((await row("cy", conv))?.unread, 1);
    assert.deepEqual((await call("cy", messagesDelete, { conv, upTo: limits.hiddenMessages })).hidden, []);
    assert.equal((await row("cy", conv))?.unread, 1);
  });

  await t.test("settings: each by itself, told to own devices, found by sync since, ended where they end", async () => {
    const conv = "p2p/amy/dot";
    await history.say("amy", conv, "1");
    const at = (await history.sync("dot")).at ?? 0;
    const before = Date.now();
    await call("dot", conversationsUpdate, { conv, pinned: true });
    told.length = 0;
    const [{ settings }] = await Promise.all([
      call("dot", conversationsUpdate, { conv, name: "Amy" }),
      call("dot", conversationsUpdate, { conv, mutedUntil: before + 3_600_000 }),
      call("dot", conversationsUpdate, { conv, archived: true }),
    ]);
    assert.equal(settings.name, "Amy");
    const listed = await row("dot", conv);
    assert.deepEqual(
      [listed?.name, listed?.pinned, listed?.muted, listed?.settings?.archived],
      ["Amy", true, true, true],
    );
    assert.ok((listed?.settings?.pinnedAt ?? 0) >= before);
    assert.deepEqual((await synced("dot", conv, at))?.own?.settings, listed?.settings);
    await eventually(() => told.length === 3);
    assert.ok(
      told.every(({ uids }) => uids?.join() === "dot"),
      "nobody else is told",
    );
    await call("dot", conversationsUpdate, { conv, mutedUntil: 0, archived: false, pinned: false, name: "" });
    await history.restart();
    const now = await row("dot", conv);
    assert.deepEqual([now?.name, now?.pinned, now?.muted, now?.settings], ["amy", false, false, {}]);
    await history.receipt({ conv, uid: "dot", read: 1 });
    assert.deepEqual((await call("dot", conversationsUpdate, { conv, markedUnread: true })).settings, {
      markedUnread: true,
    });
    await history.say("amy", conv, "2");
    await history.receipt({ conv, uid: "dot", read: 2 });
    assert.deepEqual((await row("dot", conv))?.settings, {}, "a later message is read");
    assert.equal((await row("amy", conv))?.settings, undefined);
  });

  await t.test("stars: with tags, the latest first, in pages, without what may not be read", async () => {
    const conv = "room/stars";
    await history.change("stars", { event: "create", by: "amy", uids: ["eve"], name: "S" });
    const kept: number[] = [];
    for (const id of ["1", "2", "3"]) kept.push(await history.say("amy", conv, id));
    for (const seq of kept)
      await call("eve", messagesStar, { conv, seq, tags: ["work", seq === kept[0] ? "later" : "now"] });
    await call("eve", messagesStar, { conv, seq: kept[0] ?? 0, tags: ["done", "done"] });
    const first = await call("eve", messagesStarred, { limit: 2 });
    assert.deepEqual(seqs(first.stars), [kept[0], kept[2]]);
    assert.deepEqual(first.stars[0]?.tags, ["done"]);
    assert.equal(first.stars[1]?.message.id, "3");
    const rest = await call("eve", messagesStarred, { limit: 2, page: first.next ?? "" });
    assert.deepEqual([seqs(rest.stars), rest.next], [[kept[1]], null]);
    assert.deepEqual(seqs((await call("eve", messagesStarred, { tag: "now" })).stars), [kept[2], kept[1]]);
    await call("eve", messagesUnstar, { conv, seq: kept[2] ?? 0 });
    await history.say("amy", conv, "gone", about("recall", kept[1] ?? 0));
    assert.deepEqual(seqs((await call("eve", messagesStarred, {})).stars), [kept[0]]);
    assert.deepEqual((await call("amy", messagesStarred, {})).stars, []);
    await assert.rejects(call("zoe", messagesStar, { conv, seq: kept[0] ?? 0 }), hasCode("not_found"));
    await assert.rejects(call("eve", messagesStar, { conv, seq: 1 }), hasCode("not_found"));
    await assert.rejects(call("eve", messagesStarred, { page: "x" }), hasCode("invalid_packet"));
  });

  await t.test("sync says when drafts and stars were changed last, of each user alone", async () => {
    const conv = "room/kept";
    await history.change("kept", { event: "create", by: "gil", uids: ["hal"], name: "K" });
    assert.deepEqual((await call("gil", sync, {})).kept, {});
    const began = Date.now();
    await call("gil", draftsSet, { conv, text: "begun" });
    const { kept } = await call("gil", sync, {});
    assert.ok(kept?.drafts !== undefined && kept.drafts >= began && kept.stars === undefined);
    const seq = await history.say("gil", conv, "a");
    await call("gil", messagesStar, { conv, seq });
    await call("gil", draftsRemove, { conv });
    const later = (await call("gil", sync, {})).kept;
    assert.ok(Number(later?.drafts) >= kept.drafts && Number(later?.stars) >= began);
    assert.deepEqual((await call("hal", sync, {})).kept, {});
  });

  await t.test("drafts: one a conversation, the last written, for members; told to own devices", async () => {
    const conv = "room/drafts";
    await history.change("drafts", { event: "create", by: "amy", uids: ["fay"], name: "D" });
    told.length = 0;
    await call("fay", draftsSet, { conv, text: "one" });
    const draft = await call("fay", draftsSet, { conv, text: "two", reply: 1 });
    await call("fay", draftsSet, { conv: "p2p/amy/fay", text: "new person" });
    assert.deepEqual(
      (await call("fay", draftsList, {})).drafts.find((one) => one.conv === conv),
      draft,
    );
    await eventually(() => told.length === 3);
    await call("fay", draftsRemove, { conv });
    await call("fay", draftsRemove, { conv });
    await eventually(() => told.length === 4);
    assert.deepEqual(told[3]?.packet, { type: "draft", conv, draft: null });
    assert.deepEqual(
      (await call("fay", draftsList, {})).drafts.map(({ text }) => text),
      ["new person"],
    );
    await assert.rejects(call("zoe", draftsSet, { conv, text: "x" }), hasCode("not_found"));
    await history.change("drafts", { event: "remove", by: "amy", uids: ["fay"] });
    await assert.rejects(call("fay", draftsSet, { conv, text: "x" }), hasCode("not_member"));
    for (let n = 1; n < limits.drafts; n++) {
      // JSON writes each of these characters as six.
      const text = `${n >= 100 && n < 112 ? "\u0001".repeat(8_000) : ""}${n}`;
      await call("fay", draftsSet, { conv: `p2p/fay/other${n}`, text });
    }
    await assert.rejects(call("fay", draftsSet, { conv: "p2p/fay/one-more", text: "x" }), hasCode("conflict"));
    const all: string[] = [];
    for (let page: string | null | undefined; page !== null; ) {
      const answer: ResultOf<typeof draftsList> = await call("fay", draftsList, page === undefined ? {} : { page });
      assert.ok(JSON.stringify(answer).length < limits.pageBytes);
      all.push(...answer.drafts.map(({ text }) => text));
      page = answer.next;
    }
    assert.equal(new Set(all).size, limits.drafts);
  });
});
