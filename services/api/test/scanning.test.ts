// Malware: a real clamd with one signature of its own, for the harmless text by which scanners are tried (EICAR).
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, type TestContext, test } from "node:test";
import { AppError, type Attachment, type NotifyRequest, subjects } from "@parley/protocol";
import { openBlobs, openStore } from "@parley/store";
import { eventually, freePort, serviceContext } from "@parley/testkit";
import { keepAttachment, refuseUnscanned } from "../src/files/attachments.ts";
import { openLooks } from "../src/files/looks.ts";
import { startScanning } from "../src/media/scanning.ts";
import { type ContentDoc, openApiStore } from "../src/store.ts";
import { startHistoryProcess } from "./history-process.ts";
import { startTestApi } from "./surroundings.ts";

const hasClamd = spawnSync("clamd", ["--version"]).error === undefined;
const skip = hasClamd ? false : "clamd is not installed (apt: clamav-daemon)";
// In two parts, so that no scanner takes this file for one.
const malware = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].join("");
const patient = { timeoutMs: 150_000 };
const plain = { "content-type": "text/plain" };

const folder = await mkdtemp(join(tmpdir(), "parley-scanning-"));
after(() => rm(folder, { recursive: true, force: true }));
const port = await freePort();
const url = `tcp://127.0.0.1:${port}`;
let clamd: ChildProcess | undefined;
after(() => clamd?.kill("SIGKILL"));

async function startClamd(): Promise<void> {
  const signature = `Parley.Test:0:*:${Buffer.from(malware).toString("hex")}\n`;
  await writeFile(join(folder, "own.ndb"), signature);
  const settings = ["Foreground yes", `DatabaseDirectory ${folder}`, `TCPSocket ${port}`, "TCPAddr 127.0.0.1"];
  await writeFile(join(folder, "clamd.conf"), `${settings.join("\n")}\n`);
  clamd = spawn("clamd", ["-c", join(folder, "clamd.conf")], { stdio: "ignore" });
}

test("others have a file only when clamd has answered, also after it was away; an infected one is nobody's, and its owner is told", {
  skip,
}, async (t) => {
  const api = await startTestApi(t, { API_CLAMD_URL: url, API_CLAMD_BYTES: "1000000" });
  startHistoryProcess(t, api);
  const [ann, bob] = await Promise.all(["ann", "bob"].map(async (uid) => (await api.user(uid)).token));
  const told: Attachment[] = [];
  const listening = api.nats.subscribe(subjects.notify, {
    callback: (_, message) => {
      const { attachment } = message.json<NotifyRequest>().packet as { attachment?: Attachment };
      if (attachment) told.push(attachment);
    },
  });
  t.after(() => listening.unsubscribe());
  const upload = (text: string) => api.call("POST", "/attachments", { token: ann!, raw: text, headers: plain });
  const send = async (file: string) => {
    const json = { to: "user/bob", content: { type: "file", file } };
    const sent = async () => (await api.call("POST", "/messages", { token: ann!, json })).status === 200;
    await eventually(sent, patient);
  };
  const ask = async (id: string, token: string, of = "") => {
    const { status, body } = await api.call("GET", `/attachments/${id}${of}`, { token });
    return status === 200 ? "served" : (body.code ?? body.error?.code);
  };
  const { id: clean, scan } = (await upload("harmless")).body;
  assert.equal(scan, "pending");
  await send(clean);
  await eventually(() => api.lines.some(({ event }) => event === "clamd_away"), patient);
  assert.deepEqual([await ask(clean, ann!), await ask(clean, bob!)], ["served", "pending"]);
  assert.equal(await ask(clean, bob!, "/thumbnail"), "pending");
  const bad = (await upload(malware)).body;
  await send(bad.id);
  assert.equal(await ask(bad.id, bob!), "pending");
  const large = (await upload("a".repeat(1_000_001))).body;
  await startClamd();
  await eventually(async () => (await ask(clean, bob!)) === "served", patient);
  await eventually(() => told.some(({ id, scan: found }) => id === bad.id && found === "infected"), patient);
  for (const token of [ann!, bob!]) assert.equal(await ask(bad.id, token), "infected");
  const again = await upload(malware);
  assert.deepEqual([again.status, (again.body.error ?? again.body).code], [410, "infected"]);
  const stateOf = async (id: string) => (await api.call("GET", `/attachments/${id}/info`, { token: ann! })).body.scan;
  await eventually(async () => (await stateOf(large.id)) === "unscanned", patient);
  assert.deepEqual([await stateOf(clean), await stateOf(bad.id)], ["clean", "infected"]);
});

/** A store of the test's own, with bytes that wait to be scanned. */
async function keptToScan(t: TestContext, text: string) {
  const storeUrl = `sqlite:${join(folder, randomBytes(8).toString("hex"))}`;
  const opened = await openStore(storeUrl, { service: "api", lockWaitMs: 0 });
  t.after(() => opened.close());
  const store = await openApiStore(opened.documents());
  const blobs = await openBlobs({ service: "api", storeUrl });
  t.after(() => blobs.close());
  const put = (bytes: Uint8Array) => blobs.put(Readable.from([bytes]));
  const keep = async () => {
    const uploaded = { uid: "ann", name: "a", type: "text/plain", stored: await put(Buffer.from(text)) };
    return keepAttachment(
      { store, blobs, looks: openLooks(), wake: () => undefined, scans: true, pass: () => undefined },
      uploaded,
    );
  };
  const { id, hash } = await keep();
  const sha256 = hash.slice("sha256:".length);
  const found = async () => (await store.contents.get(sha256))!;
  const change = async (changed: Partial<ContentDoc>) => {
    const { doc, version } = await found();
    assert.ok(await store.contents.update(sha256, { ...doc, ...changed }, version));
  };
  const told: string[] = [];
  const tell = async ({ scan }: ContentDoc) => void told.push(scan!.state);
  const { log } = serviceContext("api");
  const parts = { ...{ store, blobs, log, url, bytesMax: 1_000, readMs: 60_000 }, tell, isAlone: true };
  return {
    ...{ store, blobs, put, keep, id, sha256, found, change, told },
    parts: { ...parts, pass: () => undefined },
  };
}

