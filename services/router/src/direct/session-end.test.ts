import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CopiesReader, writeCopiesAnswer } from "@parley/protocol/direct-copies";
import { createLogger } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { openDirect } from "./direct.ts";

test("a broker session that ends while the edge has a part of a frame ends no router: whoever sent is told at the end", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "parley-direct-"));
  let edge: Socket | undefined;
  const ids: number[] = [];
  const server = createServer((socket) => {
    edge = socket;
    const reader = new CopiesReader();
    socket.on("data", (chunk) => {
      for (const frame of reader.push(chunk)) ids.push(frame.id);
    });
  });
  await new Promise<void>((resolve) => server.listen(join(dir, "direct.sock"), resolve));
  const direct = openDirect(join(dir, "direct.sock"), createLogger({ service: "test", level: "silent" }));
  t.after(async () => {
    direct.close();
    edge?.destroy();
    await new Promise((resolve) => server.close(resolve));
    await rm(dir, { recursive: true });
  });
  await eventually(() => edge !== undefined);
  let refusals = 0;
  const sent = direct.send(["im/dn/ann/m", "im/dn/bob/m"], Buffer.from("hello"), async () => {
    refusals += 1;
    throw new Error("the session is closed");
  });
  await eventually(() => ids.length === 1);
  edge?.write(writeCopiesAnswer({ kind: "refused", id: ids[0] as number, indexes: [1] }));
  await eventually(() => refusals === 1);
  // Long enough for a rejection that nobody heard of to end the process.
  await new Promise((resolve) => setImmediate(resolve));
  edge?.write(writeCopiesAnswer({ kind: "done", id: ids[0] as number }));
  await assert.rejects(sent, /closed/);
});
