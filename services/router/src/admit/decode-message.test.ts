import assert from "node:assert/strict";
import { test } from "node:test";
import { renderMessage } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { misplaced } from "./decode.ts";
import { createDecodeMessage, type SentMessage } from "./decode-message.ts";

const decode = createDecodeMessage(64 * 1024);

function take(text: string): SentMessage {
  const decoded = decode(Buffer.from(text), { uid: "alice" });
  assert.ok("packet" in decoded, "the packet was refused");
  return decoded.packet;
}

function refusal(text: string | Buffer) {
  const decoded = decode(Buffer.from(text), { uid: "alice" });
  assert.ok("error" in decoded, "the packet was taken");
  return { name: decoded.name, ...decoded.error.toWire() };
}

test("a packet goes on as the bytes its sender wrote", () => {
  const raw = '{ "id":"1", "to":"user/bob", "content":{"type":"text","data":"hi"} , "x":1}';
  const uplink = take(raw);
  assert.equal(Buffer.from(uplink.body).toString(), raw);
  assert.deepEqual(
    { ...uplink, body: 0 },
    {
      id: "1",
      conv: "p2p/alice/bob",
      type: "text",
      prev: undefined,
      mentions: undefined,
      thread: undefined,
      reply: undefined,
      file: undefined,
      expires: undefined,
      body: 0,
      parsed: JSON.parse(raw),
    },
  );
});

test("a packet without an id is given one, in what is stored too", () => {
  const uplink = take('{"to":"room/r1","content":{"type":"text"}}');
  assert.equal(JSON.parse(Buffer.from(uplink.body).toString()).id, uplink.id);
  assert.equal(uplink.parsed, undefined, "what came is not what is stored");
});

test("nobody can write another from behind the server's", () => {
  const uplink = take('{"id":"1","to":"user/bob","content":{"type":"text"},"\\u0066rom":"eve","seq":9}');
  const fields = { conv: uplink.conv, seq: 1, from: "alice", device: "alice:web", ts: 5 };
  const delivered = Buffer.from(renderMessage(fields, uplink.body)).toString();
  assert.equal(JSON.parse(delivered).from, "alice");
  assert.ok(!delivered.includes("eve"));
});

test("every refusal says what is wrong, and of which packet where that can be read", () => {
  assert.equal(refusal("{").code, "invalid_packet");
  assert.equal(refusal(Buffer.from([0x7b, 0xff, 0x7d])).code, "invalid_packet");
  assert.equal(refusal(`{"id":"1","x":"${"a".repeat(70_000)}"}`).code, "too_large");
  const noContent = refusal('{"id":"7","to":"user/bob"}');
  assert.match(noContent.message, /content/);
  assert.equal(noContent.name, "7");
  assert.match(refusal('{"to":"bob456789","content":{"type":"text"}}').message, /user\/\{uid\}/);
  assert.equal(refusal('{"to":"user/bob","content":{"type":"event"}}').code, "forbidden");
  assert.match(refusal('{"to":"user/bob","content":{"type":"edit"}}').message, /content\.seq/);
});

test("a packet that is too large to be parsed is refused by its name, where its beginning has it", () => {
  const large = (head: string) =>
    decode(Buffer.from(`{${head}"content":{"type":"text","data":"${"a".repeat(70_000)}"}}`), { uid: "alice" });
  assert.equal(large('"id":"m1","to":"user/bob",').name, "m1");
  assert.equal(large('"to":"user/bob",').name, null);
});

test("a packet that cannot be read as a whole is refused by its name, where its beginning has it", () => {
  const named = '{"id":"m1","to":"user/bob","content":{"type":"text","data":';
  for (const rest of ['"half \\ud83d"}}', "tea}}", '"cut', '"x"},"$where":1}', `${"[".repeat(40)}${"]".repeat(40)}}}`])
    assert.deepEqual([refusal(named + rest).name, refusal(named + rest).code], ["m1", "invalid_packet"], rest);
  assert.equal(refusal(Buffer.concat([Buffer.from(named), Buffer.from([0x22, 0xff])])).name, "m1");
  assert.equal(refusal("hello").name, null);
  assert.equal(refusal('{"id":"half \\ud83d","to":"user/bob","content":{"type":"text"}}').name, null);
});

test("of an id that is too long to be one a refusal names the beginning, and no half of a character", () => {
  assert.equal(refusal(`{"id":"${"a".repeat(65)}","to":"user/bob","content":{"type":"text"}}`).name, "a".repeat(64));
  assert.equal(refusal(`{"id":"${"a".repeat(63)}😀","to":"user/bob"}`).name, "a".repeat(63));
});

test("a topic of another partition is refused with the right one", () => {
  const topic = { p: ingestPartition("alice:web"), uid: "alice", clientId: "alice:web", verb: "msg" as const };
  assert.equal(misplaced(topic), undefined);
  const error = misplaced({ ...topic, p: topic.p === "0" ? "1" : "0" });
  assert.equal(error?.code, "wrong_partition");
  assert.equal(error?.details?.topic, `im/up/${topic.p}/alice/alice:web/msg`);
});
