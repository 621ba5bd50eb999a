// Uploads by tus: a stock client's, cut ones that go on, and refusals.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { eventually, hasS3, startLink, startS3 } from "@parley/testkit";
import { Upload } from "tus-js-client";
import { startTestApi } from "./surroundings.ts";

const MiB = 1024 * 1024;
const env = {
  API_FILE_BYTES: String(64 * MiB),
  API_IMAGE_BYTES: "10000",
  API_FILE_TYPES: "text/*,image/*,application/octet-stream",
  API_UPLOAD_DAY_BYTES: String(1024 * MiB),
  API_UPLOAD_SILENCE_MS: "500",
  API_CORS_ORIGINS: "https://app.example",
};
const api = await startTestApi({ after }, env);
const [ann, bob] = await Promise.all(["ann", "bob"].map((uid) => api.user(uid)));

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const base64 = (text: string) => Buffer.from(text).toString("base64");
const auth = { authorization: `Bearer ${ann!.token}` };
const version = { "tus-resumable": "1.0.0" };
const part = { ...version, "content-type": "application/offset+octet-stream" };
const blobs = () =>
  readdirSync(join(api.folder, "data/api/blobs"), { recursive: true, withFileTypes: true }).filter((one) =>
    one.isFile(),
  );

type Headers = Record<string, string>;

