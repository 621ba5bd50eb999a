// kill -9 of the real api in the middle of an upload, and between the steps of its end.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { eventually } from "@parley/testkit";
import { startApiProcess } from "./api-process.ts";
import { password, type Session } from "./surroundings.ts";

const MiB = 1024 * 1024;
const bytes = randomBytes(20 * MiB);
const hash = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const api = await startApiProcess({ after });
await api.start();
await api.call("POST", "/register", { json: { username: "ann", password } });
const { token } = (await api.call("POST", "/login", { json: { username: "ann", password } })).body as Session;
const version = { "tus-resumable": "1.0.0" };

async function begin(size: number): Promise<string> {
  const headers = { ...version, "upload-length": String(size) };
  return (await api.call("POST", "/attachments/uploads", { token, headers })).headers.get("location")!;
}

async function append(at: string, offset: number, part: Uint8Array) {
  const headers = { ...version, "upload-offset": String(offset), "content-type": "application/offset+octet-stream" };
  return api.call("PATCH", at, { token, headers, raw: part as never });
}

const offsetAt = async (at: string) =>
  Number((await api.call("HEAD", at, { token, headers: version })).headers.get("upload-offset"));
const blobs = () =>
  readdirSync(join(api.folder, "data/api/blobs"), { recursive: true, withFileTypes: true }).filter((one) =>
    one.isFile(),
  );

test("an upload that kill -9 of api cut goes on from the last piece that was kept, and is whole", async () => {
  const at = await begin(bytes.length);
  const socket = connect(Number(api.port()), "127.0.0.1");
  socket.on("error", () => undefined);
  const headers = { host: "x", authorization: `Bearer ${token}`, ...version, "upload-offset": "0" };
  const body = { "content-type": "application/offset+octet-stream", "content-length": String(bytes.length) };
  const head = Object.entries({ ...headers, ...body }).map((one) => `${one.join(": ")}\r\n`);
  socket.write(`PATCH ${at} HTTP/1.1\r\n${head.join("")}\r\n`);
  socket.write(bytes.subarray(0, 17 * MiB));
  await eventually(async () => (await offsetAt(at)) === 16 * MiB);
  await api.kill();
  socket.destroy();
  await api.start();
  const offset = await offsetAt(at);
  assert.equal(offset, 16 * MiB);
  assert.equal((await append(at, offset, bytes.subarray(offset))).status, 204);
  assert.equal((await api.call("GET", at, { token })).body.hash, hash);
});

for (const point of ["before-attachment", "before-upload-end"] as const)
  test(`an upload whose last request died ${point} is one attachment when it is asked for again, without leftovers`, async () => {
    await api.kill();
    await api.start(point);
    const part = randomBytes(1_000);
    const before = blobs().length;
    const at = await begin(part.length);
    await assert.rejects(append(at, 0, part));
    assert.equal(await api.died(), "SIGKILL");
    await api.start();
    assert.equal(await offsetAt(at), 1_000);
    const { status, body } = await api.call("GET", at, { token });
    assert.deepEqual([status, `/attachments/uploads/${body.id}`], [200, at]);
    assert.equal(body.hash, `sha256:${createHash("sha256").update(part).digest("hex")}`);
    assert.equal((await api.call("HEAD", body.url, { token })).headers.get("content-length"), "1000");
    // What was stored behind the one that died is nobody's, and swept.
    assert.equal(blobs().length, before + (point === "before-attachment" ? 2 : 1));
  });
