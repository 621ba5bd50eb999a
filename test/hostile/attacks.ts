// What the hostile user does, one thing after the other: each is a function that goes on until it is told to stop.
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { p2pConv } from "@parley/protocol";
import type { Blows, Session, Target } from "./orders.ts";
import { openDevice, packetOf, publishOf } from "./raw-device.ts";

export type Attack = (target: Target, blows: Blows, signal: AbortSignal) => Promise<void>;

const tickMs = 50;
const inTicks = (perSecond: number) => Math.ceil((perSecond * tickMs) / 1_000);

/** A text of the session's user to himself. */
function messageOf({ uid, topics }: Session, { id, data }: { id: string; data: string }): Buffer {
  const message = { id, to: `user/${uid}`, content: { type: "text", data } };
  return publishOf(topics.publish.msg, JSON.stringify(message), 1);
}

/** Calls `blow` twenty times a second until the end; whatever it does may fail. */
async function again(signal: AbortSignal, blow: () => unknown): Promise<void> {
  while (!signal.aborted) {
    await blow();
    await sleep(tickMs);
  }
}

/** 40,000 QoS 0 packets a second, as far as they are read. */
const floodStates: Attack = async ({ sessions }, blows, signal) => {
  const device = openDevice(sessions.flood);
  const each = inTicks(40_000);
  const one = publishOf(sessions.flood.topics.publish.state, JSON.stringify({ active: true }), 0);
  const many = Buffer.concat(Array.from({ length: each }, () => one));
  if (await device.letIn)
    await again(signal, () => {
      if (device.socket.writableLength > 0) return;
      device.write(many);
      blows.statePackets += each;
    });
  device.end();
};

/** One SUBSCRIBE of 20,000 filters after the other. */
const floodFilters: Attack = async ({ sessions }, blows, signal) => {
  const device = openDevice(sessions.flood);
  const each = 20_000;
  const subscriptions = Array.from({ length: each }, (_, index) => ({ topic: index.toString(36), qos: 0 as const }));
  const bytes = packetOf({ cmd: "subscribe", messageId: 1, subscriptions });
  if (await device.letIn)
    await again(signal, () => {
      if (device.socket.writableLength > 0) return;
      device.write(bytes);
      blows.filters += each;
    });
  device.end();
};

const poisonConvs = [
  "p2p/alice/bob\u0000",
  "p2p/alice/\ud800",
  `room/${"\u{1f4a5}".repeat(128)}`,
  "p2p/b/a",
  "",
  "room/",
];

/** Ids that cannot be any, in requests, receipts, typing and messages: 200 a second. */
const sendPoison: Attack = async ({ sessions }, blows, signal) => {
  const device = openDevice(sessions.poison);
  const { topics } = sessions.poison;
  const packets = poisonConvs.flatMap((conv) => {
    const message = {
      id: conv || "x".repeat(999),
      to: conv.replace("p2p", "user"),
      content: { type: "text", data: "" },
    };
    return [
      publishOf(topics.publish.rpc, JSON.stringify({ id: conv, method: "history.get", params: { conv } }), 1),
      publishOf(topics.publish.receipt, JSON.stringify({ conv, read: 1 }), 1),
      publishOf(topics.publish.typing, JSON.stringify({ conv, state: "composing" }), 0),
      publishOf(topics.publish.msg, JSON.stringify(message), 1),
    ];
  });
  let next = 0;
  if (await device.letIn)
    await again(signal, () => {
      for (let count = inTicks(200); count > 0; count--) device.write(packets[next++ % packets.length]!);
      blows.poison += inTicks(200);
    });
  device.end();
};

/** 300 KB in one publish, again and again. */
const sendTooLarge: Attack = async ({ sessions }, blows, signal) => {
  const device = openDevice(sessions.large);
  const bytes = publishOf(sessions.large.topics.publish.msg, Buffer.alloc(300_000, "x"), 1);
  if (await device.letIn)
    await again(signal, () => {
      if (device.socket.writableLength > 0) return;
      device.write(bytes);
      blows.tooLarge += 1;
    });
  device.end();
};