async function ask(verb: string, path: string, headers: Headers = {}, body?: Uint8Array) {
  const init = { method: verb, headers: { ...auth, ...headers }, ...(body ? { body: body as BodyInit } : {}) };
  const response = await fetch(new URL(path, api.url), init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
}

/** Begins an upload: its address. */
async function begin(size: number, metadata = ""): Promise<string> {
  const headers = { ...version, "upload-length": String(size), ...(metadata ? { "upload-metadata": metadata } : {}) };
  const { status, headers: answered, body } = await ask("POST", "/attachments/uploads", headers);
  assert.deepEqual([status, body], [201, { offset: 0 }]);
  assert.ok(Date.parse(answered.get("upload-expires")!) > Date.now());
  return answered.get("location")!;
}

const append = (at: string, offset: number, bytes: Uint8Array, headers: Headers = {}) =>
  ask("PATCH", at, { ...part, "upload-offset": String(offset), ...headers }, bytes);

/** The last part: the attachment that the upload becomes. */
async function finish(at: string, offset: number, bytes: Uint8Array, headers: Headers = {}) {
  const last = await append(at, offset, bytes, headers);
  assert.deepEqual([last.status, last.body], [204, undefined]);
  const { body } = await ask("GET", at);
  assert.equal(last.headers.get("content-location"), body.url);
  return body;
}

const offsetAt = async (at: string) => Number((await ask("HEAD", at, version)).headers.get("upload-offset"));

/** A PATCH whose connection stays open, or is cut, before its end. */
function beginPart(at: string, offset: number, length: number, bytes: Uint8Array) {
  const socket = connect(Number(new URL(api.url).port), "127.0.0.1");
  socket.on("error", () => undefined);
  const headers = { host: "x", ...auth, ...part, "upload-offset": String(offset), "content-length": String(length) };
  socket.write(
    `PATCH ${at} HTTP/1.1\r\n${Object.entries(headers)
      .map((one) => `${one.join(": ")}\r\n`)
      .join("")}\r\n`,
  );
  socket.write(bytes);
  return socket;
}

// One of some hundred random texts begins as a sound or another kind does.
function unknownBytes(size: number): Buffer<ArrayBuffer> {
  const bytes = randomBytes(size);
  bytes[0] = 0;
  return bytes;
}

test("a stock tus client uploads a file in parts, whose address tells the attachment; its bytes are stored once", async () => {
  const bytes = unknownBytes(20 * MiB);
  const sent = async (chunkSize: number) => {
    const done = Promise.withResolvers<string>();
    const upload = new Upload(bytes, {
      endpoint: `${api.url}/attachments/uploads`,
      chunkSize,
      headers: auth,
      metadata: { filename: "../film.bin" },
      onError: done.reject,
      onSuccess: () => done.resolve(upload.url ?? ""),
    });
    upload.start();
    return done.promise;
  };
  const before = blobs().length;
  const address = await sent(9 * MiB);
  const attachment = (await ask("GET", address)).body;
  const { id, ...rest } = attachment;
  const mime = "application/octet-stream";
  const hash = `sha256:${sha256(bytes)}`;
  assert.deepEqual(rest, { url: `/attachments/${id}`, name: "film.bin", size: bytes.length, mime, hash });
  assert.ok(address.endsWith(`/attachments/uploads/${id}`), "the upload's address names the attachment");
  const found = await fetch(api.url + attachment.url, { headers: auth });
  assert.deepEqual(Buffer.from(await found.arrayBuffer()), bytes);
  await sent(Number.POSITIVE_INFINITY);
  assert.equal(blobs().length, before + 1, "no piece is left, and equal bytes are one blob");
});

for (const place of ["files", "S3"] as const)
  test(`an upload that a stock tus client had cut half-way goes on from what is kept in ${place}, and is whole`, {
    skip: place === "S3" && !hasS3() ? "NO S3 HERE" : false,
  }, async (t) => {
    const ofS3 = async () => ({ BLOBS_URL: (await startS3(t)).url, STORE_URL: `sqlite:${api.folder}/beside` });
    const at = place === "files" ? api : await startTestApi(t, { ...env, ...(await ofS3()) }, api);
    const { token } = await at.user(place === "files" ? "cut" : "cuts3");
    const headers = { authorization: `Bearer ${token}` };
    const link = await startLink(Number(new URL(at.url).port));
    t.after(() => link.close());
    const bytes = unknownBytes(28 * MiB);
    const asked: [verb: string, status: number, offset: number][] = [];
    const done = Promise.withResolvers<string>();
    let isCut = false;
    const upload = new Upload(bytes, {
      endpoint: `http://127.0.0.1:${link.port}/attachments/uploads`,
      chunkSize: 9 * MiB,
      headers,
      metadata: { filename: "film.bin" },
      retryDelays: Array.from({ length: 50 }, () => 50),
      onProgress(sent) {
        if (isCut || sent <= 10 * MiB) return;
        isCut = true;
        link.cut();
      },
      onShouldRetry() {
        link.pass();
        return true;
      },
      onAfterResponse: (request, response) =>
        void asked.push([request.getMethod(), response.getStatus(), Number(response.getHeader("upload-offset"))]),
      onError: done.reject,
      onSuccess: () => done.resolve(new URL(upload.url ?? "").pathname),
    });
    upload.start();
    const address = await done.promise;
    // The last time that it asked: a first part may have been refused as unavailable, and begun again.
    const head = asked.findLast(([verb]) => verb === "HEAD");
    assert.deepEqual([head?.[1], head![2] >= 9 * MiB], [200, true], JSON.stringify(asked));
    assert.deepEqual(asked.at(-1), ["PATCH", 204, bytes.length]);
    const { hash, url } = (await at.call("GET", address, { token })).body;
    assert.equal(hash, `sha256:${sha256(bytes)}`);
    const found = await fetch(at.url + url, { headers });
    assert.deepEqual(Buffer.from(await found.arrayBuffer()), bytes);
  });

test("a stock tus client that cannot send PATCH or DELETE uploads all the same, and gives up what it began", async () => {
  const bytes = unknownBytes(MiB);
  const sent = Promise.withResolvers<void>();
  const options = { endpoint: `${api.url}/attachments/uploads`, headers: auth, overridePatchMethod: true };
  const upload = new Upload(bytes, { ...options, onError: sent.reject, onSuccess: () => sent.resolve() });
  upload.start();
  await sent.promise;
  assert.equal((await ask("GET", upload.url!)).body.hash, `sha256:${sha256(bytes)}`);
  const at = await begin(5);
  const post = (verb?: string) => ask("POST", at, { ...version, ...(verb && { "x-http-method-override": verb }) });
  for (const verb of [undefined, "PUT"]) assert.equal((await post(verb)).status, 405);
  assert.equal((await post("DELETE")).status, 204);
  const given = await begin(5);
  await Upload.terminate(api.url + given, { headers: auth });
  for (const gone of [at, given]) assert.equal((await ask("HEAD", gone, version)).status, 404);
});

test("a cut part keeps what arrived, and the upload goes on from there", async () => {
  const bytes = unknownBytes(10 * MiB);
  const at = await begin(bytes.length, `filename ${base64("день.bin")},empty`);
  const socket = beginPart(at, 0, bytes.length, bytes.subarray(0, 9 * MiB));
  await eventually(async () => (await offsetAt(at)) >= 8 * MiB);
  socket.destroy();
  const head = await ask("HEAD", at, version);
  assert.equal(head.headers.get("upload-metadata"), `filename ${base64("день.bin")},empty`);
  assert.equal(head.headers.get("upload-length"), String(bytes.length));
  // What the cut one had still in hand may be noted meanwhile.
  const last = await eventually(async () => {
    const offset = await offsetAt(at);
    const { status } = await append(at, offset, bytes.subarray(offset));
    return status === 204 && (await ask("GET", at)).body;
  });
  assert.deepEqual([last.hash, last.name], [`sha256:${sha256(bytes)}`, "день.bin"]);
});

test("whoever lost the last answer asks again: the same attachment, by the upload's address", async () => {
  const bytes = unknownBytes(1_000);
  const at = await begin(bytes.length);
  const body = await finish(at, 0, bytes);
  assert.deepEqual((await ask("GET", at)).body, body);
  assert.deepEqual(await finish(at, 1_000, Buffer.alloc(0)), body);
  assert.equal(await offsetAt(at), 1_000);
  assert.equal((await ask("DELETE", at, version)).status, 204);
  const found = await fetch(api.url + body.url, { headers: auth });
  assert.deepEqual(Buffer.from(await found.arrayBuffer()), bytes);
});

test("a file that comes with its creation, or is empty, needs no more requests", async () => {
  const bytes = Buffer.from("all of it");
  const headers = { ...part, "upload-length": "9", "upload-metadata": `name ${base64("a.txt")}` };
  const whole = await ask("POST", "/attachements/uploads/", headers, bytes);
  assert.deepEqual([whole.status, whole.body.mime, whole.body.name], [201, "text/plain", "a.txt"]);
  assert.equal(whole.headers.get("upload-offset"), "9");
  const empty = await ask("POST", "/attachments/uploads", { ...version, "upload-length": "0" });
  assert.deepEqual([empty.status, empty.body.size], [201, 0]);
});

test("a body that is not what its checksum says is refused whole; one that is, is taken", async () => {
  const bytes = unknownBytes(9 * MiB);
  const at = await begin(bytes.length);
  const digest = (algorithm: string, of: Uint8Array) =>
    ({ "upload-checksum": `${algorithm} ${createHash(algorithm).update(of).digest("base64")}` }) as Headers;
  const before = blobs().length;
  const wrong = await append(at, 0, bytes, digest("sha1", bytes.subarray(1)));
  assert.deepEqual([wrong.status, wrong.body.error.code], [460, "invalid_packet"]);
  assert.deepEqual([await offsetAt(at), blobs().length], [0, before]);
  assert.equal((await append(at, 0, bytes.subarray(0, MiB), digest("sha1", bytes.subarray(0, MiB)))).status, 204);
  await finish(at, MiB, bytes.subarray(MiB), digest("sha256", bytes.subarray(MiB)));
});

test("of two requests that go on from one place at once, one is taken, and nothing is mixed", async () => {
  const bytes = unknownBytes(3 * MiB);
  const at = await begin(bytes.length);
  const answers = await Promise.all([append(at, 0, bytes.subarray(0, MiB)), append(at, 0, bytes.subarray(0, 2 * MiB))]);
  const offset = await offsetAt(at);
  const taken = answers.filter(({ status }) => status === 204);
  assert.deepEqual([taken.length, taken[0]?.headers.get("upload-offset")], [1, String(offset)]);
  assert.equal(answers.find(({ status }) => status !== 204)?.body.error.code, "conflict");
  assert.equal((await finish(at, offset, bytes.subarray(offset))).hash, `sha256:${sha256(bytes)}`);
});

test("what cannot be taken is refused with a reason, and what was taken stays", async () => {
  const at = await begin(1_000);
  await append(at, 0, unknownBytes(10));
  const create = (headers: Headers) => () => ask("POST", "/attachments/uploads", { ...version, ...headers });
  const patch =
    (headers: Headers, bytes = unknownBytes(1)) =>
    () =>
      ask("PATCH", at, { ...part, ...headers }, bytes);
  const strange = { authorization: `Bearer ${bob!.token}` };
  const cases: [what: string, ask: () => ReturnType<typeof ask>, status: number, code: string][] = [
    ["no version", () => ask("POST", "/attachments/uploads", { "upload-length": "1" }), 412, "invalid_packet"],
    ["another version", create({ "tus-resumable": "0.2.2", "upload-length": "1" }), 412, "invalid_packet"],
    ["no length", create({}), 400, "invalid_packet"],
    ["a length that is no number", create({ "upload-length": "1e3" }), 400, "invalid_packet"],
    ["a negative length", create({ "upload-length": "-1" }), 400, "invalid_packet"],
    ["a deferred length", create({ "upload-defer-length": "1" }), 400, "invalid_packet"],
    ["more than is taken", create({ "upload-length": String(64 * MiB + 1) }), 413, "too_large"],
    ["metadata that is no pairs", create({ "upload-length": "1", "upload-metadata": "a b c" }), 400, "invalid_packet"],
    ["a key twice", create({ "upload-length": "1", "upload-metadata": "a YQ==,a YQ==" }), 400, "invalid_packet"],
    ["much metadata", create({ "upload-length": "1", "upload-metadata": "a".repeat(5_000) }), 400, "invalid_packet"],
    ["another offset", patch({ "upload-offset": "9" }), 409, "conflict"],
    ["no offset", patch({}), 400, "invalid_packet"],
    ["another kind of body", patch({ "upload-offset": "10", "content-type": "text/plain" }), 415, "invalid_packet"],
    ["more than was said", patch({ "upload-offset": "10" }, unknownBytes(991)), 413, "too_large"],
    [
      "a checksum nobody knows",
      patch({ "upload-offset": "10", "upload-checksum": "crc32 AAAA" }),
      400,
      "invalid_packet",
    ],
    ["what is not finished", () => ask("GET", at), 409, "conflict"],
    ["another's", () => ask("GET", at, strange), 404, "not_found"],
    ["another's to go on with", patch({ ...strange, "upload-offset": "10" }), 404, "not_found"],
    ["another's to remove", () => ask("DELETE", at, { ...version, ...strange }), 404, "not_found"],
    ["none", () => ask("GET", `/attachments/uploads/f-${"a".repeat(32)}`), 404, "not_found"],
    ["no id", () => ask("GET", "/attachments/uploads/..%2f..%2fetc"), 404, "not_found"],
    ["nobody", () => ask("POST", "/attachments/uploads", { ...version, authorization: "" }), 401, "unauthenticated"],
    ["another verb", () => ask("PUT", "/attachments/uploads"), 405, "invalid_packet"],
  ];
  for (const [what, asked, status, code] of cases) {
    const answer = await asked();
    assert.deepEqual([answer.status, answer.body?.error?.code], [status, code], what);
  }
  assert.equal(await offsetAt(at), 10);
});

test("a kind that is not taken, or is too large for its kind, is refused with its first bytes, and forgotten", async () => {
  const program = Buffer.concat([Buffer.from("MZ\x90\0"), unknownBytes(MiB)]);
  const picture = Buffer.concat([Buffer.from("GIF89a"), unknownBytes(MiB)]);
  const before = blobs().length;
  for (const [bytes, length, status] of [
    [picture, 20 * MiB, 413],
    [program, program.length, 403],
  ] as const) {
    const at = await begin(length);
    assert.equal((await append(at, 0, bytes)).status, status);
    assert.equal(await offsetAt(at), 0);
    // In bytes too few to tell, it is refused when it is whole.
    const slow = await begin(bytes.length);
    assert.equal((await append(slow, 0, bytes.subarray(0, 4))).status, 204);
    assert.equal((await append(slow, 4, bytes.subarray(4))).status, status);
    assert.equal((await ask("HEAD", slow, version)).status, 404);
  }
  assert.equal(blobs().length, before);
});

test("a part that stalls is ended, told, and kept as far as it came", async () => {
  const at = await begin(2_000);
  const socket = beginPart(at, 0, 2_000, unknownBytes(1_500));
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    answer += text;
  });
  await eventually(() => answer.includes("503") && answer.includes("no byte arrived"));
  socket.destroy();
  await eventually(async () => (await offsetAt(at)) === 0 || (await offsetAt(at)) === 1_500);
});

