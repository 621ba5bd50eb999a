// kill -9 of the real api and of the process that looks at a file, around what is made of it.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openStore } from "@parley/store";
import { eventually } from "@parley/testkit";
import sharp from "sharp";
import { openApiStore } from "../src/store.ts";
import { startApiProcess } from "./api-process.ts";
import { password } from "./surroundings.ts";

const temporary = await mkdtemp(join(tmpdir(), "parley-media-kills-"));
after(() => rm(temporary, { recursive: true, force: true }));
const api = await startApiProcess({ after }, { TMPDIR: temporary });
await api.start();
assert.equal((await api.call("POST", "/register", { json: { username: "ann", password } })).status, 200);
const { token } = (await api.call("POST", "/login", { json: { username: "ann", password } })).body;
const info = async (id: string) => (await api.call("GET", `/attachments/${id}/info`, { token })).body;
const isMade = async (id: string, side: number) => {
  await eventually(async () => (await info(id)).media.state === "ready", { timeoutMs: 150_000 });
  assert.equal((await info(id)).media.width, side);
  assert.equal((await api.call("GET", `/attachments/${id}/thumbnail`, { token })).status, 200);
};
const upload = async (side: number): Promise<string> => {
  const photo = await sharp({ create: { width: side, height: side, channels: 3, background: "blue" } })
    .png()
    .toBuffer();
  const headers = { "content-type": "application/octet-stream" };
  const { body } = await api.call("POST", "/attachments", { token, raw: photo as never, headers });
  assert.equal(body.media.state, "pending");
  return body.id;
};
const blobs = () =>
  readdirSync(join(api.folder, "data/api/blobs"), { recursive: true, withFileTypes: true }).filter((one) =>
    one.isFile(),
  );
const staged = () => readdirSync(temporary).filter((name) => name.startsWith("parley-media-"));

for (const [point, side] of [
  ["before-unnamed", 30],
  ["before-thumbnail", 10],
  ["after-thumbnail", 20],
] as const)
  test(`a thumbnail whose maker dies ${point} is made by the next api, and is there once`, async () => {
    await api.kill();
    await api.start(point);
    const before = blobs().length;
    const id = await upload(side);
    assert.equal(await api.died(), "SIGKILL");
    // Others that are younger may be somebody's.
    for (const name of staged()) await utimes(join(temporary, name), 1, 1);
    await api.start();
    await isMade(id, side);
    await eventually(() => staged().length === 0);
    assert.equal(blobs().length, before + 2);
  });

/** The process that looks at a file now. */
const worker = () =>
  eventually(
    () => {
      const children = readFileSync(`/proc/${api.pid()}/task/${api.pid()}/children`, "utf8").split(" ");
      const isIt = (pid: string) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("media/worker/main.ts");
      const found = children.find((pid) => pid !== "" && isIt(pid));
      return found === undefined ? undefined : Number(found);
    },
    { intervalMs: 2 },
  );
const skip = process.platform === "linux" ? false : "processes are found in /proc";

test("a picture whose worker is killed is looked at again, and gets its thumbnail", { skip }, async () => {
  const id = await upload(3_000);
  process.kill(await worker(), "SIGKILL");
  assert.equal((await info(id)).media.state, "pending");
  await isMade(id, 3_000);
  assert.deepEqual(staged(), []);
});

test("a worker whose api is killed ends, nothing temporary is left, and the picture gets its thumbnail", {
  skip,
}, async () => {
  const id = await upload(3_100);
  const pid = await worker();
  process.kill(pid, "SIGSTOP");
  await api.kill();
  process.kill(pid, "SIGCONT");
  await eventually(() => !isAlive(pid));
  assert.deepEqual(staged(), []);
  await api.start();
  await isMade(id, 3_100);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Works on api's documents while no api runs. */
async function withStore<T>(work: (store: Awaited<ReturnType<typeof openApiStore>>) => Promise<T>): Promise<T> {
  const opened = await openStore(`sqlite:${api.folder}/data`, { service: "api" });
  try {
    return await work(await openApiStore(opened.documents()));
  } finally {
    await opened.close();
  }
}

test("what was found to be infected when api dies before its removal loses its bytes and its thumbnail at the next start", async () => {
  const before = blobs().length;
  const id = await upload(40);
  await isMade(id, 40);
  await api.kill();
  const sha256 = await withStore(async ({ attachments, contents }) => {
    const key = (await attachments.get(id))!.doc.sha256;
    const { doc, version } = (await contents.get(key))!;
    const scan = { state: "infected", size: 1, tries: 1, dueAt: 1 } as const;
    assert.ok(await contents.update(key, { ...doc, scan }, version));
    return key;
  });
  // Whoever starts has not served before it dies.
  await api.start("before-infected-removed").catch(() => undefined);
  assert.equal(await api.died(), "SIGKILL");
  await api.start();
  await eventually(() => blobs().length === before);
  const { status } = await api.call("GET", `/attachments/${id}`, { token });
  assert.equal(status, 410);
  await api.kill();
  assert.deepEqual(await withStore(async ({ contents }) => (await contents.get(sha256))!.doc.scan?.dueAt), undefined);
});
