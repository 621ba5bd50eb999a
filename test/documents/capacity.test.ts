import assert from "node:assert/strict";
import { test } from "node:test";
import { inputs } from "./capacity/inputs.ts";
import { cores, fullAt, processes, terabytesADay } from "./capacity/reckon.ts";
import { capacityTables } from "./capacity/tables.ts";
import { readCapacity } from "./capacity.ts";

test("the tables of docs/capacity.md are reckoned from its inputs (else: node test/documents/write-capacity.ts)", () => {
  const { written, wanted } = readCapacity();
  assert.equal(written, wanted);
});

test("the formulas give what is reckoned by hand", () => {
  assert.equal(cores(100_000, 30), 3);
  assert.equal(processes(3, 0.6), 5);
  assert.equal(processes(3.1, 0.6), 6);
  assert.equal(fullAt(50), 20_000);
  assert.equal(fullAt(50, 0.1), 200_000);
  assert.equal(terabytesADay(1_000, 1_000), 0.0864);
});

test("a new measurement is one line of the inputs, and every row that rests on it follows", () => {
  const twice = { ...inputs, historyMicros: { ...inputs.historyMicros, value: 2 * inputs.historyMicros.value } };
  const [before, after] = [capacityTables(), capacityTables(twice)];
  const rowOf = (text: string | undefined, name: string) => text?.split("\n").find((line) => line.includes(name));
  assert.notEqual(rowOf(before.cores, "| history"), rowOf(after.cores, "| history"));
  assert.notEqual(rowOf(before.limits, "one conversation"), rowOf(after.limits, "one conversation"));
  assert.equal(rowOf(before.cores, "| router"), rowOf(after.cores, "| router"));
});

test("every input says where it is from", () => {
  for (const [name, { source, what }] of Object.entries(inputs)) assert.ok(source && what, name);
});