test("a removed upload is gone with its bytes", async () => {
  const before = blobs().length;
  const removed = await begin(100);
  await append(removed, 0, unknownBytes(10));
  assert.equal(blobs().length, before + 1);
  assert.equal((await ask("DELETE", removed, version)).status, 204);
  assert.equal((await ask("HEAD", removed, version)).status, 404);
  assert.equal(blobs().length, before);
});

test("one user has a hundred unfinished uploads; another goes on", async () => {
  const create = (token: string) =>
    ask("POST", "/attachments/uploads", { ...version, "upload-length": "5", authorization: `Bearer ${token}` });
  const carol = await api.user("carol");
  for (let n = 0; n < 100; n += 4) await Promise.all([1, 2, 3, 4].map(() => create(carol.token)));
  const refused = await create(carol.token);
  assert.deepEqual([refused.status, refused.body.error.code], [409, "conflict"]);
  assert.equal((await create(ann!.token)).status, 201);
});

test("what the server can is told, also to pages of other origins", async () => {
  const plain = await ask("OPTIONS", "/attachments/uploads");
  assert.equal(plain.status, 204);
  const told = ["tus-version", "tus-extension", "tus-checksum-algorithm", "tus-max-size"];
  assert.deepEqual(
    told.map((name) => plain.headers.get(name)),
    ["1.0.0", "creation,creation-with-upload,expiration,termination,checksum", "sha1,sha256", String(64 * MiB)],
  );
  const asked = { origin: "https://app.example", "access-control-request-method": "PATCH" };
  const { headers } = await ask("OPTIONS", `/attachments/uploads/f-${"a".repeat(32)}`, asked);
  assert.match(headers.get("access-control-allow-methods")!, /PATCH/);
  assert.match(headers.get("access-control-allow-headers")!, /upload-offset/);
  assert.match(headers.get("access-control-expose-headers")!, /upload-offset/);
});
