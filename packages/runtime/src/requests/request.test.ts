import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { AppError, limits } from "@parley/protocol";
import { eventually, freePort, startServers } from "@parley/testkit";
import { recordingLogger } from "../../test/recorder.ts";
import { connectNats, type NatsConnection } from "../connections/nats.ts";
import { answer, answerJson, request, requestJson, requestsInHand, requestsInHandMax } from "./request.ts";

const timeoutMs = 5000;

async function start(t: TestContext) {
  const { nats: server } = await startServers(t, { nats: true });
  const recorder = recordingLogger();
  const connection = async () => {
    const nats = await connectNats({ url: server.url, name: "test", log: recorder.log });
    t.after(() => nats.close());
    return nats;
  };
  return { server, connection, asking: await connection(), answering: await connection(), ...recorder };
}

async function served(nats: NatsConnection) {
  await nats.flush();
}

const unavailable = (reason: string) => (error: unknown) => {
  assert.ok(error instanceof AppError, String(error));
  assert.deepEqual([error.code, error.details], ["unavailable", { reason }]);
  return true;
};

test("bytes come back as they were answered", async (t) => {
  const { asking, answering } = await start(t);
  answer(answering, "echo", "q", (bytes) => bytes);
  await served(answering);
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  assert.deepEqual(Buffer.from(await request(asking, "echo", bytes, { timeoutMs })), Buffer.from(bytes));
});

test("without anybody who serves the subject a request fails at once with no_responders", async (t) => {
  const { asking } = await start(t);
  await assert.rejects(request(asking, "nobody", "", { timeoutMs: 60_000 }), unavailable("no_responders"));
});

test("without an answer in time a request fails with timeout", async (t) => {
  const { asking, answering } = await start(t);
  answer(answering, "silent", undefined, () => new Promise<string>(() => {}));
  await served(answering);
  await assert.rejects(request(asking, "silent", "", { timeoutMs: 50 }), unavailable("timeout"));
});

test("a request in hand when NATS is lost, and one made while it is away, fail at once with closed", async (t) => {
  const { server, asking, answering } = await start(t);
  answer(answering, "silent", undefined, () => new Promise<string>(() => {}));
  await served(answering);
  const inHand = assert.rejects(request(asking, "silent", "", { timeoutMs: 600_000 }), unavailable("closed"));
  await asking.flush();
  await server.kill();
  await inHand;
  await assert.rejects(request(asking, "silent", "", { timeoutMs: 600_000 }), unavailable("closed"));
  await server.start();
  answer(answering, "echo", undefined, (bytes) => bytes);
  await eventually(async () => (await request(asking, "echo", "again", { timeoutMs })).byteLength === 5);
});

test("a request on a closed connection fails with closed", async (t) => {
  const { asking } = await start(t);
  await asking.close();
  await assert.rejects(request(asking, "echo", "", { timeoutMs }), unavailable("closed"));
});

test("a thrown AppError reaches the caller as it is, an unknown error as internal and only in the log with its cause", async (t) => {
  const { asking, answering, lines } = await start(t);
  const work = ({ fail }: { fail: string }) => {
    if (fail === "refuse") throw new AppError("not_member", "not yours", { details: { conv: "room/1" } });
    throw new TypeError("secret detail");
  };
  answerJson(answering, "fails", undefined, work, recordingLogger().log);
  await served(answering);
  await assert.rejects(requestJson(asking, "fails", { fail: "refuse" }, { timeoutMs }), {
    code: "not_member",
    message: "not yours",
    details: { conv: "room/1" },
  });
  await assert.rejects(requestJson(asking, "fails", { fail: "bug" }, { timeoutMs }), (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, "internal");
    assert.doesNotMatch(error.message, /secret detail/);
    return true;
  });
  assert.deepEqual(lines, []);
});

test("an unknown error is logged once, with its cause", async (t) => {
  const { asking, answering, log, lines } = await start(t);
  const work = () => {
    throw new TypeError("x is not a function");
  };
  answer(answering, "fails", undefined, work, log);
  await served(answering);
  await request(asking, "fails", "", { timeoutMs });
  assert.equal(lines.length, 1);
  assert.match(JSON.stringify(lines[0]), /request_failed.*x is not a function.*request\.test\.ts/);
});

test("that something behind the answering service is unavailable does not read as if that service were", async (t) => {
  const { asking, answering } = await start(t);
  answerJson(answering, "outer", undefined, () => requestJson(answering, "nobody", {}, { timeoutMs }));
  await served(answering);
  await assert.rejects(requestJson(asking, "outer", {}, { timeoutMs }), (error) => {
    assert.ok(error instanceof AppError);
    assert.deepEqual([error.code, error.details], ["unavailable", undefined]);
    return true;
  });
});

test("a body that is not JSON is invalid_packet", async (t) => {
  const { asking, answering } = await start(t);
  answerJson(answering, "json", undefined, () => ({}));
  await served(answering);
  const reply = await request(asking, "json", "{", { timeoutMs });
  assert.equal(JSON.parse(Buffer.from(reply).toString()).error.code, "invalid_packet");
});

