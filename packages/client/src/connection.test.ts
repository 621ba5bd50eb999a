import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { AppError, deviceTopics } from "@parley/protocol";
import { eventually } from "@parley/testkit";
import { Connection } from "./connection.ts";
import type { Sessions } from "./session.ts";
import type { Session } from "./session-store.ts";

type Connack = "accept" | number;

// The few packets of MQTT 5 that a broker needs to be connected to.
function answerTo(bytes: Buffer, connack: Connack): Buffer {
  const type = (bytes[0] ?? 0) >> 4;
  if (type === 1) return Buffer.from([0x20, 3, 0, connack === "accept" ? 0 : connack, 0]);
  if (type === 8) return Buffer.from([0x90, 6, bytes[2] ?? 0, bytes[3] ?? 0, 0, 1, 1, 1]);
  return type === 12 ? Buffer.from([0xd0, 0]) : Buffer.alloc(0);
}

// `next` says how each CONNECT is answered.
async function brokerOf(t: TestContext, next: (attempt: number) => Connack) {
  const sockets: Socket[] = [];
  const heard: string[] = [];
  const state = { answersPings: true };
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    const attempt = sockets.length;
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      const type = (bytes[0] ?? 0) >> 4;
      heard.push(`${attempt}:${type}`);
      if (type === 12 && !state.answersPings) return;
      const refusal = next(attempt);
      socket.write(answerTo(bytes, refusal));
      if (type === 1 && refusal !== "accept") socket.end();
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sockets, heard, state };
}

function connectionOf(t: TestContext, port: number, renew: () => Promise<unknown> = async () => {}) {
  const told: string[] = [];
  const session: Session = {
    uid: "alice",
    token: "t",
    refreshToken: "r",
    expiresAt: Date.now() + 3_600_000,
    clientId: "alice:web",
    mqtt: { host: "127.0.0.1", port, ws: "", username: "alice", password: "t" },
    topics: deviceTopics("5", "alice", "alice:web"),
  };
  const sessions: Sessions = {
    current: () => session,
    fresh: async () => session,
    close() {},
    renew: async () => {
      told.push("renew");
      await renew();
      return session;
    },
  };
  const connection = new Connection({
    sessions,
    transport: "tcp",
    onConnecting: () => told.push("connecting"),
    onSubscribed: () => told.push("online"),
    onLost: () => told.push("lost"),
    onPacket() {},
    onRefused: ({ code }) => told.push(`refused ${code}`),
    onTrouble: ({ code }) => told.push(`trouble ${code}`),
  });
  t.after(() => connection.close());
  return { connection, told };
}

test("a broker that refuses the login for a while is asked again, with a new token once", async (t) => {
  const { port } = await brokerOf(t, (attempt) => (attempt <= 4 ? 0x86 : "accept"));
  const { told } = connectionOf(t, port);
  await eventually(() => told.includes("online"));
  assert.equal(told.filter((word) => word === "renew").length, 1);
  assert.equal(told.filter((word) => word === "trouble forbidden").length, 1);
  assert.ok(!told.some((word) => word.startsWith("refused")));
});

test("a login that has run out ends it; a server that is away, or a page of somebody else's, does not", async (t) => {
  for (const [code, ends] of [
    ["unauthenticated", true],
    ["unavailable", false],
    ["internal", false],
  ] as const) {
    const { port } = await brokerOf(t, (attempt) => (attempt === 1 ? 0x87 : "accept"));
    const { told } = connectionOf(t, port, () => Promise.reject(new AppError(code)));
    await eventually(() => told.includes(ends ? `refused ${code}` : "online"));
  }
});

test("renew on a link that swallows everything connects at once", async (t) => {
  const { port, sockets } = await brokerOf(t, () => "accept");
  const { connection, told } = connectionOf(t, port);
  await eventually(() => told.includes("online"));
  for (const socket of sockets) socket.pause();
  connection.publish("t", { unanswered: true });
  connection.renew();
  await eventually(() => told.filter((word) => word === "online").length === 2);
  assert.deepEqual(told, ["connecting", "online", "lost", "connecting", "online"]);
});

test("a connection that was left says goodbye, and what still comes from it is not heard", async (t) => {
  const { port, heard } = await brokerOf(t, () => "accept");
  const { connection, told } = connectionOf(t, port);
  await eventually(() => told.includes("online"));
  connection.renew();
  await eventually(() => heard.includes("1:14"));
  await eventually(() => told.filter((word) => word === "online").length === 2);
});

test("check leaves a connection alone that answers, and makes a new one of a silent one", async (t) => {
  const { port, heard, state } = await brokerOf(t, () => "accept");
  const { connection, told } = connectionOf(t, port);
  await eventually(() => told.includes("online"));
  connection.check();
  await eventually(() => heard.includes("1:12"));
  state.answersPings = false;
  connection.check();
  await eventually(() => told.filter((word) => word === "online").length === 2);
  assert.equal(heard.filter((word) => word === "1:12").length, 2);
});

test("another program under the same client id is believed the second time", async (t) => {
  const { port, sockets } = await brokerOf(t, () => "accept");
  const { told } = connectionOf(t, port);
  for (const times of [1, 2]) {
    await eventually(() => told.filter((word) => word === "online").length === times);
    sockets[times - 1]?.end(Buffer.from([0xe0, 2, 0x8e, 0]));
  }
  await eventually(() => told.includes("refused conflict"));
});
