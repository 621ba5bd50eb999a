// Several `parley` commands at once: one login, one file of sessions.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { programOf, startTestCluster } from "@parley/testkit";
import { password, registerAll } from "./people.ts";
import { freshFolder } from "./process-end.ts";

const program = programOf("packages/cli/src/main.ts");

test("commands that renew the same login at once all work, and so does the next one; logins at once are all kept", async (t) => {
  const cluster = await startTestCluster(t, { parts: ["nats-server", "redis-server", "api", "history", "presence"] });
  await registerAll(cluster, "alice", "bob", "carol", "dave");
  const config = await freshFolder(t);
  const { PARLEY_PASSWORD: _, ...inherited } = process.env;
  const env = { ...inherited, XDG_CONFIG_HOME: config, PARLEY_URL: cluster.run().http, PARLEY_DIR: config };
  const parley = (args: string[], more = {}) =>
    promisify(execFile)(process.execPath, [program, ...args], { env: { ...env, ...more } });

  const names = ["alice", "bob", "carol", "dave"];
  await Promise.all(names.map((name) => parley(["login", "--user", name], { PARLEY_PASSWORD: password })));
  const file = join(config, "parley/credentials.json");
  type Kept = Record<string, { sessions: Record<string, Record<string, { expiresAt: number; token: string }>> }>;
  const read = async () => JSON.parse(await readFile(file, "utf8")) as Kept;
  const [[server, kept]] = Object.entries(await read()) as [[string, Kept[string]]];
  assert.deepEqual(Object.keys(kept.sessions).sort(), names);

  for (let round = 1; round <= 2; round += 1) {
    const all = await read();
    const mine = all[server]!.sessions.alice!.cli!;
    const before = mine.token;
    mine.expiresAt = Date.now() - 1;
    await writeFile(file, JSON.stringify(all));
    const sent = Array.from({ length: 4 }, (_, n) => parley(["send", "bob", `${round} ${n}`, "--user", "alice"]));
    for (const { stdout } of await Promise.all(sent)) assert.match(stdout, /p2p\/alice\/bob #\d+/);
    assert.notEqual((await read())[server]!.sessions.alice!.cli!.token, before);
  }
  const { stdout } = await parley(["history", "bob", "--user", "alice", "--json"]);
  assert.equal(stdout.trim().split("\n").length, 8);
});
