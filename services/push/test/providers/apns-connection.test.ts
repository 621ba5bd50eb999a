import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { startApns } from "@parley/testkit";
import { type ConnectionOptions, openConnection } from "../../src/providers/apns/connection.ts";
import { alert } from "./senders.ts";

test("silences of a connection that has been given up do not count for the one in its place", async (t) => {
  const apns = await startApns(t);
  const {
    PUSH_APNS_CA_FILE = "",
    PUSH_APNS_KEY_FILE = "",
    PUSH_APNS_KEY_ID = "",
    PUSH_APNS_TEAM_ID = "",
  } = apns.settings;
  const options: ConnectionOptions = {
    place: { host: "localhost", port: apns.port, production: true, ca: readFileSync(PUSH_APNS_CA_FILE, "utf8") },
    credentials: {
      token: { key: readFileSync(PUSH_APNS_KEY_FILE, "utf8"), keyId: PUSH_APNS_KEY_ID, teamId: PUSH_APNS_TEAM_ID },
    },
    signing: {},
    deadlineMs: 10_000,
  };
  const connection = openConnection(options);
  t.after(() => connection.close());
  const post = async () => (await connection.post(alert(), () => undefined)).is;
  const before = performance.now();
  assert.equal(await post(), "sent");
  for (let n = 0; n < 3; n++) connection.timedOut(before + 1);
  assert.equal(await post(), "sent");
  for (let n = 0; n < 3; n++) connection.timedOut(before + 1);
  assert.equal(await post(), "sent");
  assert.equal(apns.opened(), 2);
  const now = performance.now();
  for (let n = 0; n < 3; n++) connection.timedOut(now);
  assert.equal(await post(), "sent");
  assert.equal(apns.opened(), 3);
});
