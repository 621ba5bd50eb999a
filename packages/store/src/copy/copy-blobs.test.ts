// The files of messages move with the store, wherever they are kept, also by a copy that was killed.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { hasMongo, hasS3, startS3, testMongo } from "@parley/testkit";
import type { Blobs, KeptBlob } from "../blobs/blobs.ts";
import { openBlobs } from "../open-blobs.ts";
import { openStore } from "../open-store.ts";
import { freshFolder } from "../sqlite/open-engine.ts";
import { type CopyOptions, copyStore } from "./copy-store.ts";
import { refusal } from "./copying.ts";

const service = "api";

type Ends = Pick<CopyOptions, "from" | "to" | "blobs">;

const copy = (ends: Ends, progress: CopyOptions["progress"] = () => {}) =>
  copyStore({ blobs: { service }, ...ends, partitions: 256, progress });

async function open(t: TestContext, storeUrl: string, url?: string): Promise<Blobs> {
  const blobs = await openBlobs({ service, storeUrl, url });
  t.after(() => blobs.close());
  return blobs;
}

const sizes = [0, 1, 40, 300_000, 1_000];

async function keepOne(url: string): Promise<void> {
  const store = await openStore(url, { service });
  await (await store.documents().collection({ name: "users" })).put([{ key: "alice", doc: {} }]);
  await store.close();
}

/** A store with files; `bytes` by their ids. */
async function filled(t: TestContext) {
  const folder = await freshFolder(t);
  const [from, to] = [`sqlite:${join(folder, "from")}`, `sqlite:${join(folder, "to")}`];
  await keepOne(from);
  const blobs = await open(t, from);
  const bytes = new Map<string, Buffer>();
  for (const size of sizes) {
    const content = randomBytes(size);
    bytes.set((await blobs.put(streamOf(content))).id, content);
  }
  return { folder, from, to, blobs, bytes };
}

async function* streamOf(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}

const listed = (blobs: Blobs): Promise<KeptBlob[]> => Readable.from(blobs.list()).toArray();

async function assertHolds(blobs: Blobs, bytes: ReadonlyMap<string, Buffer>): Promise<void> {
  const ids = (await listed(blobs)).map(({ id }) => id);
  assert.deepEqual(ids, [...bytes.keys()].sort());
  for (const [id, content] of bytes) assert.deepEqual(Buffer.concat(await (await blobs.open(id))!.toArray()), content);
}

test("files are copied with the store, are told and counted, and go where --blobs-to says", async (t) => {
  const { folder, from, to, bytes } = await filled(t);
  const told: [files: number, bytes: number][] = [];
  const result = await copy({ from, to }, ({ files, bytes }) => told.push([files, bytes]));
  const all = sizes.reduce((sum, size) => sum + size, 0);
  assert.deepEqual([result.files, result.bytes, result.differences], [sizes.length, all, []]);
  assert.deepEqual(told.at(-1), [sizes.length, all]);
  await assertHolds(await open(t, to), bytes);
  const [other, elsewhere] = [`sqlite:${join(folder, "other")}`, `files:${join(folder, "elsewhere")}`];
  assert.deepEqual((await copy({ from, to: other, blobs: { service, to: elsewhere } })).differences, []);
  await assertHolds(await open(t, other, elsewhere), bytes);
  assert.ok(!existsSync(join(folder, "other", service, "blobs")));
});

test("without files, or where they stay, nothing is made", async (t) => {
  const { folder, from, to } = await filled(t);
  assert.equal((await copy({ from, to, blobs: undefined })).files, 0);
  assert.ok(!existsSync(join(folder, "to", service, "blobs")));
  const bare = join(folder, "bare");
  await keepOne(`sqlite:${bare}`);
  const target = `sqlite:${join(folder, "bare-to")}`;
  assert.deepEqual((await copy({ from: `sqlite:${bare}`, to: target })).differences, []);
  assert.ok(!existsSync(join(bare, service, "blobs")), "FROM is left as it is");
});

test("a copy that ended among the files goes on: what is there stays, what FROM removed goes", async (t) => {
  const { from, to, blobs, bytes } = await filled(t);
  await assert.rejects(
    copy({ from, to }, ({ step }) => {
      if (step === "compare") throw new Error("ended");
    }),
    /ended/,
  );
  const target = await open(t, to);
  const [removed, again] = [...bytes.keys()] as [string, string];
  const kept = (await listed(target)).find(({ id }) => id !== removed && id !== again)!;
  await blobs.remove(removed);
  bytes.delete(removed);
  await target.remove(again);
  const result = await copy({ from, to });
  assert.deepEqual([result.differences, result.resumed], [[], true]);
  await assertHolds(target, bytes);
  const now = (await listed(target)).find(({ id }) => id === kept.id);
  assert.deepEqual(now, kept, "it was not written again");
});

test("what must not be copied is refused in one line, and nothing is written", async (t) => {
  const { folder, from, to } = await filled(t);
  const taken = `files:${join(folder, "from", service, "blobs")}`;
  const cases: [ends: Partial<NonNullable<CopyOptions["blobs"]>>, code: "invalid_url" | "duplicate_key", RegExp][] = [
    [{ from: `files:${join(folder, "nothing")}` }, "invalid_url", /^--blobs-from: there is no such folder/],
    [{ to: "ftp://u:secret@h/d" }, "invalid_url", /^--blobs-to: it is files:FOLDER/],
    [{ to: taken }, "invalid_url", /same place: --no-blobs/],
    [{ from: taken, to: `files:${join(folder, "from", service, ".", "blobs", ".")}` }, "invalid_url", /same place/],
  ];
  for (const [places, code, message] of cases)
    await assert.rejects(copy({ from, to, blobs: { service, ...places } }), refusal(code, message));
  const other = `sqlite:${join(folder, "other")}`;
  const used = await open(t, other);
  await used.put(streamOf(Buffer.from("somebody's")));
  await assert.rejects(copy({ from, to: other }), refusal("duplicate_key", /^--blobs-to: it holds files already/));
  assert.deepEqual((await copy({ from, to })).differences, [], "TO was left empty");
});

test("files go to GridFS, killed on the way, and from there to S3", { skip: !hasMongo() || !hasS3() }, async (t) => {
  const { folder, from, bytes } = await filled(t);
  const { url: mongo } = (await testMongo(t))!;
  await killedAmongFiles(t, from, mongo);
  assert.deepEqual((await copy({ from, to: mongo })).differences, []);
  await assertHolds(await open(t, mongo), bytes);
  const { url: s3 } = await startS3(t);
  const to = `sqlite:${join(folder, "back")}`;
  assert.deepEqual((await copy({ from: mongo, to, blobs: { service, to: s3 } })).differences, []);
  await assertHolds(await open(t, to, s3), bytes);
});

async function killedAmongFiles(t: TestContext, from: string, to: string): Promise<void> {
  const program = fileURLToPath(new URL("copying-process.ts", import.meta.url));
  const child = spawn(process.execPath, [program, from, to, service], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const closed = once(child, "close");
  for await (const line of child.stdout.setEncoding("utf8")) if (/ [1-3] files/.test(line)) break;
  assert.ok(child.kill("SIGKILL"), "it was done before it was killed");
  await closed;
}
