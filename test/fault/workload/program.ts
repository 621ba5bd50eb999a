// A device with a program of another protocol: says texts until its protocol has confirmed them, hears, and its network breaks now and then.
import { callHttp } from "@parley/client";
import { type Address, convOf, login, parseAddress } from "@parley/protocol";
import type { Cluster, Link } from "@parley/testkit";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import type { Place, Program } from "../../programs/program.ts";
import type { ProgramDevice, Sent, Utterance } from "../checker/record.ts";
import type { Random } from "../seeded.ts";
import { password, patiently } from "./people.ts";

export interface RunningProgram {
  device: ProgramDevice;
  /** From now on it says something. */
  speak(): void;
  /** Messages without what the protocol has for an ack. */
  unanswered(): number;
  stopNew(): void;
  stop(): void;
  close(): Promise<void>;
}

export interface ProgramOptions {
  program: Program;
  uid: string;
  version: 4 | 5;
  /** addresses that it writes to */
  to: readonly string[];
  /** rooms that it is in, now or then */
  rooms: readonly string[];
  random: Random;
  link?: Link | undefined;
}

const sayEveryMs = 400;
const ackWaitMs = 3_000;
const nackWaitMs = 400;
const mostWaiting = 5;
const reconnectMs = 300;
const stayMs = 6_000;
const awayMs = 4_000;

interface Waiting {
  sent: Sent;
  to: Place;
  againAt: number;
}

export async function startProgram(cluster: Cluster, options: ProgramOptions): Promise<RunningProgram> {
  const { program, uid, to, random } = options;
  const { client, clientId } = await connect(cluster, options);
  const [sent, heard]: [Sent[], Utterance[]] = [[], []];
  const [texts, confirmed] = [new Map<string, string>(), new Map<string, number | undefined>()];
  const waiting = new Map<string, Waiting>();
  const orders = new Map<string, number>();
  const { echoes, name } = program;
  const hasAcks = name !== "mqtt-chat";
  let isActive = false;

  function compose(now: number): void {
    const address = random.pick(to);
    const conv = convOf(uid, parseAddress(address) as Address);
    const id = `${name}-${uid}-${sent.length}`;
    const order = orders.get(conv) ?? 0;
    orders.set(conv, order + 1);
    const line = { conv, from: uid, device: clientId, id, order, prev: undefined, firstAt: now };
    const one: Sent = { ...line, type: "text", body: undefined, tries: 0, nacks: [] };
    sent.push(one);
    texts.set(id, `${sent.length} by a program of ${name}`);
    waiting.set(id, { sent: one, to: placeOf(address), againAt: now });
  }

  function publish(one: Waiting, now: number): void {
    const { id, from } = one.sent;
    one.sent.tries += 1;
    // A program without acks says it once: its library does the rest.
    one.againAt = hasAcks ? now + ackWaitMs : Number.POSITIVE_INFINITY;
    const { topic, payload } = program.write({ id, from, to: one.to, text: texts.get(id) ?? "" });
    client.publish(topic, payload, { qos: 1 }, (error) => {
      // The library gives up what it had not sent when the connection broke.
      if (error) one.againAt = Math.min(one.againAt, performance.now() + nackWaitMs);
      else if (!hasAcks) confirm(id, undefined);
    });
  }

  function confirm(id: string, seq: number | undefined): void {
    if (waiting.delete(id)) confirmed.set(id, seq);
  }

  // A refusal behind the PUBACK: it is said again.
  function refuse(id: string, words: string): void {
    const one = sent.find((each) => each.id === id);
    if (!one || (hasAcks && !waiting.has(id))) return;
    one.nacks.push(words);
    confirmed.delete(id);
    const [, kind = "", name = ""] = /^(room)\/(.*)$/.exec(one.conv) ?? [];
    const back = kind === "room" ? { room: name } : { user: otherOf(one.conv, uid) };
    waiting.set(id, { sent: one, to: back, againAt: performance.now() + nackWaitMs });
  }

  function tick(): void {
    const now = performance.now();
    if (!client.connected) return;
    for (const one of waiting.values()) if (one.againAt <= now) publish(one, now);
  }

  client.on("message", (topic, payload) => {
    for (const told of program.read(uid, topic, payload)) {
      if (told.kind === "ack") confirm(told.id, told.seq);
      else if (told.kind === "refusal") refuse(told.id ?? "", told.words);
      else heard.push({ conv: told.conv, from: told.from, id: told.id, seq: told.seq, text: told.text });
    }
  });
  const saying = setInterval(() => {
    if (isActive && client.connected && waiting.size < mostWaiting) compose(performance.now());
  }, sayEveryMs);
  const ticking = setInterval(tick, 20);
  const leaving = setInterval(() => isActive && breakOff(client, random), stayMs + random.below(stayMs));
  return {
    device: { uid, device: clientId, program: name, echoes, sent, texts, confirmed, heard },
    speak() {
      isActive = true;
    },
    unanswered: () => waiting.size,
    stopNew() {
      isActive = false;
    },
    stop: () => [saying, ticking, leaving].forEach(clearInterval),
    close: () => client.endAsync(true),
  };
}

/** Resolves when it is there and has subscribed what its program subscribes. */
async function connect(cluster: Cluster, { program, uid, version, rooms, link }: ProgramOptions) {
  const { http, mqtt: broker } = cluster.run();
  const asked = { username: uid, password, ...program.login(uid, "program") };
  const { token, clientId } = await patiently(() => callHttp(http, login, asked));
  const client = mqtt.connect(`mqtt://${broker.host}:${link?.port ?? broker.port}`, {
    ...({ reconnectOnConnackError: true } satisfies Partial<IClientOptions>),
    protocolVersion: version,
    ...(version === 5 ? { properties: { sessionExpiryInterval: 3_600 } } : {}),
    username: uid,
    password: token,
    clientId,
    clean: false,
    keepalive: 5,
    connectTimeout: 5_000,
    reconnectPeriod: reconnectMs,
    resubscribe: false,
  });
  const filters = program.filters(uid, rooms);
  const there = Promise.withResolvers<void>();
  client.on("connect", () => {
    client.options.reconnectPeriod = reconnectMs;
    if (filters.length === 0) return there.resolve();
    client.subscribe(filters, { qos: 1 }, (error) => {
      if (!error) there.resolve();
    });
  });
  // Refused or cut: it comes again by itself.
  client.on("error", () => {});
  await there.promise;
  return { client, clientId };
}

/** Its network is gone, and back a while later. */
function breakOff(client: MqttClient, random: Random): void {
  client.options.reconnectPeriod = 1_000 + random.below(awayMs);
  client.stream.destroy();
}

function placeOf(address: string): Place {
  const [kind, name = ""] = address.split("/");
  return kind === "room" ? { room: name } : { user: name };
}

function otherOf(conv: string, uid: string): string {
  const [, one = "", other = ""] = conv.split("/");
  return one === uid ? other : one;
}
