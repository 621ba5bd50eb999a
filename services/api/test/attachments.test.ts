// Attachments over HTTP: uploaded as they are, served to whom they were sent, refused with a reason.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { eventually, mountSmallDisk, type SmallDisk } from "@parley/testkit";
import { startHistoryProcess } from "./history-process.ts";
import { startTestApi, type TestApi } from "./surroundings.ts";

const env = {
  API_FILE_BYTES: "3000000",
  API_IMAGE_BYTES: "10000",
  API_UPLOAD_SILENCE_MS: "500",
  API_BODY_TIMEOUT_MS: "400",
};
const api = await startTestApi({ after }, env);
startHistoryProcess({ after }, api);
const [ann, bob, eve] = await Promise.all(["ann", "bob", "eve"].map((uid) => api.user(uid)));
await eventually(async () => (await api.call("POST", "/sync", { token: ann!.token, json: {} })).status === 200, {
  timeoutMs: 60_000,
});

const png = Buffer.from("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489", "hex");
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function post(body: BodyInit | Uint8Array, path = "/attachments", token = ann!.token, server: TestApi = api) {
  const init = { method: "POST", headers: bearer(token), body: body as BodyInit, duplex: "half" };
  const response = await fetch(server.url + path, init as RequestInit);
  return { status: response.status, body: await response.json(), headers: response.headers };
}

async function get(id: string, token = ann!.token, headers: Record<string, string> = {}, verb = "GET") {
  const response = await fetch(`${api.url}/attachments/${id}`, {
    method: verb,
    headers: { ...bearer(token), ...headers },
  });
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()), headers: response.headers };
}

const blobs = (folder = join(api.folder, "data/api/blobs")) =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

test("a file comes back byte by byte, and the answer tells what it is, under both spellings, with and without a last slash", async () => {
  const bytes = randomBytes(200_000);
  for (const path of ["/attachments", "/attachments/", "/attachements", "/attachements/"]) {
    const { status, body, headers } = await post(bytes, `${path}?name=data.bin`);
    assert.equal(status, 201, JSON.stringify(body));
    const { id, ...rest } = body;
    const hash = `sha256:${sha256(bytes)}`;
    assert.deepEqual(rest, {
      url: `/attachments/${id}`,
      name: "data.bin",
      size: 200_000,
      mime: "application/octet-stream",
      hash,
    });
    assert.equal(headers.get("location"), `/attachments/${id}`);
    const found = await fetch(`${api.url}${path.replace(/\/$/, "")}/${id}${path.endsWith("/") ? "/" : ""}`, {
      headers: bearer(ann!.token),
    });
    assert.deepEqual(Buffer.from(await found.arrayBuffer()), bytes);
    const info = await fetch(`${api.url}${path.replace(/\/$/, "")}/${id}/info${path.endsWith("/") ? "/" : ""}`, {
      headers: bearer(ann!.token),
    });
    assert.deepEqual(await info.json(), body);
  }
});

test("a form with one file is taken; without one, with two or torn it is refused and keeps nothing", async () => {
  const form = (...files: [string, Uint8Array][]) => {
    const made = new FormData();
    made.append("note", "passed over");
    for (const [name, bytes] of files) made.append("file", new Blob([bytes as never]), name);
    return made;
  };
  const sent = await post(form(["../a picture.png", png]));
  assert.equal(sent.status, 201);
  assert.deepEqual([sent.body.name, sent.body.mime, sent.body.size], ["a picture.png", "image/png", png.length]);
  const before = blobs().length;
  for (const bad of [form(), form(["a", randomBytes(10)], ["b", randomBytes(10)])]) {
    const { status, body } = await post(bad);
    assert.deepEqual([status, body.error.code], [400, "invalid_packet"]);
  }
  const headers = { ...bearer(ann!.token), "content-type": "multipart/form-data; boundary=x" };
  const torn = '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nno end';
  const response = await fetch(`${api.url}/attachments`, { method: "POST", headers, body: torn });
  assert.equal(response.status, 400);
  for (const boundary of ["", "; boundary=", `; boundary=${"x".repeat(100)}`, '; boundary="a b"']) {
    const type = { ...headers, "content-type": `multipart/form-data${boundary}` };
    const { status } = await fetch(`${api.url}/attachments`, { method: "POST", headers: type, body: torn });
    assert.equal(status, 400, boundary);
  }
  assert.equal(blobs().length, before);
});

test("equal bytes are stored once, whoever sends them under whatever name", async () => {
  const bytes = randomBytes(50_000);
  const before = blobs().length;
  const [one, other] = await Promise.all([
    post(bytes, "/attachments?name=a"),
    post(bytes, "/attachments?name=b", bob!.token),
  ]);
  assert.notEqual(one.body.id, other.body.id);
  await eventually(() => blobs().length === before + 1);
  assert.deepEqual((await get(one.body.id)).bytes, bytes);
  assert.deepEqual((await get(other.body.id, bob!.token)).bytes, bytes);
});

