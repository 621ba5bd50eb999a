// The SDK's stores on Chromium's own IndexedDB; the same promises on an IndexedDB in JavaScript are in packages/client.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { findChromium, servePage, startChromium } from "./chromium.ts";

const program = findChromium();
const skip = program === undefined && "there is no Chromium";

const load = `
  const { indexedCache } = await import("/src/indexed-cache.ts");
  const { indexedOutbox } = await import("/src/indexed-outbox.ts");
  const cache = indexedCache("x"), outbox = indexedOutbox("x");
  const of = (conv, ...seqs) => ({ conv, cursor: seqs.at(-1), messages: seqs.map((seq) => ({ conv, seq, content: { type: "text" } })) });
  const put = (conversations, syncedAt) => cache.put({ conversations, syncedAt, mostMessages: 500 });
  const message = (id) => ({ id, conv: "room/r1", packet: { id, to: "room/r1", content: { type: "text" } } });`;

/** 200 changes of one conversation, as many of others, as many messages into the outbox, all at once. */
const write = (parity: number) => `${load}
  const work = [];
  for (let n = ${parity}; n < 400; n += 2)
    work.push(put([of("room/both", n + 1), of("room/" + n, n + 1)], 1_000 + n), outbox.put(message("m" + n)));
  await Promise.all(work);`;

const count = `${load}
  const { conversations, syncedAt } = await cache.load();
  const both = conversations.find(({ conv }) => conv === "room/both");
  const queued = await outbox.load();
  return { conversations: conversations.length, both: both?.messages.length, cursor: both?.cursor, queued: queued.length, syncedAt };`;

async function makeProfile(t: TestContext): Promise<string> {
  const profile = await mkdtemp(join(tmpdir(), "parley-chromium-"));
  t.after(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }));
  return profile;
}

test("in Chromium two tabs that write at once lose nothing, and all of it survives a kill -9 of the browser", {
  skip,
  timeout: 100_000,
}, async (t) => {
  const profile = await makeProfile(t);
  const origin = await servePage(t);
  const chromium = await startChromium(t, program as string, profile);
  const [one, other] = [await chromium.openPage(origin), await chromium.openPage(origin)];
  await Promise.all([one.run(write(0)), other.run(write(1))]);
  const { syncedAt, ...kept } = await other.run<Record<string, number>>(count);
  assert.deepEqual(kept, { conversations: 401, both: 400, cursor: 400, queued: 400 });
  assert.ok(syncedAt === 1_398 || syncedAt === 1_399);
  await chromium.kill();
  const again = await (await startChromium(t, program as string, profile)).openPage(origin);
  assert.deepEqual(await again.run(count), { ...kept, syncedAt });
});

test("in Chromium a full disk is told as QuotaExceededError, keeps no moment of a sync, and passes", {
  skip,
  timeout: 100_000,
}, async (t) => {
  const profile = await makeProfile(t);
  const origin = await servePage(t);
  const page = await (await startChromium(t, program as string, profile)).openPage(origin);
  // Before anything is written: Chromium remembers for a while how much room there was.
  await page.command("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1_000_000 });
  await page.run(`${load} await put([of("room/first", 1)], 7);`);

  const refused = `${load}
    const text = crypto.getRandomValues(new Uint8Array(60_000)).join("");
    const names = [];
    await put([{ ...of("room/large", 1), text: text.repeat(20) }], 8).catch(({ name }) => names.push(name));
    await outbox.put({ ...message("large"), text: text.repeat(20) }).catch(({ name }) => names.push(name));
    return names;`;
  assert.deepEqual(await page.run(refused), ["QuotaExceededError", "QuotaExceededError"]);
  const before = { conversations: 1, queued: 0, syncedAt: 7 };
  assert.deepEqual(await page.run(count), before);
  await page.command("Storage.overrideQuotaForOrigin", { origin });
  assert.deepEqual(await page.run(refused), []);
  assert.deepEqual(await page.run(count), { conversations: 2, queued: 1, syncedAt: 8 });
});