test("what is infected loses its bytes and its thumbnail, though whoever found it died before they were removed", {
  skip,
}, async (t) => {
  if (!clamd) await startClamd();
  const { blobs, put, found, change, told, parts } = await keptToScan(t, malware);
  const { blob } = (await found()).doc;
  const thumbnail = { ...{ type: "image/webp", width: 1, height: 1, size: 9 }, blob: (await put(randomBytes(9))).id };
  await change({ looked: { type: "image/png", size: 9, state: "ready", tries: 1, thumbnail } });
  const dying = startScanning({
    ...parts,
    pass: () => {
      throw new Error("dead");
    },
  });
  await eventually(async () => (await found()).doc.scan?.state === "infected", patient);
  await dying.close();
  assert.deepEqual([told, (await found()).doc.scan?.dueAt === undefined], [[], false]);
  const next = startScanning(parts);
  await eventually(() => told.length > 0, patient);
  await next.close();
  assert.deepEqual(told, ["infected"]);
  assert.deepEqual([await blobs.open(blob), await blobs.open(thumbnail.blob)], [undefined, undefined]);
  const { scan, looked } = (await found()).doc;
  assert.deepEqual([scan, looked], [{ state: "infected", size: 68, tries: 1 }, undefined]);
  if (clamd?.exitCode === null) {
    clamd.kill("SIGKILL");
    await once(clamd, "exit");
  }
});

test("bytes that come again while infected ones like them are removed wait to be scanned themselves", async (t) => {
  const { store, blobs, keep, id, sha256, found, change, told, parts } = await keptToScan(t, malware);
  await change({ scan: { state: "infected", size: 68, tries: 1, dueAt: 0 } });
  const first = (await found()).doc.blob;
  // The last attachment that has them is removed, and its document with it.
  const removed = Promise.withResolvers<void>();
  const remove = async (blob: string) => {
    const isRemoved = await blobs.remove(blob);
    if (blob !== first) return isRemoved;
    await store.attachments.remove(id);
    await store.contents.remove(sha256);
    await keep();
    removed.resolve();
    return isRemoved;
  };
  const nobody = `tcp://127.0.0.1:${await freePort()}`;
  const scanning = startScanning({ ...parts, url: nobody, blobs: { ...blobs, remove } });
  await removed.promise;
  await scanning.close();
  const { blob, scan } = (await found()).doc;
  assert.deepEqual([scan?.state, scan?.dueAt === undefined, blob === first], ["pending", false, false]);
  assert.deepEqual(told, []);
});

test("without clamd what waited for it waits no more; what it had found goes as before, and is nobody's", async (t) => {
  const { store, blobs, id, found, change, told, parts } = await keptToScan(t, malware);
  const taken = { state: "pending", size: 68, tries: 3, dueAt: Date.now() + 300_000 } as const;
  await change({ scan: taken });
  const until = async (state: string) => {
    const letting = startScanning({ ...parts, url: undefined });
    await eventually(() => told.includes(state));
    await letting.close();
  };
  await until("unscanned");
  assert.deepEqual((await found()).doc.scan, { state: "unscanned", size: 68, tries: 4 });
  await change({ scan: { ...taken, state: "infected", dueAt: 0 } });
  const { doc } = (await store.attachments.get(id))!;
  const isInfected = (error: unknown) => error instanceof AppError && error.code === "infected";
  await assert.rejects(refuseUnscanned({ store, scans: false }, doc, "ann"), isInfected);
  await until("infected");
  assert.equal(await blobs.open(doc.blob), undefined);
});

test("a file whose bytes do not come in time is scanned later, and its stream is let go", async (t) => {
  const { blobs, found, parts } = await keptToScan(t, "harmless");
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  t.after(() => silent.close());
  const stalled = new Readable({ read: () => undefined });
  const scanning = startScanning({
    ...parts,
    ...{ url: `tcp://127.0.0.1:${(silent.address() as AddressInfo).port}`, readMs: 50 },
    blobs: { ...blobs, open: async () => stalled },
  });
  await eventually(async () => {
    const { state, dueAt, tries } = (await found()).doc.scan!;
    return state === "pending" && tries === 1 && stalled.destroyed && dueAt! < Date.now() + 100_000;
  });
  await scanning.close();
});

test("when clamd is taken out of the settings, what waited for it is had by others, and says that it is unscanned", async (t) => {
  const api = await startTestApi(t, { API_CLAMD_URL: `tcp://127.0.0.1:${await freePort()}` });
  startHistoryProcess(t, api);
  const [ann, bob] = await Promise.all(["ann", "bob"].map(async (uid) => (await api.user(uid)).token));
  const { id } = (await api.call("POST", "/attachments", { token: ann!, raw: "harmless", headers: plain })).body;
  const json = { to: "user/bob", content: { type: "file", file: id } };
  await eventually(async () => (await api.call("POST", "/messages", { token: ann!, json })).status === 200, patient);
  const asked = () => api.call("GET", `/attachments/${id}`, { token: bob! });
  assert.equal((await asked()).body.error.code, "pending");
  await api.restart({ API_CLAMD_URL: "" });
  assert.equal((await asked()).status, 200);
  const said = async () => (await api.call("GET", `/attachments/${id}/info`, { token: bob! })).body.scan;
  await eventually(async () => (await said()) === "unscanned");
});