test("whoever a file was sent to has it once the message is acknowledged; nobody else, and none is told that it exists", async () => {
  const bytes = randomBytes(1_000);
  const { id } = (await post(bytes)).body;
  const refusals = [await get(id, bob!.token), await get(`f-${"a".repeat(32)}`), await get("..%2f..")];
  assert.deepEqual(
    refusals.map(({ status, bytes: text }) => [status, JSON.parse(String(text)).error.code]),
    Array.from({ length: 3 }, () => [404, "not_found"]),
  );
  assert.equal(String(refusals[0]?.bytes), String(refusals[1]?.bytes));
  assert.equal((await get(id, "no token")).status, 401);
  const json = { to: "user/bob", content: { type: "file", file: id } };
  assert.equal((await api.call("POST", "/messages", { token: ann!.token, json })).status, 200);
  assert.deepEqual((await get(id, bob!.token)).bytes, bytes);
  assert.equal((await get(id, eve!.token)).status, 404);
});

test("ranges, ETag and conditions answer as HTTP has them", async () => {
  const bytes = randomBytes(1_000);
  const { id } = (await post(bytes)).body;
  const whole = await get(id);
  const etag = whole.headers.get("etag")!;
  assert.equal(etag, `"${sha256(bytes)}"`);
  assert.equal(whole.headers.get("accept-ranges"), "bytes");
  const part = await get(id, ann!.token, { range: "bytes=10-19", "if-range": etag });
  assert.deepEqual([part.status, part.headers.get("content-range")], [206, "bytes 10-19/1000"]);
  assert.deepEqual(part.bytes, bytes.subarray(10, 20));
  assert.deepEqual((await get(id, ann!.token, { range: "bytes=-5" })).bytes, bytes.subarray(995));
  assert.equal((await get(id, ann!.token, { range: "bytes=10-19", "if-range": '"old"' })).bytes.length, 1_000);
  const behind = await get(id, ann!.token, { range: "bytes=1000-" });
  assert.deepEqual([behind.status, behind.headers.get("content-range")], [416, "bytes */1000"]);
  assert.equal(JSON.parse(String(behind.bytes)).error.code, "invalid_packet");
  assert.equal((await get(id, ann!.token, { "if-none-match": etag })).status, 304);
  const head = await get(id, ann!.token, {}, "HEAD");
  assert.deepEqual([head.status, head.headers.get("content-length"), head.bytes.length], [200, "1000", 0]);
});

test("what could run in a browser is only saved, whatever it is called; nothing of it is let run", async () => {
  const files: [string, Uint8Array, string][] = [
    ["a.png", Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"), "image/svg+xml"],
    ["a.png", Buffer.from("<!doctype html><script>alert(1)</script>"), "text/html; charset=utf-8"],
    ["a.html", png, "image/png"],
  ];
  for (const [name, bytes, type] of files) {
    const { id } = (await post(bytes, `/attachments?name=${name}`)).body;
    const { headers } = await get(id);
    assert.equal(headers.get("content-type"), type);
    assert.equal(headers.get("content-security-policy"), "sandbox; default-src 'none'");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.match(headers.get("content-disposition")!, type === "image/png" ? /^inline;/ : /^attachment;/);
  }
});

test("a file larger than its kind may be is refused, said or streamed, and nothing of it is kept", async () => {
  const before = blobs().length;
  const large = Buffer.concat([Buffer.from("GIF89a"), randomBytes(20_000)]);
  const streamed = new ReadableStream({
    async pull(controller) {
      controller.enqueue(randomBytes(100_000));
    },
  });
  for (const body of [large, randomBytes(3_000_001), streamed]) {
    const reply = await post(body as Uint8Array);
    assert.deepEqual([reply.status, reply.body.error.code], [413, "too_large"]);
    assert.equal(typeof reply.body.error.details.maxBytes, "number");
  }
  await eventually(() => blobs().length === before);
  assert.equal((await post(randomBytes(3_000_000))).status, 201);
});

test("an upload that is cut, or that stalls, keeps nothing, and the one that stalls is told", async () => {
  const before = blobs().length;
  const begin = (length: number) => {
    const socket = connect(Number(new URL(api.url).port), "127.0.0.1");
    let answer = "";
    socket.setEncoding("utf8").on("data", (text: string) => {
      answer += text;
    });
    socket.on("error", () => undefined);
    const head = [
      "POST /attachments HTTP/1.1",
      "host: x",
      `authorization: Bearer ${ann!.token}`,
      `content-length: ${length}`,
    ];
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    socket.write(randomBytes(100_000));
    return { socket, answer: () => answer };
  };
  const cut = begin(200_000);
  await eventually(() => blobs().length === before + 1);
  cut.socket.destroy();
  await eventually(() => blobs().length === before);
  const stalled = begin(200_000);
  await eventually(() => stalled.answer().includes("503") && stalled.answer().includes("no byte arrived"));
  await eventually(() => blobs().length === before);
  stalled.socket.destroy();
});

test("a request that is no upload must arrive in time; who keeps its side of the connection open then is let go", async (t) => {
  const socket = connect({ port: Number(new URL(api.url).port), host: "127.0.0.1", allowHalfOpen: true });
  t.after(() => socket.destroy());
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    answer += text;
  });
  socket.write("POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{");
  await eventually(() => answer.startsWith("HTTP/1.1 408"));
  socket.on("error", () => undefined);
  await eventually(() => {
    socket.write("more");
    return socket.destroyed;
  });
});

