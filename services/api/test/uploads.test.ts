// Uploads that end in the middle: forms that stand still or do not end, senders who have gone, a store that does not answer.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { readConfig } from "@parley/runtime";
import { openBlobs, openStore, StoreError } from "@parley/store";
import { eventually, serviceContext, type TestContext } from "@parley/testkit";
import Fastify, { type FastifyReply } from "fastify";
import { signToken } from "../src/accounts/tokens.ts";
import { settings } from "../src/config.ts";
import { createFileLimits } from "../src/files/limits.ts";
import { openLooks } from "../src/files/looks.ts";
import { addUploadRoutes } from "../src/files/resumable/routes.ts";
import { addPieces, createUpload } from "../src/files/resumable/uploads.ts";
import { addFileRoutes } from "../src/files/routes.ts";
import { createRates } from "../src/http/rates.ts";
import { openApiStore } from "../src/store.ts";

const signingKey = randomBytes(32);
const silenceMs = 1_000;
const config = readConfig(settings, {
  NATS_URL: "nats://127.0.0.1:1",
  REDIS_URL: "redis://127.0.0.1:1",
  API_UPLOAD_SILENCE_MS: String(silenceMs),
});
const now = Date.now();
const claims = {
  uid: "ann",
  clientId: "ann:d",
  issuedAt: now,
  expiresAt: now + 3_600_000,
  passwordSince: 0,
  family: "f",
};
const authorization = `Bearer ${await signToken(signingKey, claims)}`;

/** The routes of attachments on a store of their own; `gate` holds a request before its route begins. */
async function begin(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "parley-uploads-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const storeUrl = `sqlite:${folder}`;
  const opened = await openStore(storeUrl, { service: "api", lockWaitMs: 0 });
  t.after(() => opened.close());
  const [store, blobs] = [await openApiStore(opened.documents()), await openBlobs({ service: "api", storeUrl })];
  const limits = createFileLimits(config);
  const revoke = { refused: () => false } as never;
  const rate = { rate: 1_000, burst: 1_000 };
  const server = Fastify({ forceCloseConnections: true });
  const held = { gate: async (_: FastifyReply): Promise<unknown> => undefined, arrived: 0, taken: 0 };
  server.addHook("preHandler", async (_request, reply) => {
    held.arrived += 1;
    await held.gate(reply);
  });
  const take = limits.uploads.take;
  limits.uploads.take = (uid) => {
    held.taken += 1;
    return take(uid);
  };
  const stopping = new AbortController();
  const parts = {
    store,
    blobs,
    limits,
    history: { mayFetch: async () => false },
    log: serviceContext("api").log,
    pass: () => undefined,
    wake: () => undefined,
    scans: false,
    looks: openLooks(),
    closing: stopping.signal,
    identity: { store, revoke, signingKey, isOperator: () => false },
    rates: createRates({ device: rate, stranger: rate }),
    addressOf: () => "127.0.0.1",
  };
  await addFileRoutes(server, parts, [addUploadRoutes]);
  await server.listen({ port: 0, host: "127.0.0.1" });
  t.after(() => server.close());
  const { port } = server.server.address() as AddressInfo;
  return { store, blobs, limits, held, stopping, port, url: `http://127.0.0.1:${port}/attachments`, folder };
}

const shared = await begin({ after });
const kept = () =>
  readdirSync(join(shared.folder, "api/blobs"), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );

/** A form under way: what is written is a part of its body. */
function openForm(t: TestContext, port: number) {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    answer += text;
  });
  socket.on("error", () => undefined);
  const head = ["POST /attachments HTTP/1.1", "host: x", `authorization: ${authorization}`];
  const type = "content-type: multipart/form-data; boundary=x";
  socket.write(`${[...head, type, "content-length: 100000000"].join("\r\n")}\r\n\r\n`);
  return { socket, write: (text: string) => socket.write(text), answer: () => answer };
}

const field = '--x\r\ncontent-disposition: form-data; name="note"\r\n\r\nnote';
const file = '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nbytes\r\n';

for (const [where, begun] of [
  ["before its file", field],
  ["behind its file", file + field],
] as const) {
  test(`a form that stands still ${where} is told so and keeps nothing`, async (t) => {
    const form = openForm(t, shared.port);
    form.write(begun);
    await eventually(() => form.answer().includes("503") && form.answer().includes("no byte arrived"));
    await eventually(() => kept().length === 0 && shared.limits.uploads.taken() === 0);
  });

  test(`a form that does not end ${where} is refused as too large and keeps nothing`, async (t) => {
    const form = openForm(t, shared.port);
    form.write(begun + "n".repeat(1_000_000));
    await eventually(() => form.answer().includes("413") && form.answer().includes("too_large"));
    await eventually(() => kept().length === 0 && shared.limits.uploads.taken() === 0);
  });
}

