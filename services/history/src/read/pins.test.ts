// The pins of many conversations, of which much was said.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openStore } from "@parley/store";
import { newMember } from "../fold/members.ts";
import { annotationsKey, noAnnotations } from "../keep/annotations.ts";
import { type ConversationInfo, openHistoryStore } from "../keep/store.ts";
import { pinsOf } from "./pins.ts";
import type { Reading } from "./reading.ts";

const convs = Array.from({ length: 20 }, (_, n) => `room/r${n}`);
const pinAt = (seq: number) => ({ seq, by: "ann", at: seq });

test("the pins of a list are had without what was said about them, but of those that were pinned before the recalls that are known", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-pins-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const opened = await openStore(`sqlite:${folder}`, { service: "history", lockWaitMs: 0 });
  t.after(() => opened.close());
  const store = await openHistoryStore(opened);
  const asked = new Set<string>();
  const { get, getMany } = store.annotations;
  store.annotations.get = async (key) => {
    asked.add(key);
    return get.call(store.annotations, key);
  };
  store.annotations.getMany = async (keys) => {
    for (const key of keys) asked.add(key);
    return getMany.call(store.annotations, keys);
  };
  const views = convs.map((conv) => ({
    member: { ...newMember(conv, "ann"), stays: [[1, null]] as [number, null][] },
    head: undefined,
  }));
  const infoOf = (conv: string, recalled: ConversationInfo["recalled"] = []): ConversationInfo => {
    const pins = { list: [5, 6, 7].map(pinAt), seq: 8 };
    return { conv, name: "", nameSeq: 0, pins, recalled };
  };
  const infos = new Map(convs.map((conv) => [conv, infoOf(conv, [[6, 6]])]));
  const listed = async (conv: string) =>
    (await pinsOf({ store } as Reading, views, infos)).get(conv)?.map(({ seq }) => seq);
  assert.deepEqual(await listed("room/r3"), [5, 7]);
  assert.equal(asked.size, 0);

  const [first = ""] = convs;
  const latest = Array.from({ length: 1_000 }, (_, at) => [6 + at, 6 + at] as const);
  infos.set(first, infoOf(first, latest));
  const recall = { seq: 9, by: "ann" };
  await store.annotations.put([{ key: annotationsKey(first, 5), doc: { ...noAnnotations(first, 5), recall } }]);
  assert.deepEqual(await listed(first), []);
  assert.deepEqual([...asked], [annotationsKey(first, 5)]);
});
