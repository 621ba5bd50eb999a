// What readers get of messages whose time is over while nothing has swept them.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type LogEntry, openStore } from "@parley/store";
import { newMember } from "../fold/members.ts";
import { annotationsKey, noAnnotations } from "../keep/annotations.ts";
import { fileKey, memberKey, openHistoryStore } from "../keep/store.ts";
import { timerKey } from "../keep/timers.ts";
import { mayFetch } from "./files.ts";
import { readPage } from "./page.ts";
import { pinnedMessages } from "./pins.ts";
import type { Reading } from "./reading.ts";

const conv = "p2p/amy/bo";
const file = `f-${"a".repeat(32)}`;

test("before it is swept a message whose time is over, with its edits, quotes, pins and files, is given to nobody", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-expired-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const opened = await openStore(`sqlite:${folder}`, { service: "history", lockWaitMs: 0 });
  t.after(() => opened.close());
  const store = await openHistoryStore(opened);
  const member = { ...newMember(conv, "bo"), stays: [[1, null]] as [number, null][] };
  await store.members.put([{ key: memberKey(conv, "bo"), doc: member }]);

  const entry = (seq: number, content: { type: string }, event: object | null): LogEntry => ({
    ...{ q: 0, pos: seq, conv, seq, ord: seq, from: "amy", device: "amy:d", id: `${seq}`, type: content.type, ts: 1 },
    ...{ origin: null, event: event && { ...event }, memberSeq: 0 },
    body: Buffer.from(JSON.stringify({ id: `${seq}`, to: "user/bo", content })),
  });
  const text = (data: string) => ({ type: "text", data });
  const edit = (seq: number) => ({ type: "edit", seq, data: "secret" });
  const [past, later] = [Date.now() - 1, Date.now() + 3_600_000];
  await store.log.append(0, [
    entry(1, text("secret"), { event: "message", expiresAt: past }),
    entry(2, text("secret"), { event: "message", expiresAfterRead: 5 }),
    entry(3, text("kept"), { event: "message", expiresAt: later }),
    entry(4, text("kept too"), { event: "message", expiresAfterRead: 5 }),
    entry(5, edit(1), { event: "edit", seq: 1, expiresAt: past }),
    entry(6, edit(2), { event: "edit", seq: 2, expiresAfterRead: 5 }),
    entry(7, text("answer"), { event: "message", reply: 1 }),
    entry(8, text("answer"), { event: "message", reply: 2 }),
    entry(9, { type: "file", file, name: "secret" } as { type: string }, { event: "message", expiresAt: past }),
  ]);
  const timer = (seq: number, more: object) => ({ conv, seq, from: "amy", device: "amy:d", id: `${seq}`, ...more });
  await store.timers.put(
    [timer(2, { at: past, afterRead: 5 }), timer(4, { afterRead: 5, waits: conv })].map((doc) => ({
      key: timerKey(doc),
      doc,
    })),
  );
  const reactions = [["👍", "bo", 5]] as const;
  await store.annotations.put(
    [1, 2].map((seq) => ({
      key: annotationsKey(conv, seq),
      doc: {
        ...noAnnotations(conv, seq),
        appliedSeq: 6,
        edits: [seq + 4],
        reactions: reactions.map((one) => [...one]),
      },
    })) as Parameters<typeof store.annotations.put>[0],
  );
  const pins = { list: [1, 2, 3].map((seq) => ({ seq, by: "amy", at: seq })), seq: 9 };
  await store.infos.put([{ key: conv, doc: { conv, name: "", nameSeq: 0, pins } }]);
  await store.files.put([{ key: fileKey({ file, conv, seq: 9 }), doc: { file, conv, seq: 9, from: "amy", at: 1 } }]);

  // The first page has the quoted messages in it, the second one looks them up.
  for (const after of [0, 6]) {
    const { messages } = await readPage(store, member, { after, limit: 10 });
    assert.doesNotMatch(messages.join(), /secret|👍/);
    const quoted = messages.map((one) => JSON.parse(one)).filter((one) => one.quoted);
    assert.deepEqual(
      quoted.map((one) => [one.seq, one.quoted.content]),
      [
        [7, { type: "erased" }],
        [8, { type: "erased" }],
      ],
    );
  }
  const { messages } = await readPage(store, member, { after: 0, limit: 4 });
  assert.deepEqual(
    messages.map((one) => JSON.parse(one).content),
    [{ type: "erased" }, { type: "erased" }, text("kept"), text("kept too")],
  );
  assert.equal(JSON.parse(messages[2] as string).expiresAt, later, "devices are told when");
  const listed = await pinnedMessages({ store } as Reading, { conv }, { uid: "bo", via: "service" });
  assert.deepEqual(
    JSON.parse(listed as string).pins.map(({ seq }: { seq: number }) => seq),
    [3],
  );
  assert.equal(await mayFetch(store, { file, owner: "amy", uid: "bo" }), false);
});
