import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "./log.ts";
import { createLogRate } from "./log-rate.ts";

function linesOf(write: (log: ReturnType<typeof createLogger>) => void) {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({ service: "x", destination: { write: (text) => void lines.push(JSON.parse(text)) } });
  write(log);
  return lines;
}

test("a storm of one event is fifty lines at most, also through children, and holds no other event back", () => {
  const lines = linesOf((log) => {
    for (let i = 0; i < 1_000; i++) (i % 2 ? log : log.child({ p: "7" })).warn({ event: "packet_left" });
    log.warn({ event: "other" });
  });
  assert.equal(lines.filter(({ event }) => event === "packet_left").length, 50);
  assert.equal(lines.filter(({ event }) => event === "other").length, 1);
});

test("fatal lines all come", () => {
  assert.equal(linesOf((log) => Array.from({ length: 60 }, () => log.fatal({ event: "bug" }))).length, 60);
});

test("what was left out is counted, and after a storm an event has a line a second again", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  const said: [string, number][] = [];
  const rate = createLogRate(
    (event, count) => said.push([event, count]),
    () => now,
  );
  const admitted = () => Array.from({ length: 100 }, () => rate.admits("storm")).filter(Boolean).length;
  assert.equal(admitted(), 50);
  t.mock.timers.tick(10_000);
  assert.deepEqual(said, [["storm", 50]]);
  now += 3_000;
  assert.equal(admitted(), 3);
});

test("names of events without end take no memory without end", () => {
  const rate = createLogRate(() => undefined);
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 200_000; i++) rate.admits(`made of input ${i}`);
  assert.ok(process.memoryUsage().heapUsed - before < 20 * 1024 * 1024);
});
