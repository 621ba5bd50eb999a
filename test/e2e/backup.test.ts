// `parley backup` while people chat, and `parley restore` into a new folder: whoever starts there finds everything.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { appendFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { callHttp, downloadFile, type Session } from "@parley/client";
import {
  conversationsList,
  historyGet,
  login,
  pushList,
  pushRegister,
  roomsCreate,
  searchMessages,
} from "@parley/protocol";
import { type Cluster, eventually, programOf, startTestCluster } from "@parley/testkit";
import { connectAs, password, registerAll } from "./people.ts";
import { freshFolder } from "./process-end.ts";

const program = programOf("packages/cli/src/main.ts");

function parley(
  t: TestContext,
  dir: string,
  args: string[],
  more: NodeJS.ProcessEnv = {},
): { child: ChildProcess; end: Promise<[number, string]> } {
  const env = { ...process.env, PARLEY_DIR: dir, ...more };
  const child = spawn(process.execPath, [program, ...args], { env });
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  return { child, end: once(child, "close").then(([code]) => [code, output]) };
}

const run = (t: TestContext, dir: string, ...args: string[]) => parley(t, dir, args).end;

async function textsOf(cluster: Cluster, { token }: Session, conv: string): Promise<unknown[]> {
  const { http } = cluster.run();
  const texts: unknown[] = [];
  for (let after = 0; ; ) {
    const page = await callHttp(http, historyGet, { conv, after, limit: 500 }, { token });
    for (const { content } of page.messages) texts.push((content as { data?: unknown }).data);
    after = page.messages.at(-1)?.seq ?? after;
    if (!page.more) return texts;
  }
}

test("a backup made while people chat has all that was acknowledged before it, and a Parley goes on from it", async (t) => {
  const dir = await freshFolder(t);
  const first = await startTestCluster(t, { dir });
  await registerAll(first, "alice", "bob");
  const alice = await connectAs(t, first, "alice");
  const room = await alice.client.request(roomsCreate, { name: "Kept", members: ["bob"] });
  for (let n = 1; n <= 50; n += 1) await alice.client.send(room.conv, `before ${n}`);
  await alice.client.send("user/bob", "hello");
  const bytes = randomBytes(500_000);
  const { id: file } = await alice.client.upload(bytes, { name: "kept.bin" });
  await alice.client.send("user/bob", { type: "file", file });
  await alice.client.request(pushRegister, { kind: "fcm", token: "f".repeat(40), appId: "com.example.chat" });
  const chatting = { on: true, sent: 0 };
  const chat = (async () => {
    while (chatting.on) await alice.client.send(room.conv, `meanwhile ${++chatting.sent}`);
  })();
  await eventually(() => chatting.sent > 5);
  await registerAll(first, "carol");
  const saved = join(await freshFolder(t), `Zoë's backup #1`);
  const [code, output] = await run(t, dir, "backup", saved);
  assert.equal(code, 0, output);
  assert.match(output, /backed up to .*presence: .*push: .*history: \d+ entries.*api: /);
  assert.deepEqual(readdirSync(dirname(saved)), [basename(saved)], "nothing is left beside it");
  const during = chatting.sent;
  await eventually(() => chatting.sent > during);
  chatting.on = false;
  await chat;
  await alice.client.close();
  await first.close();

  const restored = join(await freshFolder(t), "new");
  const [restoreCode, words] = await run(t, restored, "restore", saved);
  assert.equal(restoreCode, 0, words);
  const second = await startTestCluster(t, { dir: restored });
  const { http } = second.run();
  const sessions: Session[] = [];
  for (const username of ["alice", "bob", "carol"])
    sessions.push(await callHttp(http, login, { username, password, device: "new" }));
  const [owner, bob] = sessions;
  const { tokens } = await callHttp(http, pushList, {}, { token: owner!.token });
  assert.deepEqual(
    tokens.map(({ clientId }) => clientId),
    ["alice:sdk"],
    "what devices registered",
  );
  const texts = (await textsOf(second, bob!, room.conv)).filter((text) => typeof text === "string");
  assert.deepEqual(
    texts.slice(0, 50),
    Array.from({ length: 50 }, (_, n) => `before ${n + 1}`),
  );
  assert.deepEqual(
    texts.slice(50),
    Array.from({ length: texts.length - 50 }, (_, n) => `meanwhile ${n + 1}`),
  );
  assert.ok(
    texts.length - 50 >= 5 && texts.length - 50 <= during + 1,
    `${texts.length} texts, ${during} sent by its end`,
  );
  const { conversations } = await callHttp(http, conversationsList, {}, { token: bob!.token });
  const found = conversations.find(({ conv }) => conv === room.conv)!;
  assert.equal(found.unread, texts.length, "the documents have caught up with the log");
  const attachment = await downloadFile(http, bob!.token, file);
  assert.deepEqual(Buffer.from(await attachment.arrayBuffer()), bytes, "files are in the backup");
  // The index is not in the backup: it is built of what was restored.
  assert.equal(existsSync(join(saved, "data/search")), false);
  await eventually(async () => {
    const found = await callHttp(http, searchMessages, { query: '"before 50"' }, { token: bob!.token });
    return found.results.length === 1 && !found.incomplete;
  });
  const writer = await connectAs(t, second, "alice");
  const reader = await connectAs(t, second, "bob");
  assert.equal((await writer.client.send(room.conv, "after")).seq, found.lastSeq + 1);
  await eventually(() => reader.texts().includes("after"));
});

