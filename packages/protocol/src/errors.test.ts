import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { AppError, type ErrorCode, errorTable } from "./errors.ts";

test("every code has a row that HTTP, MQTT and people can use", () => {
  for (const [code, row] of Object.entries(errorTable)) {
    assert.match(code, /^[a-z_]+$/);
    assert.ok(row.http >= 400 && row.http < 600, code);
    assert.ok(row.mqtt >= 0x80 && row.mqtt <= 0xff, code);
    assert.ok(row.meaning.length > 10, code);
  }
});

test("the table has the codes that the protocol's documentation names", () => {
  const named = "invalid_packet too_large rate_limited wrong_partition not_found not_member blocked forbidden";
  const rest = "out_of_order unavailable internal unauthenticated conflict";
  for (const code of `${named} ${rest}`.split(" ")) assert.ok(code in errorTable, code);
});

test("what may be sent again is what may succeed then", () => {
  const retried = Object.entries(errorTable).filter(([, row]) => row.retry);
  assert.deepEqual(retried.map(([code]) => code).sort(), ["out_of_order", "pending", "rate_limited", "unavailable"]);
});

test("anything thrown becomes an AppError: its own as it is, all else internal with its cause", () => {
  const own = new AppError("blocked");
  assert.equal(AppError.from(own), own);
  for (const thrown of [new TypeError("x"), "text", 0, null, undefined, Symbol("s"), Object.create(null), () => {}]) {
    const error = AppError.from(thrown);
    assert.equal(error.code, "internal");
    assert.equal(error.cause, thrown);
    assert.equal(error.toWire().message, errorTable.internal.meaning);
  }
});

test("the wire form carries code, message and details, and no cause", () => {
  const error = new AppError("conflict", "taken", { cause: new Error("secret"), details: { id: "r1" } });
  const wire = JSON.parse(JSON.stringify(error.toWire()));
  assert.deepEqual(wire, { code: "conflict", message: "taken", details: { id: "r1" } });
  const read = AppError.fromWire(wire);
  assert.deepEqual([read.code, read.message, read.details], ["conflict", "taken", { id: "r1" }]);
});

test("a code that a newer or hostile peer made up is read as internal", () => {
  for (const code of ["new_code", "", "toString", "constructor", "__proto__"])
    assert.equal(AppError.fromWire({ code, message: "m" }).code, "internal", code);
});

test("an error without a message says what its code means", () => {
  for (const code of Object.keys(errorTable) as ErrorCode[])
    assert.equal(new AppError(code).message, errorTable[code].meaning);
});

test("the methods name only errors of the table", () => {
  const folder = new URL("./methods/", import.meta.url);
  for (const file of readdirSync(folder))
    for (const [, list = ""] of readFileSync(new URL(file, folder), "utf8").matchAll(/errors: \[([^\]]*)\]/g))
      for (const [, code = ""] of list.matchAll(/"([^"]+)"/g)) assert.ok(code in errorTable, `${file}: ${code}`);
});
