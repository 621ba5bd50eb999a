// The quick form of `npm run clients`: one library a language, a few messages, and the same bad days.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startCluster } from "@parley/testkit";
import { build, missing } from "./build.ts";
import { clients } from "./catalogue.ts";
import { type Built, liveThrough } from "./days.ts";
import { restartAll } from "./restart.ts";

const names = ["mqttjs5", "paho-python", "mosquitto"];

test("MQTT.js, Paho Python and mosquitto lose and double nothing through bad packets, a killed edge and a restart of everything", async (t) => {
  const built: Built[] = [];
  for (const client of clients.filter(({ name }) => names.includes(name))) {
    const lacking = missing(client);
    if (lacking) t.diagnostic(`${client.name} is left out: ${lacking}`);
    else built.push({ client, folder: await build(client) });
  }
  const dir = await mkdtemp(join(tmpdir(), "parley-clients-"));
  let cluster = await startCluster({ dir });
  t.after(async () => {
    await cluster.close();
    await rm(dir, { recursive: true, force: true });
  });
  const outcomes = await liveThrough(cluster, built, {
    messages: 24,
    log: (line) => t.diagnostic(line),
    restart: async (old) => {
      cluster = await restartAll(old);
      return cluster;
    },
  });
  assert.equal(outcomes.length, built.length);
  for (const { client, said, lost, unacked, doubled, gaveUp, words } of outcomes) {
    const told = `${client.name}: ${words.slice(-5).join(" / ")}`;
    assert.deepEqual(
      { said, lost, unacked, doubled, gaveUp },
      { said: 48, lost: 0, unacked: 0, doubled: 0, gaveUp: undefined },
      told,
    );
  }
});