test("one user uploads four files at once and so many bytes a day; others go on", async (t) => {
  const small = await startTestApi(t, { API_UPLOAD_DAY_BYTES: "100000", API_UPLOAD_SILENCE_MS: "60000" });
  const [fay, gus] = [await small.user("fay"), await small.user("gus")];
  const held: ReadableStreamDefaultController[] = [];
  const stream = () =>
    new ReadableStream({
      start(controller) {
        controller.enqueue(randomBytes(10));
        held.push(controller);
      },
    });
  const under = Array.from({ length: 4 }, () => post(stream(), "/attachments", fay.token, small));
  const partial = () => readdirSync(join(small.folder, "data/api/blobs/partial")).length;
  await eventually(() => partial() === 4);
  const fifth = await post(randomBytes(10), "/attachments", fay.token, small);
  assert.deepEqual([fifth.status, fifth.body.error.code], [429, "rate_limited"]);
  assert.equal((await post(randomBytes(10), "/attachments", gus.token, small)).status, 201);
  for (const controller of held) controller.close();
  assert.deepEqual(
    (await Promise.all(under)).map(({ status }) => status),
    [201, 201, 201, 201],
  );
  assert.equal((await post(randomBytes(90_000), "/attachments", fay.token, small)).status, 201);
  const more = await post(randomBytes(50_000), "/attachments", fay.token, small);
  assert.deepEqual([more.status, more.body.error.code], [429, "rate_limited"]);
  assert.ok(Number(more.headers.get("retry-after")) > 1_000);
  assert.equal((await post(randomBytes(50_000), "/attachments", gus.token, small)).status, 201);
});

test("kinds that are not taken are refused by their bytes, not by their name", async (t) => {
  const pictures = await startTestApi(t, { API_FILE_TYPES: "image/*,application/pdf" });
  const { token } = await pictures.user("hal");
  const status = async (bytes: Uint8Array) => (await post(bytes, "/attachments?name=a.png", token, pictures)).status;
  assert.deepEqual([await status(png), await status(Buffer.from("%PDF-1.7\n"))], [201, 201]);
  assert.deepEqual(
    [await status(Buffer.from("MZ\x90\0")), await status(Buffer.from("")), await status(Buffer.from("words"))],
    [403, 403, 403],
  );
});

test("a full disk is told, also by readiness, keeps nothing of the file, and is forgotten once there is space", async (t) => {
  let disk: SmallDisk | undefined;
  t.after(() => disk?.unmount());
  const place = await mkdtemp(join(tmpdir(), "parley-disk-"));
  t.after(() => rm(place, { recursive: true, force: true }));
  disk = mountSmallDisk(place, 4);
  if (!disk) return t.skip("a small disk can be mounted only as root on Linux");
  const small = await startTestApi(t, { BLOBS_URL: `files:${place}` });
  const { token } = await small.user("ida");
  assert.equal((await post(randomBytes(100_000), "/attachments", token, small)).status, 201);
  const full = await post(randomBytes(6_000_000), "/attachments", token, small);
  assert.deepEqual([full.status, full.body.error.code], [503, "unavailable"]);
  assert.match(full.body.error.message, /no space/);
  assert.equal(blobs(place).length, 1);
  assert.equal((await post(randomBytes(100_000), "/attachments", token, small)).status, 201);
  const filler = join(place, "filler");
  await assert.rejects(writeFile(filler, randomBytes(6_000_000)), { code: "ENOSPC" });
  await eventually(() => /the disk is full/.test(small.notReady().files ?? ""));
  await rm(filler);
  await eventually(() => small.notReady().files === undefined);
});

test("bad queries are refused", async () => {
  for (const path of ["/attachments?nam=x", "/attachments?name=a&name=b", `/attachments?name=${"x".repeat(2_000)}`]) {
    const { status, body } = await post(randomBytes(10), path);
    assert.deepEqual([status, body.error.code], [400, "invalid_packet"], path);
  }
  assert.ok(blobs().every(({ parentPath, name }) => statSync(join(parentPath, name)).size > 0));
  const wrong = await api.call("PUT", "/attachments", { token: ann!.token, json: {} });
  assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "POST"]);
});
