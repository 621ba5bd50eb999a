import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileOutbox } from "./file-outbox.ts";
import { storageOutbox } from "./outbox-store.ts";
import { storageOf } from "./storage-of.ts";

const message = (id: string) => ({
  id,
  conv: "p2p/a/b",
  packet: { id, to: "user/b", content: { type: "text", data: "é\n" } },
});
const ids = (messages: { id: string }[]) => messages.map(({ id }) => id).join(" ");

async function outboxFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "parley-outbox-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "deeper", "outbox.jsonl");
}

test("what was put and not removed is there again, in order", async (t) => {
  const path = await outboxFile(t);
  const first = fileOutbox(path);
  assert.deepEqual(await first.load(), []);
  await Promise.all(["1", "2", "3"].map((id) => first.put(message(id))));
  await first.remove("2");
  assert.deepEqual(await fileOutbox(path).load(), [message("1"), message("3")]);
});

test("a line that was cut short costs that line and no other", async (t) => {
  const path = await outboxFile(t);
  const outbox = fileOutbox(path);
  await outbox.load();
  await outbox.put(message("1"));
  await appendFile(path, '{"put":{"id":"2","co');
  const again = fileOutbox(path);
  assert.equal(ids(await again.load()), "1");
  await again.put(message("3"));
  assert.equal(ids(await fileOutbox(path).load()), "1 3");
});

test("what could not be written is not there at the next start, and costs nothing that comes after it", async (t) => {
  const path = await outboxFile(t);
  const outbox = fileOutbox(path);
  await outbox.load();
  await outbox.put(message("1"));
  await rm(path);
  await mkdir(path);
  await assert.rejects(outbox.put(message("2")));
  await rm(path, { recursive: true });
  await appendFile(path, JSON.stringify({ put: message("2") }));
  await outbox.put(message("3"));
  assert.equal(ids(await fileOutbox(path).load()), "1 3");
});

test("the file does not grow without end", async (t) => {
  const path = await outboxFile(t);
  const outbox = fileOutbox(path);
  await outbox.load();
  for (let n = 0; n < 2_000; n += 1) {
    await outbox.put(message(`${n}`));
    if (n < 1_998) await outbox.remove(`${n}`);
  }
  assert.ok((await readFile(path, "utf8")).split("\n").length < 1_500);
  assert.equal(ids(await fileOutbox(path).load()), "1998 1999");
});

test("what was put survives kill -9 of the program", async (t) => {
  const path = await outboxFile(t);
  const program = `
    import { fileOutbox } from ${JSON.stringify(new URL("./node.ts", import.meta.url).href)};
    const outbox = fileOutbox(${JSON.stringify(path)});
    await outbox.load();
    await outbox.put(${JSON.stringify(message("1"))});
    console.log("put");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(ids(await fileOutbox(path).load()), "1");
});

test("localStorage keeps the order too, and leaves others' keys alone", async () => {
  const kept = new Map([
    ["other", "1"],
    ["parley-outbox/x/9", "{"],
  ]);
  const storage = storageOf(kept);
  const outbox = storageOutbox(storage, "x");
  await outbox.load();
  for (const id of ["b", "a", "c"]) await outbox.put(message(id));
  await outbox.remove("a");
  const again = storageOutbox(storage, "x");
  assert.equal(ids(await again.load()), "b c");
  await again.put(message("0"));
  assert.equal(ids(await storageOutbox(storage, "x").load()), "b c 0");
  assert.equal(ids(await storageOutbox(storage, "y").load()), "");
  assert.equal(kept.get("other"), "1");
});
