// Files of a user who is erased: whoever sent one on and could have it keeps it, whatever happens meanwhile; all others go.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { AttachmentRequest, HeirsRequest } from "@parley/protocol";
import { openBlobs, openStore } from "@parley/store";
import { handOverFiles, removeFiles } from "../src/erasure/files.ts";
import { findAttachment, keepAttachment } from "../src/files/attachments.ts";
import { openLooks } from "../src/files/looks.ts";
import { openApiStore } from "../src/store.ts";

/** What history knows of one file: whose messages refer to it, and who could read one of those that have it. */
interface Sent {
  by: string[];
  could: string[];
}

async function begin(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "parley-erasure-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const storeUrl = `sqlite:${folder}`;
  const opened = await openStore(storeUrl, { service: "api", lockWaitMs: 0 });
  t.after(() => opened.close());
  const [store, blobs] = [await openApiStore(opened.documents()), await openBlobs({ service: "api", storeUrl })];
  const sent: Sent = { by: [], could: [] };
  /** what happens right behind the n-th question for heirs */
  const behind: (() => unknown)[] = [];
  let asked = 0;
  const may = (uid: string, owners: readonly string[]) => owners.includes(uid) || sent.could.includes(uid);
  const history = {
    async heirs({ owner, heirs = [], others = [] }: HeirsRequest) {
      const found = [...sent.by, ...others].filter((uid) => uid !== owner && may(uid, [owner, ...heirs]));
      await behind[asked++]?.();
      return { heirs: [...new Set(found)], next: null };
    },
    mayFetch: async ({ uid, owner, heirs = [] }: AttachmentRequest) => may(uid, [owner, ...heirs]),
  };
  const parts = { store, blobs, history, pass: () => undefined };
  const upload = async (uid = "ann") => {
    const bytes = (async function* () {
      yield Buffer.from("given on");
    })();
    const uploaded = { uid, name: "a", type: "text/plain", stored: await blobs.put(bytes) };
    return (
      await keepAttachment(
        { store, blobs, looks: openLooks(), wake: () => undefined, scans: false, pass: () => undefined },
        uploaded,
      )
    ).id;
  };
  const file = await upload();
  for (const uid of ["bob", "carl", "dora", "eve"])
    await store.users.insert(uid, { uid, passwordHash: "x", name: null, createdAt: 1, kind: "user", madeBy: "x" });
  const doc = async () => (await store.attachments.get(file))?.doc;
  return {
    store,
    sent,
    behind,
    upload,
    doc,
    may: (uid: string) =>
      findAttachment(parts, file, { uid, via: "http" }).then(
        () => true,
        () => false,
      ),
    /** Emptied messages show nothing. */
    async erase(uid = "ann") {
      await handOverFiles(parts, uid);
      sent.could = [];
      await removeFiles(parts, uid);
    },
    handOver: (uid: string) => handOverFiles(parts, uid),
    remove: (uid: string) => removeFiles(parts, uid),
    async owners() {
      const found = await doc();
      const stream = found && (await blobs.open(found.blob));
      stream?.destroy();
      assert.equal(stream !== undefined, found !== undefined, "an attachment has bytes as long as it is there");
      return found && [found.uid, ...(found.heirs ?? [])];
    },
    /** As the sweep does. */
    async touch() {
      const kept = (await store.attachments.get(file))!;
      const { unsentSince: _, ...rest } = kept.doc;
      assert.equal(await store.attachments.update(file, rest, kept.version), true);
    },
    schedule: (uid: string) =>
      store.scheduled.insert(`${uid} 1`, { uid, device: "d", id: "1", conv: "p2p/a/b", body: "{}", at: 1, file }),
  };
}

test("a file that the sweep writes while it is handed over is its heirs' all the same", async (t) => {
  const { sent, behind, touch, erase, owners } = await begin(t);
  Object.assign(sent, { by: ["ann", "bob", "carl"], could: ["bob", "carl"] });
  behind.push(touch, touch);
  await erase();
  assert.deepEqual(await owners(), ["bob", "carl"]);
});

test("who sends a file on, or schedules that, while its owner is erased keeps it, whenever that is", async (t) => {
  const { sent, behind, erase, owners, may, schedule } = await begin(t);
  Object.assign(sent, { by: ["ann"], could: ["bob", "carl", "dora"] });
  const seen: unknown[] = [];
  behind.push(
    async () => {
      sent.by.push("bob");
      await schedule("dora");
    },
    async () => seen.push(await may("carl"), await may("ann")),
  );
  await erase();
  assert.deepEqual(await owners(), ["bob", "dora"]);
  assert.deepEqual(seen, [false, false], "before they are asked for a last time nobody else may have it any more");
});

test("who may not have a file and sends it keeps nothing of it: it goes with its owner, as one that nobody sent on", async (t) => {
  const { sent, erase, owners, schedule } = await begin(t);
  Object.assign(sent, { by: ["ann", "eve"], could: ["bob"] });
  await schedule("eve");
  await erase();
  assert.equal(await owners(), undefined);
});

test("of two who are erased at once neither is left with a file, and no other heir loses it", async (t) => {
  const { store, sent, handOver, remove, owners } = await begin(t);
  Object.assign(sent, { by: ["ann", "bob"], could: ["bob"] });
  // Bob's files were looked through before ann's became his, and carl sends it on then.
  await handOver("bob");
  await handOver("ann");
  await remove("ann");
  assert.deepEqual(await owners(), ["bob"]);
  await store.users.remove("bob");
  Object.assign(sent, { by: ["bob", "carl"], could: ["carl"] });
  await remove("bob");
  assert.deepEqual(await owners(), ["carl"]);
});

test("an heir who is erased before a file is given to it, or right then, is passed over", async (t) => {
  const { store, sent, erase, owners } = await begin(t);
  Object.assign(sent, { by: ["bob", "carl", "dora"], could: ["bob", "carl", "dora"] });
  await store.users.remove("bob");
  const getMany = store.users.getMany.bind(store.users);
  store.users.getMany = async (uids) => {
    const found = await getMany(uids);
    if (uids.length > 1) await store.users.remove("carl");
    return found;
  };
  await erase();
  assert.deepEqual(await owners(), ["dora"]);
});

test("an erasure that dies while it hands files over goes on where it was", async (t) => {
  const { sent, behind, handOver, erase, owners, doc, may } = await begin(t);
  Object.assign(sent, { by: ["ann"], could: ["bob"] });
  behind.push(
    () => sent.by.push("bob"),
    () => Promise.reject(new Error("died")),
  );
  await assert.rejects(handOver("ann"), /died/);
  assert.deepEqual([(await doc())?.left, await may("bob")], [true, false]);
  await erase();
  assert.deepEqual([await owners(), await may("bob")], [["bob"], true]);
});

test("an upload of equal bytes that ends while its owner is erased leaves no attachment", async (t) => {
  const { store, sent, erase, upload } = await begin(t);
  Object.assign(sent, { by: ["ann"], could: [] });
  await upload("bob");
  const get = store.contents.get.bind(store.contents);
  store.contents.get = async (key) => {
    const found = await get(key);
    store.contents.get = get;
    await erase();
    return found;
  };
  await upload();
  assert.deepEqual((await store.attachments.find({ index: "uid", equals: ["ann"], limit: 9 })).items, []);
});
