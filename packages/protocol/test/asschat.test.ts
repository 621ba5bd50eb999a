// ASSChat between a device and the port: what is told, kept as told, and said again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { historyGet, markKey, roomsGet, type Tree } from "@parley/protocol";
import { dialectOf, type Published, type Said } from "@parley/protocol/dialects";
import { recordParley } from "./recorded-parley.ts";

const conv = "room/tea";
const event = { type: "event", data: { event: "create", by: "bob", uids: ["ada"], room: { settings: {} } } };
const place = { conv, from: "bob", device: "bob:pc", ts: 1_795_240_386_143, to: conv };
const created = { ...place, seq: 1, id: "create", content: event };
const text = (seq: number) => ({ ...place, seq, id: `m${seq}`, content: { type: "text", data: `text ${seq}` } });

const field = ({ properties }: Said, name: string) => properties?.userProperties?.find(([key]) => key === name)?.[1];
const summary = (said: readonly Said[]) => said.map((one) => [one.topic, field(one, "Type") ?? one.payload]);

/** A device, and the marks that are kept of it. */
function open(marks = new Map<string, number>(), filters = ["ass/#"]) {
  const parley = recordParley("ada", filters);
  parley.marks = {
    read: async () => new Map(marks),
    move: (mark, name, seq) => {
      const key = markKey(mark, name);
      marks.set(key, Math.max(seq, marks.get(key) ?? 0));
    },
    kept: async () => undefined,
  };
  const stored = [created, text(2), text(3)];
  parley.answer(historyGet, ({ after = 0 }) => {
    const messages = stored.filter(({ seq }) => seq > after) as never[];
    return { messages, firstSeq: 1, lastSeq: 3, more: false };
  });
  parley.answer(roomsGet, () => {
    const room = { id: "tea", conv, name: "$tea", nick: "$tea", group: "", avatar: "", createdAt: 1 };
    return { ...room, createdBy: "bob", settings: {} };
  });
  const tree: Tree = {
    ...{ p: "0", owner: "user", uid: "ada", clientId: "ada:pc", accounts: ["ada"], persistent: true, connectedAt: 1 },
    ...{ filters, version: 1 },
  };
  const speaker = dialectOf({ name: "asschat" })!.open(tree, parley);
  const ack = ({ properties = {} }: Said) =>
    speaker.take({ topic: "ass/ack", payload: new Uint8Array(0), dup: false, properties } as Published);
  return { parley, marks, tree, speaker, ack };
}

test("a notification that nobody heard is said when it can be heard, and after a new start until it is acknowledged", async () => {
  const { parley, marks, speaker } = open(new Map(), ["ass/msg/+"]);
  assert.deepEqual(await speaker.render(created), []);
  assert.deepEqual(summary(await speaker.render(text(2))), [["ass/msg/$tea", "text 2"]]);
  parley.filters.push("ass/ack");
  await speaker.subscribed?.(["ass/ack"]);
  assert.deepEqual(parley.said, []);
  parley.filters.push("ass/ntf/+");
  await speaker.subscribed?.(["ass/ntf/+"]);
  assert.deepEqual(summary(parley.said), [["ass/ntf/$tea", "created"]]);
  await speaker.subscribed?.(["ass/ack"]);
  assert.equal(parley.said.length, 1);
  const later = open(marks);
  await later.speaker.subscribed?.(["ass/#"]);
  assert.deepEqual(summary(later.parley.said), [["ass/ntf/$tea", "created"]]);
  await later.ack(later.parley.said[0]!);
  const last = open(marks);
  await last.speaker.subscribed?.(["ass/#"]);
  assert.deepEqual(last.parley.said, []);
});
