import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeTerm } from "./decode.ts";
import { encodeTerm } from "./encode.ts";
import { Atom, BitString, Float, ImproperList, type Term, TermMap, Tuple } from "./term.ts";

const folder = new URL("../../../../fixtures/chat/", import.meta.url);

test("what Erlang wrote is read as Erlang prints it, in each form of its atoms", () => {
  for (const { name, term, hex, otp26 } of vectors("erlang.tsv")) {
    assert.equal(erlangText(decodeTerm(bytes(hex))), printed(term), name);
    if (otp26) assert.equal(erlangText(decodeTerm(bytes(otp26))), printed(term), name);
  }
});

test("what Erlang wrote is written as the same bytes, but for lists of small integers, old floats and what is compressed", () => {
  const otherwise = ["edge: float 50.45 minor 0", "edge: compressed"];
  for (const { name = "", hex } of vectors("erlang.tsv")) {
    const written = Buffer.from(encodeTerm(decodeTerm(bytes(hex)))).toString("hex");
    if (otherwise.includes(name) || hasSmallIntegers(decodeTerm(bytes(hex)))) assert.notEqual(written, hex, name);
    else assert.equal(written, hex, name);
    assert.deepEqual(decodeTerm(bytes(written)), decodeTerm(bytes(hex)), name);
  }
});

test("what programs of the protocol write is read as they mean it", () => {
  const lists = /LIST_EXT|empty atom/;
  for (const { name = "", term, hex } of [...vectors("devices.tsv"), ...vectors("clients.tsv")]) {
    const read = decodeTerm(bytes(hex));
    assert.equal(erlangText(read), printed(term), name);
    const written = Buffer.from(encodeTerm(read));
    assert.deepEqual(decodeTerm(written), read, name);
    if (name.startsWith("down: ") && !lists.test(name)) assert.equal(written.toString("hex"), hex, name);
  }
});

test("no list is written as 107 and no atom but as 100, however it came", () => {
  const term = decodeTerm(bytes("8368027702696f6b0003010203"));
  assert.equal(Buffer.from(encodeTerm(term)).toString("hex"), "836802640002696f6c000000036101610261036a");
});

test("an atom, a binary, a tuple and a list of one text stay four things", () => {
  const text = new TextEncoder().encode("ab");
  const four = [new Atom("ab"), text, new Tuple([97, 98]), [97, 98]];
  const hex = four.map((term) => Buffer.from(encodeTerm(term)).toString("hex"));
  assert.equal(new Set(hex).size, 4);
  assert.deepEqual(
    hex.map((one) => erlangText(decodeTerm(bytes(one)))),
    ["ab", '<<"ab">>', "{97,98}", '"ab"'],
  );
});

interface Vector {
  name?: string;
  term?: string;
  hex?: string;
  otp26?: string;
}

function vectors(file: string): Vector[] {
  const lines = readFileSync(new URL(file, folder), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const [head = "", ...rows] = lines;
  const names = head.split("\t");
  assert.ok(rows.length > 30);
  return rows.map((row) => Object.fromEntries(row.split("\t").map((field, i) => [names[i], field])));
}

function bytes(hex = ""): Uint8Array {
  return Buffer.from(hex, "hex");
}

function hasSmallIntegers(term: Term): boolean {
  if (term instanceof Tuple) return term.elements.some(hasSmallIntegers);
  if (term instanceof TermMap) return term.entries.flat().some(hasSmallIntegers);
  if (!Array.isArray(term)) return false;
  const small = (one: Term) => typeof one === "number" && one >= 0 && one < 256;
  return term.some(hasSmallIntegers) || (term.length > 0 && term.every(small));
}

// The vectors write a list of 300 numbers, and a bit string, in ways that the printer below need not know.
function printed(term = ""): string {
  return term.replace("<<5:3>>", "<<bits>>");
}

/** A term as Erlang prints it with ~p, on one line. */
function erlangText(term: Term): string {
  if (typeof term === "number" || typeof term === "bigint") return String(term);
  if (term instanceof Float) return Number.isInteger(term.value) ? floatText(term.value) : String(term.value);
  if (term instanceof Atom) return /^[a-zß-öø-ÿ][\wß-öø-ÿÀ-ÖØ-Þ@]*$/.test(term.name) ? term.name : `'${term.name}'`;
  if (term instanceof BitString) return "<<bits>>";
  if (term instanceof Uint8Array) return binaryText(term);
  if (term instanceof Tuple) return `{${term.elements.map(erlangText).join(",")}}`;
  if (term instanceof TermMap)
    return `#{${term.entries.map(([key, value]) => `${erlangText(key)} => ${erlangText(value)}`).join(",")}}`;
  if (term instanceof ImproperList) return `[${term.elements.map(erlangText).join(",")}|${erlangText(term.tail)}]`;
  const printable = term.length > 0 && term.every((one) => typeof one === "number" && one > 31 && one < 127);
  if (printable) return JSON.stringify(String.fromCharCode(...(term as number[])));
  return `[${term.map(erlangText).join(",")}]`;
}

function floatText(value: number): string {
  return Object.is(value, -0) ? "-0.0" : `${value}.0`;
}

function binaryText(binary: Uint8Array): string {
  if (binary.every((byte) => byte > 31 && byte < 127))
    return binary.byteLength === 0 ? "<<>>" : `<<"${Buffer.from(binary).toString("latin1")}">>`;
  return `<<${[...binary].join(",")}>>`;
}