test("a form that is under way when the server stops is told so, before its file and behind it", async (t) => {
  const { port, stopping, held } = await begin(t);
  const forms = [openForm(t, port), openForm(t, port)];
  forms[0]?.write(field);
  forms[1]?.write(file + field);
  await eventually(() => held.taken === 2);
  stopping.abort();
  await eventually(() => forms.every((form) => form.answer().includes("the server stops")));
});

test("an upload whose sender has gone before it had its place holds none", async (t) => {
  const { port, held, limits } = await begin(t);
  held.gate = ({ raw }) => once(raw, "close");
  const form = openForm(t, port);
  await eventually(() => held.arrived === 1);
  form.socket.destroy();
  await eventually(() => held.taken === 1 && limits.uploads.taken() === 0);
});

/** Holds what is about to become an attachment. */
function holdInserts({ store }: Awaited<ReturnType<typeof begin>>) {
  const insert = store.attachments.insert.bind(store.attachments);
  const open = Promise.withResolvers<void>();
  const held = { begun: 0, open: open.resolve };
  store.attachments.insert = async (key, doc) => {
    held.begun += 1;
    await open.promise;
    return insert(key, doc);
  };
  return held;
}

test("an upload whose sender has gone before its end was stored holds its place until it is", async (t) => {
  const at = await begin(t);
  const inserts = holdInserts(at);
  let isGone: Promise<unknown> | undefined;
  at.held.gate = async ({ raw }) => {
    isGone = once(raw, "close");
  };
  const leaving = new AbortController();
  const sent = fetch(at.url, { method: "POST", headers: { authorization }, body: "bytes", signal: leaving.signal });
  await eventually(() => inserts.begun === 1);
  leaving.abort();
  await assert.rejects(sent);
  await isGone;
  assert.equal(at.limits.uploads.taken(), 1);
  inserts.open();
  await eventually(() => at.limits.uploads.taken() === 0);
});

/** Uploads in parts all of whose bytes are there. */
async function wholeUploads({ store, blobs, url }: Awaited<ReturnType<typeof begin>>, count: number) {
  const whole = async () => {
    const begun = await createUpload(store, { uid: "ann", name: "a", size: 5, metadata: "" });
    const { id, size } = await blobs.put(Readable.from([Buffer.from("bytes")]));
    await addPieces({ store, blobs }, begun, [{ blob: id, size }]);
    return `${url}/uploads/${begun.key}`;
  };
  return Promise.all(Array.from({ length: count }, whole));
}

const tus = { authorization, "tus-resumable": "1.0.0" };

test("of the uploads that a user lets be put together four are at once, also when it asks and goes; the next is kept", async (t) => {
  const at = await begin(t);
  const inserts = holdInserts(at);
  const uploads = await wholeUploads(at, 5);
  const leaving = new AbortController();
  const asked = uploads.slice(0, 4).map((url) => fetch(url, { headers: tus, signal: leaving.signal }));
  await eventually(() => inserts.begun === 4);
  leaving.abort();
  await Promise.allSettled(asked);
  const last = uploads[4]!;
  for (const method of ["GET", "HEAD", "DELETE"])
    assert.equal((await fetch(last, { method, headers: tus })).status, 429, method);
  assert.equal(at.limits.endings.taken(), 4);
  inserts.open();
  await eventually(() => at.limits.endings.taken() === 0);
  for (const url of uploads) assert.equal((await fetch(url, { headers: tus })).status, 200);
});

test("an upload one of whose pieces does not come is told so, lets go of it, and is made when it is asked for again", async (t) => {
  const at = await begin(t);
  const [upload] = await wholeUploads(at, 1);
  const open = at.blobs.open.bind(at.blobs);
  const stalled = new Readable({ read: () => undefined });
  at.blobs.open = async () => stalled;
  const answer = await fetch(upload!, { headers: tus });
  assert.deepEqual([answer.status, stalled.destroyed, at.limits.endings.taken()], [503, true, 0]);
  at.blobs.open = open;
  assert.equal((await fetch(upload!, { headers: tus })).status, 200);
});

test("an upload whose outcome is unknown, and that was stored after all, keeps its bytes", async (t) => {
  const { store, url } = await begin(t);
  const insert = store.attachments.insert.bind(store.attachments);
  let id = "";
  store.attachments.insert = async (key, doc) => {
    await insert(key, doc);
    id = key;
    throw new StoreError("unavailable", "the answer was lost");
  };
  const bytes = randomBytes(1_000);
  const headers = { authorization };
  const sent = await fetch(url, { method: "POST", headers, body: bytes });
  assert.equal(sent.status, 503);
  const found = await fetch(`${url}/${id}`, { headers });
  assert.equal(found.status, 200);
  assert.deepEqual(Buffer.from(await found.arrayBuffer()), bytes);
});
