// Malware: a real clamd with one signature of its own, for the harmless text by which scanners are tried (EICAR).
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Attachment, type NotifyRequest, subjects } from "@parley/protocol";
import { openBlobs, openStore } from "@parley/store";
import { eventually, freePort, serviceContext } from "@parley/testkit";
import { keepAttachment } from "../src/files/attachments.ts";
import { startScanning } from "../src/media/scanning.ts";
import { openApiStore } from "../src/store.ts";
import { startHistoryProcess } from "./history-process.ts";
import { startTestApi } from "./surroundings.ts";

const hasClamd = spawnSync("clamd", ["--version"]).error === undefined;
const skip = hasClamd ? false : "clamd is not installed (apt: clamav-daemon)";
// In two parts, so that no scanner takes this file for one.
const malware = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].join("");
const patient = { timeoutMs: 150_000 };

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
  const upload = (text: string) =>
    api.call("POST", "/attachments", { token: ann!, raw: text, headers: { "content-type": "text/plain" } });
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

test("what is infected loses its bytes and its thumbnail, though whoever found it died before they were removed", {
  skip,
}, async (t) => {
  if (!clamd) await startClamd();
  const storeUrl = `sqlite:${folder}/store`;
  const opened = await openStore(storeUrl, { service: "api", lockWaitMs: 0 });
  t.after(() => opened.close());
  const store = await openApiStore(opened.documents());
  const blobs = await openBlobs({ service: "api", storeUrl });
  t.after(() => blobs.close());
  const put = (bytes: Uint8Array) =>
    blobs.put(
      (async function* () {
        yield bytes;
      })(),
    );
  const stored = await put(Buffer.from(malware));
  const keeping = { store, blobs, wake: () => undefined, scans: true };
  await keepAttachment(keeping, { uid: "ann", name: "a", type: "text/plain", stored });
  const thumbnail = { ...{ type: "image/webp", width: 1, height: 1, size: 9 }, blob: (await put(randomBytes(9))).id };
  const kept = (await store.contents.get(stored.sha256))!;
  const looked = { type: "image/png", size: 9, state: "ready", tries: 1, thumbnail } as const;
  await store.contents.update(stored.sha256, { ...kept.doc, looked }, kept.version);
  const { log } = serviceContext("api");
  const told: string[] = [];
  const tell = async ({ scan }: { scan?: { state: string } }) => void told.push(scan!.state);
  const parts = { store, blobs, log, url, bytesMax: 1_000, tell, isAlone: true };
  const found = async () => (await store.contents.get(stored.sha256))!.doc;
  const dying = startScanning({
    ...parts,
    pass: () => {
      throw new Error("dead");
    },
  });
  await eventually(async () => (await found()).scan?.state === "infected", patient);
  await dying.close();
  assert.deepEqual([told, (await found()).scan?.dueAt === undefined], [[], false]);
  const next = startScanning({ ...parts, pass: () => undefined });
  await eventually(() => told.length > 0, patient);
  await next.close();
  assert.deepEqual(told, ["infected"]);
  assert.deepEqual([await blobs.open(stored.id), await blobs.open(thumbnail.blob)], [undefined, undefined]);
  assert.deepEqual(
    [(await found()).scan, (await found()).looked],
    [{ state: "infected", size: 68, tries: 1 }, undefined],
  );
  if (clamd?.exitCode === null) {
    clamd.kill("SIGKILL");
    await once(clamd, "exit");
  }
});
