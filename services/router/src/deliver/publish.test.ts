import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "@parley/protocol";
import { createLogger } from "@parley/runtime";
import { createPublishMany } from "./publish.ts";

const log = createLogger({ service: "test", level: "silent" });

function publishing(...outcomes: (AppError | undefined)[]) {
  let calls = 0;
  const publishMany = createPublishMany(
    {
      async publishMany() {
        const outcome = outcomes[calls++];
        if (outcome) throw outcome;
      },
    },
    log,
  );
  return { run: () => publishMany(["t"], Buffer.from("x")), calls: () => calls };
}

test("a delivery the broker refuses for good holds up nobody: it is said and given up", async () => {
  const refused = publishing(new AppError("unavailable", "refused", { details: { topic: "t", reasonCode: 0x97 } }));
  await refused.run();
  assert.equal(refused.calls(), 1);
});

test("a full queue is waited for", async () => {
  const full = publishing(new AppError("unavailable", "full", { details: { reason: "queue_full" } }), undefined);
  await full.run();
  assert.equal(full.calls(), 2);
});

test("when the session has ended the packet is left to the next one", async () => {
  const closed = publishing(new AppError("unavailable", "closed", { details: { reason: "closed" } }));
  await assert.rejects(closed.run(), { code: "unavailable" });
});