test("what is larger than 512 KiB is refused on either side, and the connection lives on", async (t) => {
  const { asking, answering } = await start(t);
  const large = new Uint8Array(limits.requestBytes + 1);
  answer(answering, "large", undefined, (bytes) => (bytes.byteLength === 0 ? large : bytes));
  await served(answering);
  await assert.rejects(request(asking, "large", large, { timeoutMs }), { code: "too_large" });
  const reply = await request(asking, "large", "", { timeoutMs });
  assert.equal(JSON.parse(Buffer.from(reply).toString()).error.code, "too_large");
  assert.equal((await request(asking, "large", large.subarray(1), { timeoutMs })).byteLength, limits.requestBytes);
});

test("close takes nothing new and answers what was taken", async (t) => {
  const { asking, answering, connection } = await start(t);
  const other = await connection();
  const taken: ((text: string) => void)[] = [];
  const answers = answer(answering, "slow", "q", () => new Promise<string>((resolve) => taken.push(resolve)));
  await served(answering);
  const inHand = request(asking, "slow", "", { timeoutMs });
  await eventually(() => taken.length === 1);
  let closed = false;
  const closing = answers.close().then(() => {
    closed = true;
  });
  answer(other, "slow", "q", () => "other");
  await served(other);
  await served(answering);
  for (let i = 0; i < 10; i++) {
    assert.equal(Buffer.from(await request(asking, "slow", "", { timeoutMs })).toString(), "other");
  }
  assert.equal(closed, false);
  taken[0]?.("finished");
  assert.equal(Buffer.from(await inHand).toString(), "finished");
  await closing;
});

test("each request is answered by one replica of a queue", async (t) => {
  const { asking, answering, connection } = await start(t);
  let answered = 0;
  for (const nats of [answering, await connection()]) {
    answer(nats, "shared", "q", () => `${++answered}`);
    await served(nats);
  }
  await Promise.all(Array.from({ length: 50 }, () => request(asking, "shared", "", { timeoutMs })));
  await asking.flush();
  assert.equal(answered, 50);
});

test("a service that does not get on takes 64 MiB of requests, refuses the rest at once, and takes them again later", async (t) => {
  const { asking, answering } = await start(t);
  const work = Promise.withResolvers<string>();
  answer(answering, "slow", undefined, () => work.promise);
  await served(answering);
  const payload = new Uint8Array(limits.requestBytes);
  const fitting = requestsInHandMax.bytes / payload.length;
  const taken = Array.from({ length: fitting }, () => request(asking, "slow", payload, { timeoutMs: 60_000 }));
  await eventually(() => requestsInHand(answering).count === fitting);
  await assert.rejects(requestJson(asking, "slow", "one more", { timeoutMs: 60_000 }), { code: "unavailable" });
  work.resolve("{}");
  await Promise.all(taken);
  await eventually(() => requestsInHand(answering).bytes === 0);
  await requestJson(asking, "slow", "one more", { timeoutMs });
});

async function startConfigured(t: TestContext) {
  const dir = await mkdtemp(join(tmpdir(), "parley-nats-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const [file, port] = [join(dir, "nats.conf"), await freePort()];
  const configure = (publish: string, subscribe: string, more = "") =>
    writeFile(
      file,
      `listen: "127.0.0.1:${port}"
       ${more}
       authorization { users: [{ user: a, password: a, permissions: { publish: ${publish}, subscribe: ${subscribe} } }] }`,
    );
  const begin = async () => {
    const server = spawn("nats-server", ["-c", file], { stdio: "ignore" });
    t.after(() => server.kill("SIGKILL"));
    const { log } = recordingLogger();
    const nats = await connectNats({ url: `nats://a:a@127.0.0.1:${port}`, name: "a", log });
    t.after(() => nats.close());
    answer(nats, "echo", undefined, (bytes) => bytes);
    return { server, nats };
  };
  return { configure, begin };
}

test("who was refused replies by the server has them again once the right is given", async (t) => {
  const { configure, begin } = await startConfigured(t);
  await configure('">"', '"echo"');
  const { server, nats } = await begin();
  const ask = () => request(nats, "echo", "x", { timeoutMs });
  await assert.rejects(ask(), unavailable("closed"));
  await configure('">"', '">"');
  server.kill("SIGHUP");
  await eventually(async () => Buffer.from(await ask().catch(() => Buffer.of())).toString() === "x");
});

test("a request on a subject that the server refuses fails at once with refused, and others go on", async (t) => {
  const { configure, begin } = await startConfigured(t);
  await configure('{ allow: ">", deny: "secret.>" }', '">"');
  const { nats } = await begin();
  const refused = assert.rejects(request(nats, "secret.one", "", { timeoutMs: 600_000 }), unavailable("refused"));
  assert.equal(Buffer.from(await request(nats, "echo", "x", { timeoutMs })).toString(), "x");
  await refused;
});

test("a request and an answer that are larger than the server takes fail at once with too_large", async (t) => {
  const { configure, begin } = await startConfigured(t);
  await configure('">"', '">"', "max_payload: 1000");
  const { nats } = await begin();
  answer(nats, "large", undefined, () => "x".repeat(1_001));
  await nats.flush();
  const tooLarge = (error: AppError) => {
    assert.deepEqual([error.code, error.details], ["too_large", { maxBytes: 1_000 }]);
    return true;
  };
  await assert.rejects(request(nats, "echo", "x".repeat(1_001), { timeoutMs: 600_000 }), tooLarge);
  await assert.rejects(requestJson(nats, "large", {}, { timeoutMs: 600_000 }), tooLarge);
});