test("what is no whole backup, or would overwrite something, is refused in one line and changes nothing", async (t) => {
  const dir = await freshFolder(t);
  const first = await startTestCluster(t, {
    dir,
    parts: ["nats-server", "redis-server", "api", "history", "presence"],
  });
  await registerAll(first, "alice");
  const folder = await freshFolder(t);
  const saved = join(folder, "saved");
  const refuses = async (where: string, args: string[], message: RegExp, env: NodeJS.ProcessEnv = {}) => {
    const [code, output] = await parley(t, where, args, env).end;
    assert.notEqual(code, 0, output);
    assert.match(output, /^parley: [^\n]+\n$/);
    assert.match(output, message);
  };
  assert.equal((await run(t, dir, "backup", saved))[0], 0);
  await refuses(dir, ["backup", saved], /saved is not empty: a backup goes into a new folder/);
  await refuses(dir, ["restore", saved], /is not empty \(Parley runs there: stop it first\)/);
  await first.stopPart("presence");
  await refuses(dir, ["backup", join(folder, "other")], /presence does not answer/);
  await first.close();
  await refuses(dir, ["restore", saved], /is not empty: a backup is put into a new folder/);
  const target = join(folder, "target");
  await refuses(target, ["restore", join(folder, "nothing")], /is not a backup: there is no backup\.json/);
  const manifest = join(saved, "backup.json");
  const written = await readFile(manifest, "utf8");
  await writeFile(manifest, written.replace(/"doneAt": \d+/, '"doneAt": null'));
  await refuses(target, ["restore", saved], /was not finished/);
  await writeFile(manifest, written);
  await appendFile(join(saved, "data/api/documents.db"), "x");
  await refuses(target, ["restore", saved], /documents\.db is not as it was written/);
  await refuses(join(folder, "empty"), ["backup", join(folder, "other")], /there is no store in/);
  for (const url of ["sqlite:", "sqlight:/srv", "/srv/parley", "http://x"])
    await refuses(dir, ["backup", join(folder, "other")], /STORE_URL must be sqlite:FOLDER/, { STORE_URL: url });
  const mongo = { STORE_URL: "mongodb://127.0.0.1:1/parley" };
  await refuses(dir, ["backup", join(folder, "other")], /back it up with `mongodump/, mongo);
  await writeFile(join(folder, "saved", "file"), "");
  for (const nowhere of ["/proc/backup", "/proc/a/backup", join(folder, "saved/file/backup")]) {
    await refuses(dir, ["backup", nowhere], /cannot be (made|used): /);
    await refuses(nowhere, ["restore", saved], /cannot be (made|used): /);
  }
  await rm(join(folder, "saved", "file"));
  assert.deepEqual(readdirSync(folder).sort(), ["saved"], "nothing was made");

  const stopped = join(folder, "stopped");
  const [code, output] = await run(t, dir, "backup", stopped);
  assert.equal(code, 0, `of a Parley that does not run: ${output}`);
  assert.equal((await run(t, target, "restore", stopped))[0], 0);
  assert.ok(existsSync(join(target, "secrets/signing-key")));
});

test("a backup that is killed leaves nothing in its place, and the next one removes what it left", async (t) => {
  const dir = await freshFolder(t);
  const cluster = await startTestCluster(t, {
    dir,
    parts: ["nats-server", "redis-server", "api", "history", "presence"],
  });
  await registerAll(cluster, "alice");
  const folder = await freshFolder(t);
  const saved = join(folder, "saved");
  // It waits for a history that stands still, and is killed there.
  await cluster.pause("history");
  const { child, end } = parley(t, dir, ["backup", saved]);
  const leftovers = () => readdirSync(folder).filter((name) => name.startsWith("saved.unfinished-"));
  await eventually(() => leftovers().some((name) => existsSync(join(folder, name, "data/history"))), {
    timeoutMs: 60_000,
  });
  child.kill("SIGKILL");
  await end;
  await cluster.resume("history");
  await cluster.waitReady("history");
  assert.equal(leftovers().length, 1);
  assert.equal(existsSync(saved), false);
  const [code, output] = await run(t, dir, "backup", saved);
  assert.equal(code, 0, output);
  assert.deepEqual(readdirSync(folder), ["saved"]);

  // The same for a restore: what was copied aside is no data folder, and goes with the next one.
  const target = join(folder, "target");
  await mkdir(`${target}.restoring-0000`);
  assert.equal((await run(t, target, "restore", saved))[0], 0);
  assert.deepEqual(readdirSync(folder).sort(), ["saved", "target"]);
  await rm(target, { recursive: true });
});
