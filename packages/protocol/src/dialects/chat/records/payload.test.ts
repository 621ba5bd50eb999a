import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeTerm } from "../bert/decode.ts";
import { encodeTerm } from "../bert/encode.ts";
import { Atom, BertError, Tuple } from "../bert/term.ts";
import type { RecordSet } from "./kinds.ts";
import { history, message } from "./messages.ts";
import { readPayload, writePayload } from "./payload.ts";
import { contact, profile, roster } from "./people.ts";
import { room } from "./rooms.ts";

const rows = (file: string) =>
  readFileSync(new URL(`../../../../fixtures/chat/${file}`, import.meta.url), "utf8")
    .split("\n")
    .flatMap((line) => {
      const hex = /\t(83[0-9a-f]+)/.exec(line)?.[1];
      return hex ? [{ name: line.split("\t")[0] ?? "", bytes: Buffer.from(hex, "hex") }] : [];
    });

test("every request of the documents and of programs is read in the set that it was written in", () => {
  let seen = 0;
  for (const { name, bytes } of [...rows("erlang.tsv"), ...rows("devices.tsv")]) {
    if (!/(^|[ :])up( |:|,|$)/.test(name.replace("up,", "up ,"))) continue;
    const written: RecordSet = name.startsWith("v1") ? "v1" : "late";
    const { form, set, record } = readPayload(bytes, written);
    assert.equal(form, "bert");
    if (set !== undefined) assert.equal(set, written, name);
    const head = (decodeTerm(bytes) as Tuple).elements[0] as Atom;
    assert.equal(record.tup, head.name);
    seen++;
  }
  assert.ok(seen > 50, `${seen}`);
});

test("a message of each set is read to the same fields, and written in the set that is asked for", () => {
  const text = { id: "d1", mime: "text", payload: "hello" };
  const v1 = named("erlang.tsv", "v1: Message/client p2p up");
  const late = named("erlang.tsv", "late: Message new up");
  const one = readPayload(v1, "late");
  const other = readPayload(late, "v1");
  assert.deepEqual([one.set, other.set], ["v1", "late"]);
  assert.ok(one.record.tup === "Message" && other.record.tup === "Message");
  for (const { feed_id, msg_id, from, to } of [one.record, other.record]) {
    assert.deepEqual(feed_id, { tup: "p2p", from: "380670000001_1", to: "380670000002_2" });
    assert.deepEqual([msg_id, from, to], ["c-0001", "380670000001_1", "380670000002_2"]);
  }
  assert.equal(other.record.files?.[0]?.payload, text.payload);
  const sizes = (["v1", "late"] as const).map(
    (set) => (message.write(other.record as never, set) as Tuple).elements.length,
  );
  assert.deepEqual(sizes, [15, 17]);
});

test("what a server of the late set sent is read, and written as a record of as many fields that says the same", () => {
  const kinds = { History: history, Message: message, Contact: contact, Profile: profile, Roster: roster, Room: room };
  let seen = 0;
  for (const { name, bytes } of rows("devices.tsv")) {
    const term = decodeTerm(bytes) as Tuple;
    const kind = kinds[(term.elements[0] as Atom).name as keyof typeof kinds];
    if (!name.startsWith("down") || !kind) continue;
    const read = kind.read(term, "late");
    const again = decodeTerm(encodeTerm(kind.write(read as never, "late")));
    assert.deepEqual(said(kind.read(again, "late")), said(read), name);
    assert.equal((again as Tuple).elements.length, term.elements.length, name);
    seen++;
  }
  assert.ok(seen > 10, `${seen}`);
});

test("the JSON form says the same as the terms", () => {
  for (const name of [
    "v1: Message/client p2p up",
    "late: Message new up",
    "v1: Room/create up",
    "v1: History/get up",
  ]) {
    const bytes = named("erlang.tsv", name);
    const fromTerms = readPayload(bytes, "v1");
    const json = writePayload(decodeTerm(bytes), "json");
    assert.equal(JSON.parse(new TextDecoder().decode(json)).tup, fromTerms.record.tup);
    const fromJson = readPayload(json, "v1");
    assert.equal(fromJson.form, "json");
    assert.deepEqual(fromJson.record, fromTerms.record, name);
  }
});

test("an answer has a JSON form, with tuples that are no record by their places", () => {
  const text = (word: string) => new TextEncoder().encode(word);
  const answer = new Tuple([
    new Atom("io"),
    new Tuple([new Atom("ok2"), new Atom("login"), new Tuple([text("emqttd_1"), text("t0k3n")])]),
    text(""),
  ]);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(writePayload(answer, "json"))), {
    tup: "io",
    code: { tup: "ok2", code: "login", src: { tup: "$", 0: "emqttd_1", 1: "t0k3n" } },
    data: "",
  });
});

const refused: Record<string, [payload: string | Uint8Array, why: RegExp]> = {
  "a text that is no JSON": ["{", /no JSON/],
  "an object without tup": ['{"id":1}', /record's name in tup/],
  "a record that no device sends": ['{"tup":"Ack","id":"1"}', /no request begins with Ack/],
  "an atom alone": [new Uint8Array([131, 100, 0, 1, 97]), /a record is needed/],
  "a message of nine fields": [encodeTerm(new Tuple([new Atom("Message"), ...Array(9).fill([])])), /no Message has 9/],
  "a room's id that is a number": ['{"tup":"Room","id":5}', /Room.id: a binary is needed, not Number/],
  "a message's files that are no list": ['{"tup":"Message","files":"x"}', /Message.files: a list is needed/],
  "binaries by characters": [
    Buffer.from("8368046400064672 69656e646d00000002d09f6d00000001d0640007726571756573 74".replaceAll(" ", ""), "hex"),
    /no UTF-8/,
  ],
};

for (const [what, [payload, why]] of Object.entries(refused))
  test(`${what} is refused by name`, () => {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    assert.throws(
      () => readPayload(bytes, "v1"),
      (error) => error instanceof BertError && why.test(error.message),
    );
  });

// A count that is nothing is written as 0.
function said(record: unknown): unknown {
  return JSON.parse(JSON.stringify(record, (_name, value) => (value === 0 ? undefined : value)));
}

function named(file: string, name: string): Buffer {
  const found = rows(file).find((row) => row.name === name);
  assert.ok(found, name);
  return found.bytes;
}
