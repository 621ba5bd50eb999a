import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { readIncoming } from "./incoming.ts";

const read = (packet: unknown) => readIncoming(new TextEncoder().encode(JSON.stringify(packet)));
const message = {
  conv: "p2p/a/b",
  seq: 1,
  from: "a",
  device: "a:1",
  ts: 1,
  id: "1",
  to: "user/b",
  content: { type: "text" },
};

test("every packet of the contract's fixtures that Parley sends is known for what it is", () => {
  const folder = new URL("../../protocol/fixtures/valid/", import.meta.url);
  const kinds: Record<string, string> = {
    delivered: "message",
    "receipt-notice": "receipt",
    "typing-notice": "typing",
    "presence-notice": "presence",
    ack: "ack",
    nack: "nack",
    answer: "answer",
  };
  const seen = new Set<string>();
  for (const file of readdirSync(folder)) {
    const { packet, raw } = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as { packet: string; raw: string };
    const kind = kinds[packet];
    if (kind === undefined) continue;
    seen.add(kind);
    assert.equal(readIncoming(new TextEncoder().encode(raw)).kind, kind, file);
  }
  assert.equal(seen.size, 7);
});

test("a message is a message, whatever its sender wrote into it", () => {
  for (const type of ["ack", "nack", "receipt", "typing", "presence"])
    assert.equal(read({ ...message, type, code: "x", uid: "b", result: 1 }).kind, "message", type);
});

test("what is no packet, or one of a newer server, is left alone", () => {
  for (const packet of [
    null,
    1,
    "x",
    [],
    {},
    { type: "wave" },
    { from: "a" },
    { ...message, seq: "1" },
    { content: {} },
  ])
    assert.equal(read(packet).kind, "unknown", JSON.stringify(packet));
  assert.equal(readIncoming(new Uint8Array([0xff, 0x7b])).kind, "unknown");
});
