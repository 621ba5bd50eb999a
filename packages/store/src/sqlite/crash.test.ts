// What is confirmed survives the death of the process, and one process at a time owns the files.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { partitionOf } from "../conformance/entries.ts";
import { openStore } from "../open-store.ts";
import { StoreError } from "../store-error.ts";
import { freshFolder } from "./open-engine.ts";

const program = fileURLToPath(new URL("appending-process.ts", import.meta.url));

type Appending = { child: ChildProcess; confirmed: Map<string, number>; begun: Promise<unknown> };

function startAppending(t: TestContext, url: string): Appending {
  const child = spawn(process.execPath, [program, url], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const confirmed = new Map<string, number>();
  const lines = createInterface({ input: child.stdout! });
  lines.on("line", (line) => {
    const [conv, pos] = line.split(" ");
    if (conv && pos) confirmed.set(conv, Number(pos));
  });
  return { child, confirmed, begun: once(lines, "line") };
}

async function kill({ child }: Appending): Promise<void> {
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
}

test("every confirmed entry survives kill -9 at any time, and positions have no gap", async (t) => {
  const url = `sqlite:${await freshFolder(t)}`;
  const confirmed = new Map<string, number>();
  for (let round = 0; round < 6; round++) {
    const appending = startAppending(t, url);
    await appending.begun;
    await delay(Math.random() * 150);
    await kill(appending);
    for (const [conv, pos] of appending.confirmed) confirmed.set(conv, pos);
    const store = await openStore(url, { service: "history", lockWaitMs: 5_000 });
    for (const [conv, pos] of confirmed) {
      const q = partitionOf(conv);
      const found = await store.log().follow(q, 0, 1_000_000);
      assert.ok(found.length >= pos, `${conv}: ${pos} confirmed, ${found.length} stored`);
      const wrong = found.findIndex(
        (each, at) => each.pos !== at + 1 || each.seq !== at + 1 || each.id !== `id-${at + 1}`,
      );
      assert.equal(wrong, -1, `${conv}: entry ${wrong + 1} is not where it was appended`);
      assert.equal((await store.log().last(q)).pos, found.length);
    }
    await store.close();
  }
  assert.equal(confirmed.size, 4);
});

test("a second process waits for the first, then is told what to do", async (t) => {
  const folder = await freshFolder(t);
  const appending = startAppending(t, `sqlite:${folder}`);
  await appending.begun;
  await assert.rejects(openStore(`sqlite:${folder}`, { service: "history", lockWaitMs: 120 }), (error) => {
    assert.ok(error instanceof StoreError);
    assert.equal(error.code, "locked");
    assert.match(error.message, /history\/log\.db: another process holds it .*STORE_URL=mongodb/);
    return true;
  });
  const other = await openStore(`sqlite:${folder}`, { service: "api", lockWaitMs: 0 });
  await other.close();
  await kill(appending);
});

test("a second process goes on as soon as the first is gone", async (t) => {
  const url = `sqlite:${await freshFolder(t)}`;
  const appending = startAppending(t, url);
  await appending.begun;
  const opening = openStore(url, { service: "history", lockWaitMs: 60_000 });
  await kill(appending);
  const store = await opening;
  assert.ok((await store.log().last(partitionOf("room/a"))).pos > 0);
  await store.close();
});
