// History as the other services meet it: over NATS, with its data on disk.
import assert from "node:assert/strict";
import { test } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import {
  type AppError,
  type MembershipEvent,
  p2pConv,
  type RoomsReply,
  type StoredReferences,
  streams,
  subjects,
} from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { about, startTestHistory, type TestHistory } from "./surroundings.ts";

const seqs = (messages: readonly { seq: number }[]) => messages.map(({ seq }) => seq);
const hasCode = (code: string) => (error: AppError) => error.code === code;

test("history keeps its guarantees over NATS", async (t) => {
  const history = await startTestHistory(t);

  await t.test(
    "a message sent again with the same id is stored once and answered with the same seq, also after a restart",
    async () => {
      assert.equal(await history.say("alice", "bob", "m1"), 1);
      assert.equal(await history.say("alice", "bob", "m1"), 1);
      await history.restart();
      assert.equal(await history.say("alice", "bob", "m1"), 1);
      assert.equal(await history.say("alice", "bob", "m2"), 2);
      const { messages, lastSeq } = await history.get("bob", { conv: "p2p/alice/bob" });
      assert.deepEqual(seqs(messages), [1, 2]);
      assert.equal(lastSeq, 2);
    },
  );

  await t.test(
    "an id that cannot be one is invalid_packet at once, whatever is asked, and nobody tries again",
    async () => {
      const poisoned = [
        "p2p/alice/bob\u0000",
        "p2p/alice/bob\ud800",
        "😀".repeat(128),
        "p2p/bob/alice",
        "room/",
        "x",
        "",
      ];
      const refused = hasCode("invalid_packet");
      for (const conv of poisoned) {
        await assert.rejects(history.get("alice", { conv }), refused, conv);
        // The order of a and b is not looked at here: such a cursor meets no conversation.
        if (conv !== "p2p/bob/alice")
          await assert.rejects(history.sync("alice", { cursors: { [conv]: 1 } }), refused, conv);
        await assert.rejects(history.receipt({ conv, uid: "alice", read: 1 }), refused, conv);
        await assert.rejects(history.members(conv), refused, conv);
        const event: MembershipEvent = { event: "join", by: "alice", uids: ["alice"] };
        await assert.rejects(history.change("r", event, { conv }), refused, conv);
      }
      for (const uid of ["al\u0000ice", "\udc00", "", "x".repeat(33)])
        await assert.rejects(requestJson(history.nats, subjects.rooms, { uid }, { timeoutMs: 30_000 }), refused, uid);
    },
  );

  await t.test("400 reads of one user keep nobody's message and nobody else's read waiting", async () => {
    for (let id = 1; id <= 60; id++) await history.say("gina", "hugo", String(id));
    let read = 0;
    let isEnough = false;
    // 400 at any moment: a read that has its turn after them has 400 of them answered before it.
    const all = Array.from({ length: 400 }, async () => {
      while (!isEnough) {
        // On a slow machine one may wait too long for its turn: that is the one user's own.
        await history.get("gina", { conv: "p2p/gina/hugo", limit: 60 }).catch((error: AppError) => {
          if (error.code !== "rate_limited") throw error;
        });
        read += 1;
      }
    });
    const before = await history.get("hugo", { conv: "p2p/gina/hugo" }).then(() => read);
    await history.say("hugo", "gina", "61");
    isEnough = true;
    await Promise.all(all);
    assert.ok(before < 400, `${before} reads were answered first`);
  });

  await t.test(
    "sync since an earlier one answers conversations whose marks moved meanwhile, and only those",
    async () => {
      for (const id of ["1", "2"]) await history.say("sara", "tom", id);
      await history.say("sara", "uma", "1");
      await history.change("since", { event: "create", by: "sara", uids: ["tom", "uma"], name: "Since" });
      await history.say("sara", "room/since", "1");
      const all = await history.sync("sara", { all: true });
      const cursors = Object.fromEntries(all.conversations.map(({ conv, lastSeq }) => [conv, lastSeq]));
      const { at = 0 } = all;
      assert.deepEqual((await history.sync("sara", { cursors, since: at + 3_600_000 })).conversations, []);
      const moved = async (since: number) => {
        const { conversations } = await history.sync("sara", { cursors, since });
        return conversations.map(({ conv, messages, readSeq, receipts }) => ({ conv, messages, readSeq, receipts }));
      };
      // Members made by messages alone have no marks.
      assert.deepEqual(await moved(at), []);
      const { notice } = await history.receipt({ conv: "p2p/sara/tom", uid: "tom", read: 2 });
      const receipts = [{ uid: "tom", delivered: notice.delivered, read: 2 }];
      const ofTom = { conv: "p2p/sara/tom", messages: [], readSeq: 0, receipts };
      assert.deepEqual(await moved(at), [ofTom]);
      await history.restart();
      assert.deepEqual(await moved(at), [ofTom]);
      await history.receipt({ conv: "p2p/sara/uma", uid: "sara", read: 1 });
      await history.receipt({ conv: "room/since", uid: "uma", delivered: 2 });
      assert.deepEqual(await moved(at), [
        ofTom,
        { conv: "p2p/sara/uma", messages: [], readSeq: 1, receipts: [] },
        { conv: "room/since", messages: [], readSeq: 0, receipts: [{ uid: "uma", delivered: 2, read: 0 }] },
      ]);
    },
  );

  await t.test(
    "a recalled message counts as unread no longer, for those who had not read it, also after a restart",
    async () => {
      await history.change("recalls", { event: "create", by: "idun", uids: ["janek", "kimi"], name: "R" });
      const convs = ["p2p/idun/janek", "room/recalls"];
      const unread = async (uid: string) => {
        const { conversations: listed } = await history.list(uid);
        const { conversations: synced } = await history.sync(uid, { all: true });
        const of = (rows: { conv: string; unread: number }[]) =>
          convs.map((conv) => rows.find((row) => row.conv === conv)?.unread ?? 0);
        assert.deepEqual(of(listed), of(synced));
        return of(listed);
      };
      for (const id of ["a", "b", "c"]) for (const conv of convs) await history.say("idun", conv, id);
      assert.deepEqual(await unread("janek"), [3, 3]);
      await history.receipt({ conv: "room/recalls", uid: "kimi", read: 3 });
      assert.deepEqual(await unread("kimi"), [0, 1]);
      // "b" stands at 2 between two, and at 3 in the room, behind its creation.
      await history.say("idun", "p2p/idun/janek", "r", about("recall", 2));
      await history.say("idun", "room/recalls", "r", about("recall", 3));
      assert.deepEqual(await unread("janek"), [2, 2]);
      assert.deepEqual(await unread("kimi"), [0, 1]);
      await history.restart();
      assert.deepEqual(await unread("janek"), [2, 2]);
      await history.say("idun", "room/recalls", "r2", about("recall", 4));
      assert.deepEqual(await unread("janek"), [2, 1]);
      assert.deepEqual(await unread("kimi"), [0, 0]);
      await history.receipt({ conv: "p2p/idun/janek", uid: "janek", read: 2 });
      assert.deepEqual(await unread("janek"), [1, 1]);
    },
  );

  await t.test(
    "edits, recalls and reactions are refused by one rule: whose message, does it exist, was it recalled",
    async () => {
      await history.change("rule", { event: "create", by: "olive", uids: ["petra", "quirin"], name: "Rule" });
      const room = "room/rule";
      const seq = await history.say("petra", room, "m");
      const told = async (from: string, id: string, more: ReturnType<typeof about>) => {
        const [outcome] = await history.append(history.item(from, room, id, more));
        return outcome && "error" in outcome ? outcome.error.code : "stored";
      };
      assert.equal(await told("quirin", "1", about("edit", seq)), "forbidden");
      assert.equal(await told("olive", "2", about("edit", seq)), "forbidden");
      assert.equal(await told("quirin", "3", about("recall", seq)), "forbidden");
      assert.equal(await told("petra", "4", about("edit", seq)), "stored");
      assert.equal(await told("quirin", "5", about("reaction", seq)), "stored");
      for (const type of ["edit", "recall", "reaction"] as const) {
        assert.equal(await told("petra", `${type}-event`, about(type, 1)), "not_found");
        assert.equal(await told("petra", `${type}-edit`, about(type, seq + 1)), "not_found");
        assert.equal(await told("petra", `${type}-none`, about(type, 999)), "not_found");
        assert.equal(await told("petra", `${type}-odd`, about(type, 1.5)), "invalid_packet");
        assert.equal(await told("eve", `${type}-eve`, about(type, seq)), "not_found");
      }
      // Who joins later does not see it.
      await history.change("rule", { event: "invite", by: "olive", uids: ["rosie"] });
      assert.equal(await told("rosie", "6", about("reaction", seq)), "not_found");
      // The owner may recall another's; once is for good, and again is the same answer.
      assert.equal(await told("olive", "7", about("recall", seq)), "stored");
      assert.equal(await told("olive", "7", about("recall", seq)), "stored");
      await history.restart();
      assert.equal(await told("petra", "8", about("recall", seq)), "not_found");
      assert.equal(await told("petra", "9", about("edit", seq)), "not_found");
      const [first, second] = await history
        .append(history.item("petra", room, "m2"), history.item("petra", room, "m3"))
        .then((outcomes) => outcomes.map((outcome) => ("seq" in outcome ? outcome.seq : 0)));
      const twice = await history.append(
        history.item("petra", room, "r1", about("recall", first ?? 0)),
        history.item("petra", room, "r2", about("recall", first ?? 0)),
        history.item("petra", room, "r3", about("edit", second ?? 0)),
      );
      assert.deepEqual(
        twice.map((outcome) => ("error" in outcome ? outcome.error.code : "stored")),
        ["stored", "not_found", "stored"],
      );
    },
  );

  await t.test("receipts are told to members only: not to who was removed, and nobody is told of theirs", async () => {
    const conv = "room/left";
    await history.change("left", { event: "create", by: "zoe", uids: ["abel", "bert", "cora"], name: "Left" });
    for (const from of ["zoe", "abel", "bert"]) await history.say(from, conv, "m");
    await history.change("left", { event: "remove", by: "zoe", uids: ["abel"] });
    const { tell } = await history.receipt({ conv, uid: "cora", read: 4 });
    assert.deepEqual([...tell].sort(), ["bert", "cora", "zoe"]);
    assert.deepEqual((await history.receipt({ conv, uid: "abel", read: 3 })).tell, ["abel"]);
  });

  // With 12 conversations and 3 a page: what did not move ends amid a page, and at the end of one.
  for (const moves of [2, 4])
    await t.test(
      `a list shows every conversation in some page while ${moves} of them move between its pages`,
      async () => {
        const uid = `vera${moves}`;
        const others = Array.from({ length: 12 }, (_, n) => `walt${n}`);
        for (const other of others) await history.say(other, uid, "1");
        const shown = await listAll(history, uid, async (page) => {
          // The quietest one, which no page has shown yet, moves to the front; and a new one begins.
          if (page < moves) await history.say(others[page] ?? "", uid, `again${page}`);
          if (page === 1) await history.say("walt99", uid, "1");
        });
        const wanted = [...others, "walt99"].map((other) => p2pConv(uid, other));
        assert.deepEqual([...shown].sort(), wanted.sort());
        await assert.rejects(history.list(uid, { page: "1 2" }), hasCode("invalid_packet"));
      },
    );

  await t.test(
    "pages end at what the caller's device takes, and a message that is more is told as too large",
    async () => {
      const conv = "p2p/xara/yves";
      const body = (id: string, size: number) =>
        Buffer.from(JSON.stringify({ id, to: conv, content: { type: "text", data: "é".repeat(size / 2) } }));
      for (let n = 1; n <= 20; n++) await history.say("xara", "yves", `${n}`, { body: body(`${n}`, 300) });
      const maxBytes = 2_048;
      const size = (answer: unknown) => Buffer.byteLength(JSON.stringify(answer));
      const newest = await history.get("yves", { conv }, maxBytes);
      assert.equal(newest.messages.at(-1)?.seq, 20);
      assert.ok(newest.messages.length > 1 && newest.more && size(newest) <= maxBytes, `${size(newest)} bytes`);
      const got: number[] = [];
      for (let after = 0, more = true; more; after = got.at(-1) ?? 0) {
        const page = await history.get("yves", { conv, after }, maxBytes);
        assert.ok(size(page) <= maxBytes, `${size(page)} bytes`);
        got.push(...seqs(page.messages));
        more = page.more;
      }
      assert.deepEqual(
        got,
        Array.from({ length: 20 }, (_, n) => n + 1),
      );
      const synced: number[] = [];
      for (let more = true; more; ) {
        const answer = await history.sync("yves", { cursors: { [conv]: synced.at(-1) ?? 0 } }, maxBytes);
        assert.ok(size(answer) <= maxBytes, `${size(answer)} bytes`);
        synced.push(...answer.conversations.flatMap(({ messages }) => seqs(messages)));
        more = answer.conversations.some((one) => one.more);
      }
      assert.deepEqual(synced, got);
      await history.say("xara", "yves", "large", { body: body("large", 3_000) });
      const large = (error: AppError) =>
        error.code === "too_large" && error.details?.seq === 21 && Number(error.details?.bytes) > 3_000;
      await assert.rejects(history.get("yves", { conv }, maxBytes), large);
      await assert.rejects(history.get("yves", { conv, after: 20 }, maxBytes), large);
      await assert.rejects(history.sync("yves", { cursors: { [conv]: 20 } }, maxBytes), large);
      const listed = await history.list("yves", {}, maxBytes);
      assert.deepEqual([listed.conversations[0]?.lastMessage, listed.conversations[0]?.lastSeq], [null, 21]);
      assert.equal((await history.get("yves", { conv })).messages.length, 21);
    },
  );

  await t.test("a message to nobody is refused, and nothing of it is stored", async () => {
    history.unknown.add("nobody");
    const [outcome] = await history.append(history.item("alice", "p2p/alice/nobody", "m1"));
    assert.ok(outcome && "error" in outcome && outcome.error.code === "not_found");
    assert.equal((await history.get("alice", { conv: "p2p/alice/nobody" })).lastSeq, 0);
  });

  await t.test("a message whose prev is not stored is refused until it is", async () => {
    const first = history.item("alice", "p2p/alice/carol", "a");
    const second = history.item("alice", "p2p/alice/carol", "b", { prev: "a" });
    const [refused] = await history.append(second);
    assert.ok(refused && "error" in refused && refused.error.code === "out_of_order");
    const outcomes = await history.append(first, second);
    assert.deepEqual(
      outcomes.map((outcome) => "seq" in outcome && outcome.seq),
      [1, 2],
    );
  });

  await t.test(
    "receipts only move forward, never past the last seq, and tell the sender and the reader's own devices",
    async () => {
      const conv = "p2p/dora/erik";
      for (const id of ["1", "2", "3"]) await history.say("dora", "erik", id);
      const moved = await history.receipt({ conv, uid: "erik", read: 2 });
      assert.deepEqual(moved.notice, { type: "receipt", conv, uid: "erik", delivered: 2, read: 2 });
      assert.deepEqual([...moved.tell].sort(), ["dora", "erik"]);
      assert.deepEqual((await history.receipt({ conv, uid: "erik", read: 1, delivered: 1 })).tell, []);
      assert.equal((await history.receipt({ conv, uid: "erik", read: 99 })).notice.read, 3);
      await assert.rejects(history.receipt({ conv, uid: "eve", read: 1 }), hasCode("not_member"));
    },
  );

  await t.test("unread is exact through own messages, reads, reactions and a restart", async () => {
    const unread = async (uid: string) =>
      (await history.list(uid)).conversations.find(({ conv }) => conv === "p2p/finn/gina")?.unread;
    await history.say("finn", "gina", "1");
    await history.say("finn", "gina", "2");
    await history.say("finn", "gina", "r", about("reaction", 1));
    assert.equal(await unread("gina"), 2);
    assert.equal(await unread("finn"), 0);
    await history.receipt({ conv: "p2p/finn/gina", uid: "gina", read: 1 });
    assert.equal(await unread("gina"), 1);
    await history.say("gina", "finn", "3");
    assert.equal(await unread("gina"), 0);
    assert.equal(await unread("finn"), 1);
    await history.say("finn", "gina", "4");
    await history.restart();
    assert.equal(await unread("gina"), 1);
    assert.equal(await unread("finn"), 0);
  });

  await t.test("sync answers exactly what the cursors lack, page after page", async () => {
    for (let id = 1; id <= 7; id++) await history.say("hugo", "ines", String(id));
    for (let id = 1; id <= 3; id++) await history.say("jana", "ines", String(id));
    const all = await history.sync("ines", { limit: 5 });
    assert.deepEqual(
      all.conversations.map(({ conv, messages, more }) => [conv, messages.length, more]),
      [
        ["p2p/hugo/ines", 5, true],
        ["p2p/ines/jana", 3, false],
      ],
    );
    const rest = await history.sync("ines", { cursors: { "p2p/hugo/ines": 5, "p2p/ines/jana": 3 } });
    assert.deepEqual(
      rest.conversations.map(({ conv, messages }) => [conv, seqs(messages)]),
      [["p2p/hugo/ines", [6, 7]]],
    );
    assert.deepEqual(
      (await history.sync("ines", { cursors: { "p2p/hugo/ines": 7, "p2p/ines/jana": 3 } })).conversations,
      [],
    );
    assert.deepEqual((await history.sync("nobody-yet")).conversations, []);
  });

  await t.test("pages of sync keep to 256 KiB and together have everything once", async () => {
    const peers = ["kira", "leon"];
    const body = (id: string) => Buffer.from(JSON.stringify({ id, content: { type: "text", data: "x".repeat(900) } }));
    const all = Array.from({ length: 300 }, (_, index) => index + 1);
    for (const peer of peers) {
      const items = all.map((n) => history.item(peer, `p2p/${peer}/nora`, String(n), { body: body(String(n)) }));
      await history.append(...items.slice(0, 150));
      await history.append(...items.slice(150));
    }
    const cursors: Record<string, number> = {};
    const got = new Map(peers.map((peer) => [`p2p/${peer}/nora`, [] as number[]]));
    for (let page: string | null = null, rest = 10; rest > 0; rest--) {
      const answer = await history.sync("nora", { cursors, limit: 500, ...(page === null ? {} : { page }) });
      assert.ok(JSON.stringify(answer).length <= 256 * 1024);
      for (const { conv, messages } of answer.conversations) {
        got.get(conv)?.push(...seqs(messages));
        cursors[conv] = messages.at(-1)?.seq ?? 0;
      }
      page = answer.next;
    }
    for (const received of got.values()) assert.deepEqual(received, all);
  });

  await t.test("sync finds the few of many conversations that lack something, and all when all do", async () => {
    const names = Array.from({ length: 300 }, (_, n) => `o${String(n).padStart(3, "0")}`);
    const convs = names.map((name) => `p2p/${name}/otto`);
    const body = (id: string) =>
      Buffer.from(JSON.stringify({ id, content: { type: "text", data: "x".repeat(1_200) } }));
    await Promise.all(names.map((name) => history.say(name, "otto", "1", { body: body("1") })));
    const pagesOf = async (cursors: Record<string, number>) => {
      const pages: string[][] = [];
      for (let page: string | null | undefined; page !== null && pages.length < 10; ) {
        const answer = await history.sync("otto", { cursors, limit: 500, ...(page === undefined ? {} : { page }) });
        pages.push(answer.conversations.map(({ conv }) => conv));
        page = answer.next;
      }
      return pages;
    };
    const all = await pagesOf({});
    assert.ok(all.length === 2 || all.length === 3);
    assert.deepEqual(all.flat(), convs);
    const lacking = new Set([convs[7], convs[150], convs[299]]);
    const cursors = Object.fromEntries(convs.filter((conv) => !lacking.has(conv)).map((conv) => [conv, 1]));
    assert.deepEqual(await pagesOf(cursors), [[...lacking]]);
  });

  await t.test("sync tells the receipts of the others, in a conversation of two and in a room", async () => {
    const room = "room/rows";
    await history.change("rows", { event: "create", by: "rhea", uids: ["sven", "tara"] });
    const last = await history.say("rhea", room, "1");
    await history.say("rhea", "sven", "1");
    await history.receipt({ conv: room, uid: "sven", read: last });
    await history.receipt({ conv: room, uid: "tara", delivered: last });
    await history.receipt({ conv: "p2p/rhea/sven", uid: "sven", delivered: 1 });
    const { conversations } = await history.sync("rhea");
    assert.deepEqual(Object.fromEntries(conversations.map(({ conv, receipts }) => [conv, receipts])), {
      "p2p/rhea/sven": [{ uid: "sven", delivered: 1, read: 0 }],
      [room]: [
        { uid: "sven", delivered: last, read: last },
        { uid: "tara", delivered: last, read: 0 },
      ],
    });
  });

  await t.test("pages of a conversation: the newest, before, after, around", async () => {
    const conv = "p2p/hugo/ines";
    const page = async (params: object) => {
      const { messages, more, firstSeq, lastSeq } = await history.get("hugo", { conv, ...params });
      assert.deepEqual([firstSeq, lastSeq], [1, 7]);
      return [seqs(messages), more];
    };
    assert.deepEqual(await page({ limit: 3 }), [[5, 6, 7], true]);
    assert.deepEqual(await page({ before: 3 }), [[1, 2], false]);
    assert.deepEqual(await page({ after: 2, limit: 2 }), [[3, 4], true]);
    assert.deepEqual(await page({ after: 5 }), [[6, 7], false]);
    assert.deepEqual(await page({ around: 4, limit: 3 }), [[3, 4, 5], true]);
    await assert.rejects(history.get("eve", { conv }), hasCode("not_member"));
    await assert.rejects(history.get("hugo", { conv: "nonsense" }), hasCode("invalid_packet"));
    await assert.rejects(history.get("hugo", { conv: "room/none" }), hasCode("not_found"));
  });

  await t.test("a removed member gets nothing stored after its removal, and keeps what was before", async () => {
    const conv = "room/team";
    const created = await history.change(
      "team",
      { event: "create", by: "olga", uids: ["paul"], name: "Team" },
      { id: "create:team" },
    );
    assert.equal(created.seq, 1);
    assert.equal(
      (await history.change("team", { event: "create", by: "olga", uids: [] }, { id: "create:team" })).seq,
      1,
    );
    await history.say("paul", conv, "1");
    await history.change("team", { event: "remove", by: "olga", uids: ["paul"] });
    await history.say("olga", conv, "2");
    const [refused] = await history.append(history.item("paul", conv, "3"));
    assert.ok(refused && "error" in refused && refused.error.code === "not_member");
    assert.deepEqual(seqs((await history.get("paul", { conv })).messages), [1, 2, 3]);
    assert.deepEqual(seqs((await history.sync("paul")).conversations[0]?.messages ?? []), [1, 2, 3]);
    assert.deepEqual((await history.list("paul")).conversations, []);
    assert.deepEqual(seqs((await history.get("olga", { conv })).messages), [1, 2, 3, 4]);
    const { members, memberSeq } = await history.members(conv);
    assert.equal(memberSeq, 3);
    assert.deepEqual(members.find(({ uid }) => uid === "paul")?.stays, [[1, 3]]);
    assert.equal((await history.list("olga")).conversations[0]?.name, "Team");
  });

  await t.test(
    "every stored message is announced, in order and without gaps, also what was stored while JetStream was away",
    async () => {
      await history.natsServer.kill();
      await history.natsServer.start();
      await eventually(async () => (await history.say("quin", "rosa", "1")) === 1);
      await history.say("quin", "rosa", "2");
      const manager = await jetstreamManager(history.nats);
      await eventually(
        async () => {
          const consumer = await jetstream(history.nats).consumers.get(streams.stored.name);
          const { num_pending: pending } = await consumer.info();
          const announced = new Set<string>();
          for await (const message of await consumer.fetch({ max_messages: pending, expires: 2_000 }))
            for (const { conv, seq } of message.json<StoredReferences>().entries) announced.add(`${conv} ${seq}`);
          for (const one of ["p2p/alice/bob 2", "room/team 1", "p2p/quin/rosa 1", "p2p/quin/rosa 2"])
            assert.ok(announced.has(one), one);
          return true;
        },
        { timeoutMs: 60_000 },
      );
      assert.ok((await manager.streams.info(streams.stored.name)).state.messages > 0);
    },
  );

  await t.test("the rooms of a user", async () => {
    const { rooms } = await requestJson<RoomsReply>(
      history.nats,
      subjects.rooms,
      { uid: "olga" },
      { timeoutMs: 30_000 },
    );
    assert.deepEqual(
      rooms.map(({ conv, member }) => ({ conv, member })),
      [{ conv: "room/team", member: { role: "owner", joinSeq: 1 } }],
    );
  });
});

// Every conversation that some page shows, three a page; `between` happens after each page.
async function listAll(
  history: TestHistory,
  uid: string,
  between: (page: number) => Promise<void>,
): Promise<Set<string>> {
  const shown = new Set<string>();
  let token: string | undefined;
  for (let page = 0; page < 40; page++) {
    const { conversations, next } = await history.list(uid, {
      limit: 3,
      ...(token === undefined ? {} : { page: token }),
    });
    for (const { conv } of conversations) shown.add(conv);
    if (next === null) return shown;
    token = next;
    await between(page);
  }
  return assert.fail("the list does not end");
}
