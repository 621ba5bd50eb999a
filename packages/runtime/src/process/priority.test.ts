import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";

const program = `
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { yieldToChat } from ${JSON.stringify(join(import.meta.dirname, "priority.ts"))};
if (process.argv[1] === "lower") setPriority(constants.priority.PRIORITY_LOW);
const read = (path) => existsSync(path) ? readFileSync(path, "utf8") : "";
const groupNow = () => /nice (-?\\d+)/.exec(read("/proc/self/autogroup"))?.[1];
const groupBefore = groupNow();
yieldToChat();
const threads = existsSync("/proc/self/task") ? readdirSync("/proc/self/task").map(Number) : [process.pid];
// The system lets unprivileged processes change theirs one after the other.
for (let tries = 0; process.argv[1] === "patient" && groupNow() === "0" && tries < 50; tries++) await sleep(100);
const group = groupNow();
console.log(JSON.stringify({ own: getPriority(), all: threads.map((thread) => getPriority(thread)), groupBefore, group }));
`;

async function prioritiesOf(args: string[] = [], { detached = false } = {}) {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program, ...args], {
    detached,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(await text(child.stdout)) as { own: number; all: number[]; groupBefore?: string; group?: string };
}

test("a service that yields to chat does so with every thread it has", async () => {
  const { own, all } = await prioritiesOf();
  assert.equal(own, 10);
  if (existsSync("/proc/self/task")) assert.ok(all.length > 1);
  assert.deepEqual(new Set(all), new Set([10]));
});

test("a service with a session of its own yields as a group, and one in a session of others leaves that as it is", async () => {
  const alone = () => prioritiesOf(["patient"], { detached: true });
  const [first, second, among] = await Promise.all([alone(), alone(), prioritiesOf()]);
  // Elsewhere there are no such groups, and on Linux a process in the session that the system began with is in none: its file is empty.
  for (const { groupBefore, group } of [first, second])
    assert.equal(group, groupBefore === undefined ? undefined : "10");
  assert.equal(among.group, among.groupBefore);
});

test("a process that was started with a lower priority keeps it", async () => {
  assert.equal((await prioritiesOf(["lower"])).own, 19);
});
