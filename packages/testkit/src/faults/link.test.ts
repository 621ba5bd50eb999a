import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { eventually } from "../processes/eventually.ts";
import type { TestContext } from "../testing/start-servers.ts";
import { type Link, startLink } from "./link.ts";

/** A server that answers each piece it hears with the same in capitals, and what it has heard. */
async function startCapitals(t: TestContext) {
  const heard: string[] = [];
  const server = createServer((socket) => {
    t.after(() => socket.destroy());
    socket.setEncoding("utf8").on("error", () => {});
    socket.on("data", (text: string) => {
      heard.push(text);
      socket.write(text.toUpperCase());
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, heard: () => heard.join("") };
}

async function open(t: TestContext, link: Link) {
  const socket = connect({ port: link.port, host: "127.0.0.1" });
  const answers: string[] = [];
  let end: string | undefined;
  socket.setEncoding("utf8").on("data", (text: string) => void answers.push(text));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    end = error.code;
  });
  socket.on("end", () => {
    end ??= "end";
  });
  t.after(() => socket.destroy());
  await eventually(() => !socket.connecting);
  return { socket, answer: () => answers.join(""), end: () => end };
}

async function startAll(t: TestContext) {
  const capitals = await startCapitals(t);
  const link = await startLink(capitals.port);
  t.after(() => link.close());
  return { capitals, link };
}

const ask = (socket: Socket, text: string) => void socket.write(text);

test("a link that passes forwards both ways, and an end", async (t) => {
  const { link } = await startAll(t);
  const one = await open(t, link);
  ask(one.socket, "hello");
  await eventually(() => one.answer() === "HELLO");
  one.socket.end();
  await eventually(() => one.end() === "end");
  await eventually(() => link.connections() === 0);
});

test("a cut link resets what is open and everything new, until it passes again", async (t) => {
  const { link } = await startAll(t);
  const one = await open(t, link);
  ask(one.socket, "hello");
  await eventually(() => one.answer() === "HELLO");
  link.cut();
  await eventually(() => one.end() === "ECONNRESET");
  const late = await open(t, link);
  await eventually(() => late.end() === "ECONNRESET");
  link.pass();
  const next = await open(t, link);
  ask(next.socket, "again");
  await eventually(() => next.answer() === "AGAIN");
});

test("a half-open link takes everything and closes nothing; what was sent meanwhile goes on when it passes", async (t) => {
  const { link, capitals } = await startAll(t);
  const before = await open(t, link);
  link.halfOpen();
  const later = await open(t, link);
  ask(before.socket, "one");
  ask(later.socket, "two");
  before.socket.end();
  const probe = await startLink(capitals.port);
  t.after(() => probe.close());
  const through = await open(t, probe);
  ask(through.socket, "three");
  await eventually(() => through.answer() === "THREE");
  assert.deepEqual([before.answer(), before.end(), later.answer(), later.end()], ["", undefined, "", undefined]);
  assert.equal(capitals.heard(), "three");
  link.pass();
  await eventually(() => before.answer() === "ONE" && before.end() === "end" && later.answer() === "TWO");
});

test("a delayed direction is late by that much and stays in order; the other one is not", async (t) => {
  const { link, capitals } = await startAll(t);
  const one = await open(t, link);
  link.delay(300, "answers");
  const startedAt = performance.now();
  for (const text of ["a", "b", "c"]) ask(one.socket, text);
  await eventually(() => capitals.heard() === "abc");
  assert.equal(one.answer(), "");
  await eventually(() => one.answer() === "ABC");
  assert.ok(performance.now() - startedAt >= 290);
});

test("a dripping link gives a few bytes at a time, and the rest when it passes", async (t) => {
  const { link, capitals } = await startAll(t);
  const one = await open(t, link);
  link.drip(40, "requests");
  ask(one.socket, "x".repeat(1_000));
  await eventually(() => capitals.heard().length >= 4);
  assert.ok(capitals.heard().length < 500);
  link.pass();
  await eventually(() => one.answer() === "X".repeat(1_000));
});

test("lost answers: the request is done and nothing comes; no connection goes on behind the hole", async (t) => {
  const { link, capitals } = await startAll(t);
  const one = await open(t, link);
  link.dropAnswers();
  ask(one.socket, "lost");
  await eventually(() => capitals.heard() === "lost");
  assert.deepEqual([one.answer(), one.end()], ["", undefined]);
  link.pass();
  await eventually(() => one.end() === "ECONNRESET");
  assert.equal(one.answer(), "");
});

test("a link to a server that is not there resets who comes, and works when it is there", async (t) => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as AddressInfo;
  holder.close();
  const link = await startLink(port);
  t.after(() => link.close());
  const early = await open(t, link);
  await eventually(() => early.end() === "ECONNRESET");
  const server = createServer((socket) => void socket.on("error", () => {}).end("hi")).listen(port, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const late = await open(t, link);
  await eventually(() => late.answer() === "hi" && late.end() === "end");
});

test("a receiver that does not read holds up the sender instead of filling the link", async (t) => {
  const server = createServer((socket) => void socket.pause().on("error", () => {})).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const link = await startLink((server.address() as AddressInfo).port);
  t.after(() => link.close());
  const one = await open(t, link);
  let flushed = 0;
  const piece = Buffer.alloc(1_048_576);
  const taken = () => {
    flushed += piece.length;
  };
  for (let count = 0; count < 64; count += 1) one.socket.write(piece, taken);
  let last = -1;
  await eventually(
    () => {
      const stands = flushed === last;
      last = flushed;
      return stands;
    },
    { intervalMs: 200 },
  );
  assert.ok(flushed < 40 * 1_048_576, `${flushed} bytes were taken`);
});
