import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tree } from "../../../trees.ts";
import type { Outgoing, Parley, Said } from "../../dialect.ts";
import { chat } from "../chat.ts";

const tree: Tree = {
  ...{ p: "0", owner: "user", uid: "ann", clientId: "emqttd_1", accounts: ["ann"], persistent: true, connectedAt: 1 },
  ...{ filters: ["#"], version: 1 },
};

test("who sends a message again is told it again: its own Message is all that it has for an ack", async () => {
  const told: Said[] = [];
  const stored = new Map<string, Outgoing>();
  const conv = "p2p/ann/bob";
  let shown = 6;
  const parley = {
    publicUrl: "http://chat.example",
    send: async (message: Outgoing) => {
      stored.set(message.id ?? "", message);
      return { id: message.id, conv, seq: 7, ts: 1 };
    },
    call: async () => ({ messages: [{ ...stored.get("m1"), conv, seq: 7, from: "ann", device: "emqttd_1", ts: 1 }] }),
    wasTold: (_: string, seq: number) => seq <= shown,
    say: async (said: Said) => void told.push(said),
  } as unknown as Parley;
  const speaker = chat.open(tree, parley);
  const files = [{ tup: "Desc", id: "d", mime: "text", payload: "hello" }];
  const feed_id = { tup: "p2p", from: "ann", to: "bob" };
  const message = { tup: "Message", feed_id, msg_id: "m1", from: "ann", to: "bob", files, status: "client" };
  const payload = new TextEncoder().encode(JSON.stringify(message));
  const take = () => speaker.take({ topic: "events/1//api/anon//", payload, dup: false, properties: {} });
  await take();
  assert.deepEqual(told, [], "the first time it comes as to everybody");
  await take();
  assert.deepEqual(told, [], "what it was not told yet comes in its turn");
  shown = 7;
  await take();
  assert.deepEqual(
    told.map(({ topic }) => topic),
    ["p2p/ann/bob"],
  );
  const [{ payload: bytes = "" } = {}] = told as Partial<Said>[];
  const again = JSON.parse(Buffer.from(bytes).toString());
  assert.deepEqual([again.tup, again.msg_id, again.id % 2 ** 26, again.status], ["Message", "m1", 7, "sent"]);
});
