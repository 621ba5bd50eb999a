import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Session } from "@parley/client";
import { openCredentials } from "./credentials.ts";
import { lockDevice } from "./device-lock.ts";
import { findServer } from "./server.ts";

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-config-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
const session = (uid: string, token: string) => ({ uid, token }) as Session;

test("sessions are kept by server, user and device, for their owner alone; the latest login is the default", (t) => {
  const folder = join(folderOf(t), "deeper");
  const credentials = openCredentials(folder);
  assert.equal(credentials.user("http://a"), undefined);
  credentials.save("http://a", "cli", session("alice", "1"));
  credentials.save("http://a", "cli2", session("alice", "2"));
  credentials.save("http://b", "cli", session("bob", "3"));
  credentials.save("http://a", "cli", session("bob", "4"));
  const again = openCredentials(folder);
  assert.deepEqual(
    [
      again.find("http://a", "alice", "cli"),
      again.find("http://a", "alice", "cli2"),
      again.find("http://b", "bob", "cli"),
    ].map((one) => one?.token),
    ["1", "2", "3"],
  );
  assert.equal(again.find("http://b", "alice", "cli"), undefined);
  assert.deepEqual([again.user("http://a"), again.user("http://b")], ["bob", "bob"]);
  assert.equal(statSync(join(folder, "credentials.json")).mode & 0o777, 0o600);
});

test("a damaged file is told by its name", (t) => {
  const folder = folderOf(t);
  writeFileSync(join(folder, "credentials.json"), "{");
  assert.throws(() => openCredentials(folder).user("http://a"), /credentials\.json is damaged/);
});

test("a device is used by one program at a time; one that was killed has let go of it", async (t) => {
  const folder = folderOf(t);
  const holder = spawn(process.execPath, [
    "--input-type=module",
    "-e",
    `import { lockDevice } from ${JSON.stringify(new URL("./device-lock.ts", import.meta.url).href)};
     console.log(lockDevice(${JSON.stringify(folder)}, "a:cli").heldBy ?? "held");
     setInterval(() => {}, 1000);`,
  ]);
  t.after(() => holder.kill("SIGKILL"));
  assert.equal(`${(await once(holder.stdout, "data"))[0]}`, "held\n");
  assert.equal(lockDevice(folder, "a:cli").heldBy, holder.pid);
  assert.equal(lockDevice(folder, "a:cli2").heldBy, undefined);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  const lock = lockDevice(folder, "a:cli");
  assert.equal(lock.heldBy, undefined);
  lock.release();
});

test("the server is the flag's, the environment's, or what runs here, in this order", (t) => {
  const folder = folderOf(t);
  assert.equal(findServer(undefined, { PARLEY_DIR: folder }).url, "http://127.0.0.1:8080");
  const demo = [{ username: "alice", password: "x" }];
  writeFileSync(join(folder, "run.json"), JSON.stringify({ http: "http://127.0.0.1:1234", demo }));
  const env = { PARLEY_DIR: folder, PARLEY_URL: "https://chat.example.org/" };
  assert.deepEqual(findServer(undefined, { PARLEY_DIR: folder }), { url: "http://127.0.0.1:1234", demo });
  assert.deepEqual(findServer(undefined, env), { url: "https://chat.example.org", demo: [] });
  assert.deepEqual(findServer("http://127.0.0.1:1234/", env).demo, demo);
  assert.throws(() => findServer("chat.example.org", env), /--server chat\.example\.org/);
});
