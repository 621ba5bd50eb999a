import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type Attachment } from "@parley/protocol";
import { knownContent } from "./known-content.ts";

const pending: Attachment = {
  ...{ id: `f-${"a".repeat(32)}`, url: `/attachments/f-${"a".repeat(32)}`, name: "a.png", size: 9, mime: "image/png" },
  ...{ hash: `sha256:${"0".repeat(64)}`, media: { state: "pending" } },
};
const ready: Attachment = { ...pending, media: { state: "ready", width: 3, height: 2 } };

test("a file's content has its size in pixels as soon as the server knows it, whatever is answered before", async () => {
  let asked = 0;
  const answers = [() => Promise.reject(new AppError("unavailable")), async () => pending, async () => ready];
  const content = await knownContent(pending, async () => answers[asked++]!());
  assert.deepEqual([content.type, content.width, content.height, asked], ["image", 3, 2, 3]);
  assert.ok(!("state" in content) && !("media" in content));
});

test("a file's content waits no longer than it may: not for an answer that never comes, and not at all where it need not", async () => {
  const never = () => new Promise<Attachment>(() => {});
  const begun = performance.now();
  const content = await knownContent(pending, never, { waitMs: 300 });
  const took = performance.now() - begun;
  assert.ok(took >= 250 && took < 5_000, `${took}`);
  assert.deepEqual([content.file, content.width], [pending.id, undefined]);
  const asked = () => assert.fail("it was asked");
  assert.equal((await knownContent(pending, asked, { waitMs: 0 })).width, undefined);
  assert.equal((await knownContent(ready, asked)).width, 3);
});

test("who gives up waiting for a file's content is told so by the own reason", async () => {
  const given = new AbortController();
  const reason = new Error("given up");
  const waiting = knownContent(pending, async () => pending, { signal: given.signal });
  setTimeout(() => given.abort(reason), 50);
  await assert.rejects(waiting, (error) => error === reason);
  await assert.rejects(
    knownContent(pending, async () => pending, { signal: given.signal }),
    (error) => error === reason,
  );
});

test("a message names the hash of what its readers get", async () => {
  const sharedHash = `sha256:${"1".repeat(64)}`;
  const content = await knownContent({ ...ready, sharedHash }, async () => ready);
  assert.equal(content.hash, sharedHash);
});