/** Guesses at an honest user's password, over MQTT and HTTP: 40 a second. */
const guessPasswords: Attack = async ({ http, sessions, victim }, blows, signal) => {
  await again(signal, async () => {
    const mqtt = { ...sessions.flood.mqtt, username: victim };
    const device = openDevice({ ...sessions.flood, clientId: `${victim}:guess`, mqtt }, { password: "wrong" });
    void device.letIn.then(() => device.end());
    const body = JSON.stringify({ username: victim, password: "wrong", device: "guess" });
    const headers = { "content-type": "application/json" };
    void fetch(`${http}/login`, { method: "POST", headers, body, signal })
      .then((answer) => answer.arrayBuffer())
      .catch(() => {});
    blows.wrongPasswords += 2;
  });
};

/** A persistent session is left behind, and another device of the user sends it 60 KB twenty times a second. */
const fillSession: Attack = async ({ sessions }, blows, signal) => {
  const away = openDevice(sessions.away, { clean: false });
  const topic = sessions.away.topics.subscribe[0]!;
  const isIn = await away.letIn;
  if (isIn) away.write(packetOf({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic, qos: 1 }] }));
  await sleep(200);
  away.end();
  blows.sessionsLeft += isIn ? 1 : 0;
  const loud = openDevice(sessions.loud);
  const content = { type: "text", data: "x".repeat(60_000) };
  let count = 0;
  if (await loud.letIn)
    await again(signal, () => {
      if (loud.socket.writableLength > 0) return;
      const message = { id: `heavy-${Date.now()}-${count}`, to: `user/${sessions.loud.uid}`, content };
      loud.write(publishOf(sessions.loud.topics.publish.msg, JSON.stringify(message), 1, 1 + (count++ % 60_000)));
      blows.heavyMessages += 1;
    });
  loud.end();
};

/** A conversation of 500 messages, all of which are asked for 400 times a second. */
const askPages: Attack = async ({ sessions }, blows, signal) => {
  const device = openDevice(sessions.flood);
  const { topics, uid } = sessions.flood;
  const request = { id: "page", method: "history.get", params: { conv: p2pConv(uid, uid), limit: 500 } };
  const bytes = publishOf(topics.publish.rpc, JSON.stringify(request), 1);
  if (await device.letIn) {
    for (let count = 0; count < 500; count++)
      device.write(messageOf(sessions.flood, { id: `page-${count}`, data: "x".repeat(200) }));
    await again(signal, () => {
      if (device.socket.writableLength > 0) return;
      for (let count = inTicks(400); count > 0; count--) device.write(bytes);
      blows.pages += inTicks(400);
    });
  }
  device.end();
};

/** Messages of 30 KB, as fast as they are read. */
const sendLarge: Attack = async ({ sessions }, blows, signal) => {
  const device = openDevice(sessions.large);
  const data = "x".repeat(30_000);
  if (await device.letIn)
    await again(signal, () => {
      while (device.socket.writableLength === 0 && !signal.aborted)
        device.write(messageOf(sessions.large, { id: `large-${Date.now()}-${blows.largeMessages++}`, data }));
    });
  device.end();
};

/** A thousand sockets that say nothing. */
const keepSilent: Attack = async ({ sessions }, blows, signal) => {
  const { host, port } = sessions.flood.mqtt;
  const sockets = new Set<Socket>();
  await again(signal, () => {
    for (const socket of sockets) if (socket.destroyed) sockets.delete(socket);
    for (let count = 0; count < 100 && sockets.size < 1_000; count++) {
      const socket = connect({ host, port });
      sockets.add(socket.on("error", () => socket.destroy()));
      blows.silentSockets += 1;
    }
  });
  for (const socket of sockets) socket.destroy();
};

export const attacks: Readonly<Record<string, Attack>> = {
  "floods of state packets": floodStates,
  "floods of filters": floodFilters,
  poison: sendPoison,
  "publishes that are too large": sendTooLarge,
  "wrong passwords": guessPasswords,
  "sessions filled while away": fillSession,
  "requests for pages": askPages,
  "large messages": sendLarge,
  "silent sockets": keepSilent,
};

const inBulk = new Set(["requests for pages", "large messages"]);

/** Those that a test server bears which holds all in a small memory and scans it for each read (mongo-java-server). */
export const attacksWithoutBulk = Object.keys(attacks).filter((name) => !inBulk.has(name));
