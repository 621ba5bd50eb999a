import assert from "node:assert/strict";
import { test } from "node:test";
import type { Logger } from "@parley/runtime";
import { createSend } from "../deliver/send.ts";
import { createIngest, type IngestParts } from "./ingest.ts";

// A router that another one took all partitions from still takes references to messages that no MQTT packet carried.
test("a copy of a stored message that no session with the broker can take is not given up: another router may take it", async () => {
  const ingest = createIngest({} as IngestParts);
  const { kept } = createSend(ingest, { offer: () => undefined, has: () => false }, {
    warn: () => undefined,
  } as unknown as Logger);
  const sent = kept(Buffer.from("{}"), { users: ["bob"], devices: [] });
  await assert.rejects(sent, { code: "unavailable", message: "no session with the broker" });
});
