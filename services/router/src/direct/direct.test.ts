import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type CopiesAnswer, type CopiesFrame, CopiesReader, writeCopiesAnswer } from "@parley/protocol/direct-copies";
import type { Logger } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { openDirect } from "./direct.ts";

const log = { info() {}, warn() {}, debug() {}, error() {} } as unknown as Logger;

/** A router's end of a real socket; the edge and the broker are played. */
async function played(t: TestContext) {
  const dir = await mkdtemp(join(tmpdir(), "parley-direct-"));
  const path = join(dir, "direct.sock");
  const frames: CopiesFrame[] = [];
  const sockets: Socket[] = [];
  const listen = () =>
    createServer((socket) => {
      sockets.push(socket);
      const reader = new CopiesReader();
      socket.on("data", (chunk) => frames.push(...([...reader.push(chunk)] as CopiesFrame[])));
    }).listen(path);
  let server = listen();
  const direct = openDirect(path, log);
  t.after(async () => {
    direct.close();
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(dir, { recursive: true, force: true });
  });
  await eventually(() => sockets.length === 1);

  /** what the broker got, as `topic payload`; each waits for `take` */
  const published: string[] = [];
  const atBroker: { take(): void; cut(): void }[] = [];
  const publish = (topics: readonly string[], payload: Uint8Array) => {
    published.push(...topics.map((topic) => `${topic} ${Buffer.from(payload)}`));
    return new Promise<undefined>((resolve, reject) =>
      atBroker.push({ take: () => resolve(undefined), cut: () => reject(new Error("the session ended")) }),
    );
  };
  const finished: string[] = [];
  const send = (text: string, ...topics: string[]) =>
    void direct.send(topics, Buffer.from(text), publish).then(
      () => finished.push(text),
      () => finished.push(`${text} again`),
    );
  const answer = (one: CopiesAnswer) => sockets.at(-1)?.write(writeCopiesAnswer(one));
  return {
    send,
    published,
    finished,
    answer,
    broker: () => {
      for (const { take } of atBroker.splice(0)) take();
    },
    cut: () => {
      for (const { cut } of atBroker.splice(0)) cut();
    },
    /** what the edge got, as `payload topic…`, with `*` where it reopens */
    async edgeGot(count: number) {
      await eventually(() => frames.length >= count);
      return frames
        .splice(0)
        .map(({ topics, payload }) =>
          [payload, ...topics.map(({ topic, reopens }) => topic + (reopens ? "*" : ""))].join(" "),
        );
    },
    async restartEdge() {
      server.close();
      for (const socket of sockets.splice(0)) socket.destroy();
      server = listen();
      await eventually(() => sockets.length === 1);
    },
    async quiet() {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return frames.length === 0;
    },
  };
}

test("a copy goes to the edge alone, and is finished when the edge says so", async (t) => {
  const { send, edgeGot, published, finished, answer } = await played(t);
  send("one", "a", "b");
  assert.deepEqual(await edgeGot(1), ["one a* b*"]);
  send("two", "a");
  assert.deepEqual(await edgeGot(1), ["two a"]);
  answer({ kind: "done", id: 2 });
  await eventually(() => finished.length === 1);
  answer({ kind: "done", id: 1 });
  await eventually(() => finished.length === 2);
  assert.deepEqual([finished, published], [["two", "one"], []]);
});

test("what the edge refuses the broker gets, and it is finished when both have done their part", async (t) => {
  const { send, edgeGot, published, finished, answer, broker } = await played(t);
  send("one", "a", "b");
  await edgeGot(1);
  answer({ kind: "refused", id: 1, indexes: [1] });
  answer({ kind: "done", id: 1 });
  await eventually(() => published.length === 1);
  assert.deepEqual([published, finished], [["b one"], []]);
  broker();
  await eventually(() => finished.length === 1);
});

