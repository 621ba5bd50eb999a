import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeObject } from "./codec.ts";
import { AppError } from "./errors.ts";
import { renderMessage, renderMessageText, type ServerFields, serverFields, storableBody } from "./message.ts";

const fields: ServerFields = {
  conv: "p2p/alice/bob",
  seq: 12,
  from: "alice",
  device: "alice:web",
  ts: 1_795_240_386_143,
};

function deliver(raw: string | Uint8Array, id = "made-here") {
  const bytes = typeof raw === "string" ? new TextEncoder().encode(raw) : raw;
  const parsed = decodeObject(bytes);
  assert.ok(!(parsed instanceof AppError), `not decoded: ${String(parsed)}`);
  const body = storableBody(bytes, parsed, typeof parsed.id === "string" ? parsed.id : id);
  const text = Buffer.from(renderMessage(fields, body)).toString();
  assert.equal(renderMessageText(fields, Buffer.from(body).toString()), text);
  return { bytes, body, text };
}

const hostile: Record<string, string> = {
  "a plain from": '{"id":"1","from":"mallory"}',
  "an escaped from": '{"id":"1","\\u0066rom":"mallory"}',
  "a fully escaped from": '{"id":"1","\\u0066\\u0072\\u006f\\u006d":"mallory"}',
  "from twice": '{"id":"1","from":"mallory","from":"alice"}',
  "from and its escaped twin": '{"from":"alice","id":"1","\\u0066rom":"mallory"}',
  "every server field": '{"id":"1","conv":"room/x","seq":99,"from":"mallory","device":"m:1","ts":1}',
  "server fields that are null": '{"id":"1","conv":null,"seq":null,"from":null,"device":null,"ts":null}',
  "a server field last": '{"id":"1","to":"user/bob","content":{"type":"text"},"ts":0}',
  "a server field inside the content": '{"id":"1","content":{"from":"mallory","seq":1}}',
  "text that looks like the end of a packet": '{"id":"1","data":"\\"},\\"from\\":\\"mallory\\""}',
  "no id": '{"to":"user/bob","from":"mallory"}',
  nothing: "{}",
  "nothing but space": "{ \n }",
  "space before": ' \n{"id":"1","from":"mallory"}',
  "space before and no server field": '\t{"id":"1","to":"user/bob"}',
  "reactions and an edit of its own": '{"id":"1","to":"user/bob","reactions":[],"edited":{},"recalled":{}}',
  "a byte order mark": '\ufeff{"id":"1","from":"mallory"}',
  "space around keys": '{ "id" : "1" , "from" : "mallory" }',
  "space behind": '{"id":"1","to":"user/bob"} \r\n',
  "two ids": '{"id":"1","id":"2"}',
  "an escaped id": '{"\\u0069d":"1","to":"user/bob"}',
};

for (const [name, raw] of Object.entries(hostile))
  test(`what is delivered has the server's fields and nobody else's: ${name}`, () => {
    const { text } = deliver(raw);
    const message = JSON.parse(text);
    for (const field of serverFields) {
      const given: Readonly<Record<string, unknown>> = { ...fields };
      assert.equal(message[field], given[field], field);
      const spelled = topLevelKeys(text).filter((key) => key === field);
      assert.equal(spelled.length, field in given ? 1 : 0, `${field} stands in the bytes once, if the server gave it`);
    }
    assert.equal(typeof message.id, "string");
  });

// A reader of its own that keeps duplicate keys, which JSON.parse hides.
function topLevelKeys(text: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  for (const [token, key] of text.matchAll(/("(?:[^"\\]|\\.)*")(?:\s*:)?|[{}[\]]/g)) {
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    else if (depth === 1 && token.endsWith(":")) keys.push(JSON.parse(key ?? '""') as string);
  }
  return keys;
}

test("a clean packet is kept byte for byte, behind the server's fields", () => {
  const raw = '{"id":"1",  "to":"user/bob","content":{"type":"text","data":"h\\u0069 é"},"x":1.50}';
  const { bytes, body, text } = deliver(raw);
  assert.equal(body, bytes, "not even copied");
  assert.ok(text.endsWith(raw.slice(1)));
});

test("a packet without id is stored with the id it was given, and is otherwise its own", () => {
  const { body } = deliver('{"to":"user/bob","content":{"type":"text"}}', "given");
  assert.deepEqual(JSON.parse(Buffer.from(body).toString()), {
    id: "given",
    to: "user/bob",
    content: { type: "text" },
  });
});

test("a packet that is built anew loses the server's fields and nothing else", () => {
  const { body } = deliver('{"id":"1","to":"user/bob","ts":1,"content":{"type":"x-a","from":"inner"},"list":[1,null]}');
  const kept = { id: "1", to: "user/bob", content: { type: "x-a", from: "inner" }, list: [1, null] };
  assert.deepEqual(JSON.parse(Buffer.from(body).toString()), kept);
});

test("a server field with a quote in it cannot break out of its place", () => {
  const device = 'x","from":"mallory';
  const text = Buffer.from(renderMessage({ ...fields, device }, Buffer.from('{"id":"1"}'))).toString();
  assert.deepEqual(JSON.parse(text), { ...fields, device, id: "1" });
});

test("a body that is built anew keeps every number as it was written", () => {
  const numbers = "9007199254740993,-0,1.0,1e400,123456789012345678901234567890,0.1,12";
  const { text } = deliver(`{"from":"mallory","to":"user/bob","x":{"list":[${numbers}]}}`);
  assert.ok(text.includes(`"x":{"list":[${numbers}]}`), text);
});