test("what follows a refused copy goes to the broker behind it, and no earlier", async (t) => {
  const { send, edgeGot, published, answer, broker, quiet } = await played(t);
  send("one", "a");
  send("two", "a");
  assert.deepEqual(await edgeGot(2), ["one a*", "two a"]);
  answer({ kind: "refused", id: 1, indexes: [0] });
  await eventually(() => published.length === 1);
  // The edge has the second one, and will refuse it behind the first: so the third goes there, too.
  send("three", "a");
  assert.deepEqual(await edgeGot(1), ["three a"]);
  answer({ kind: "refused", id: 2, indexes: [0] });
  answer({ kind: "refused", id: 3, indexes: [0] });
  await eventually(() => published.length === 3);
  send("four", "a");
  assert.deepEqual(published, ["a one", "a two", "a three", "a four"]);
  assert.equal(await quiet(), true);
  broker();
});

test("a while after a refusal the edge is asked again, once the broker has all that came before", async (t) => {
  const { send, edgeGot, published, answer, broker, quiet } = await played(t);
  send("one", "a");
  await edgeGot(1);
  answer({ kind: "refused", id: 1, indexes: [0] });
  answer({ kind: "done", id: 1 });
  await eventually(() => published.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 600));
  send("two", "a");
  send("three", "a");
  assert.equal(await quiet(), true);
  broker();
  assert.deepEqual(await edgeGot(2), ["two a*", "three a"]);
  assert.deepEqual(published, ["a one"]);
});

test("what waits behind copies that ended with their session goes to the broker: those come again, and it may not be first", async (t) => {
  const { send, edgeGot, published, finished, answer, broker, cut, quiet } = await played(t);
  send("one", "a");
  await edgeGot(1);
  answer({ kind: "refused", id: 1, indexes: [0] });
  answer({ kind: "done", id: 1 });
  await eventually(() => published.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 600));
  send("two", "a");
  cut();
  await eventually(() => finished.length === 1);
  assert.deepEqual([finished, published, await quiet()], [["one again"], ["a one", "a two"], true]);
  broker();
  await eventually(() => finished.length === 2);
  assert.deepEqual(finished, ["one again", "two"]);
});

test("a late copy goes to the broker under the topic that the edge names, and the others of its frame are not repeated", async (t) => {
  const { send, edgeGot, published, finished, answer, broker } = await played(t);
  send("one", "a", "b");
  await edgeGot(1);
  answer({ kind: "late", id: 1, index: 0, topic: "a/phone" });
  await eventually(() => published.length === 1);
  answer({ kind: "done", id: 1 });
  broker();
  await eventually(() => finished.length === 1);
  assert.deepEqual(published, ["a/phone one"]);
  send("two", "a", "b");
  assert.deepEqual(await edgeGot(1), ["two b"]);
  assert.deepEqual(published, ["a/phone one", "a two"]);
});

test("when the edge is gone the broker gets all that was not finished, in its order, and what follows", async (t) => {
  const { send, edgeGot, published, finished, answer, broker, restartEdge } = await played(t);
  send("one", "a", "b");
  send("two", "a");
  send("three", "a");
  await edgeGot(3);
  answer({ kind: "done", id: 2 });
  answer({ kind: "refused", id: 1, indexes: [1] });
  await eventually(() => published.length === 1);
  await restartEdge();
  assert.deepEqual(published, ["b one", "a one", "a three"]);
  broker();
  await eventually(() => finished.length === 3);
  send("four", "a", "b");
  assert.deepEqual(await edgeGot(1), ["four a*"]);
});

test("without an edge all goes to the broker", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "parley-direct-"));
  const direct = openDirect(join(dir, "nobody.sock"), log);
  t.after(() => {
    direct.close();
    return rm(dir, { recursive: true, force: true });
  });
  const published: string[] = [];
  await direct.send(["a"], Buffer.from("one"), async (topics) => void published.push(...topics));
  assert.deepEqual(published, ["a"]);
});

test("a copy for more topics than a frame holds is several frames, and finished when all are", async (t) => {
  const { send, edgeGot, finished, answer } = await played(t);
  send("one", ...Array.from({ length: 2_500 }, (_, index) => `t${index}`));
  assert.deepEqual(
    (await edgeGot(3)).map((frame) => frame.split(" ").length - 1),
    [1_000, 1_000, 500],
  );
  for (const id of [1, 2]) answer({ kind: "done", id });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(finished, []);
  answer({ kind: "done", id: 3 });
  await eventually(() => finished.length === 1);
});
