// One person's device: speaks, reads, types, syncs, goes away and comes back. Small: the generator shares the machine.
import { AppError, decodeObject, type JsonObject } from "@parley/protocol";
import { type BrokerSession, createLogger, startBrokerSession } from "@parley/runtime";
import type { Friend, Person, Session } from "./people.ts";
import { idOf, numberOf, type Tally } from "./tally.ts";

export interface DeviceParts {
  person: Person;
  tally: Tally;
  logIn(uid: string, by: "password" | "key"): Promise<Session>;
  /** the next message's number, one for all devices */
  nextNumber(): number;
  onAcknowledged(): void;
}

export interface SoakDevice {
  readonly person: Person;
  /** the latest session's token */
  token(): string;
  connected(): boolean;
  unanswered(): number;
  say(friend: Friend, types: boolean): void;
  /** Tells of what it read last: one conversation. */
  read(): void;
  sync(): void;
  /** Sends what is unanswered for long again. */
  again(now: number): void;
  /** Goes, and comes back with a new login. */
  reconnect(by: "password" | "key"): Promise<void>;
  close(): Promise<void>;
}

interface Unanswered {
  conv: string;
  packet: string;
  sentAt: number;
}

const text = "x".repeat(100);
const answerMs = 10_000;
const syncLimit = 100;
const log = createLogger({ service: "soak", level: "error" });

/** Logs in with the password and resolves when it is subscribed. */
export async function openDevice(parts: DeviceParts): Promise<SoakDevice> {
  const { person, tally, logIn } = parts;
  const { counts } = tally;
  const unanswered = new Map<string, Unanswered>();
  /** conv → the last seq that came */
  const heads = new Map<string, number>();
  const unread = new Map<string, number>();
  const requests = new Map<string, number>();
  let session = await logIn(person.uid, "password");
  let connection: BrokerSession | undefined = await connect(session, take);
  let asked = 0;

  function take(packet: JsonObject): void {
    const { type, id, conv, seq } = packet;
    if (type === "ack") settle(String(id), String(conv), Number(seq));
    else if (type === "nack") refuse(String(id), String(packet.code));
    else if ("result" in packet || "error" in packet) answered(String(id), packet);
    else if (typeof seq === "number") receive(String(conv), seq, packet.from);
  }

  function receive(conv: string, seq: number, from: unknown): void {
    counts.received += 1;
    heads.set(conv, Math.max(heads.get(conv) ?? 0, seq));
    if (from !== person.uid) unread.set(conv, seq);
  }

  function settle(id: string, conv: string, seq: number): void {
    if (!unanswered.delete(id)) return;
    counts.acknowledged += 1;
    tally.acknowledged(conv, seq, numberOf(id) ?? 0);
    parts.onAcknowledged();
  }

  function refuse(id: string, code: string): void {
    counts.refused[code] = (counts.refused[code] ?? 0) + 1;
    const waiting = unanswered.get(id);
    if (waiting) waiting.sentAt = performance.now() - answerMs + 500;
  }

  function answered(id: string, packet: JsonObject): void {
    requests.delete(id);
    if (packet.error !== undefined) counts.failedRequests += 1;
    const { conversations = [] } = (packet.result ?? {}) as { conversations?: { conv: string; lastSeq: number }[] };
    for (const { conv, lastSeq } of conversations) heads.set(conv, Math.max(heads.get(conv) ?? 0, lastSeq));
  }

  function publish(verb: "msg" | "receipt" | "typing" | "rpc", packet: string): void {
    // What the connection's end swallows goes again when its time has come.
    void connection
      ?.publish(session.topics.publish[verb], Buffer.from(packet), verb === "typing" ? 0 : 1)
      .catch(() => undefined);
  }

  function sync(): void {
    const now = performance.now();
    for (const [id, at] of requests) {
      if (now - at < answerMs) continue;
      requests.delete(id);
      counts.failedRequests += 1;
    }
    const id = `r${asked++}`;
    requests.set(id, now);
    counts.syncs += 1;
    const params = { cursors: Object.fromEntries(heads), limit: syncLimit };
    publish("rpc", JSON.stringify({ id, method: "sync", params }));
  }

  return {
    person,
    token: () => session.token,
    connected: () => connection?.connected === true,
    unanswered: () => unanswered.size,
    say({ to, conv }, types) {
      if (types) {
        counts.typing += 1;
        publish("typing", JSON.stringify({ conv, state: "composing" }));
      }
      const id = idOf(parts.nextNumber());
      const packet = `{"id":"${id}","to":"${to}","content":{"type":"text","data":"${text}"}}`;
      counts.sent += 1;
      unanswered.set(id, { conv, packet, sentAt: performance.now() });
      publish("msg", packet);
    },
    read() {
      const [conv, seq] = unread.entries().next().value ?? [];
      if (conv === undefined) return;
      unread.delete(conv);
      counts.receipts += 1;
      publish("receipt", JSON.stringify({ conv, delivered: seq, read: seq }));
    },
    sync,
    again(now) {
      for (const waiting of unanswered.values()) {
        if (now - waiting.sentAt < answerMs) continue;
        waiting.sentAt = now;
        counts.again += 1;
        publish("msg", waiting.packet);
      }
    },
    async reconnect(by) {
      const before = connection;
      connection = undefined;
      await before?.close({ graceful: true });
      session = await logIn(person.uid, by);
      counts.logins += 1;
      connection = await connect(session, take);
      counts.reconnects += 1;
      requests.clear();
      sync();
    },
    async close() {
      const last = connection;
      connection = undefined;
      await last?.close({ graceful: true });
    },
  };
}

async function connect(session: Session, take: (packet: JsonObject) => void): Promise<BrokerSession> {
  const { host, port, username, password } = session.mqtt;
  const connection = startBrokerSession({
    url: `mqtt://${host}:${port}`,
    clientId: session.clientId,
    username,
    password,
    cleanStart: true,
    sessionExpirySeconds: 0,
    receiveMaximum: 1_000,
    keepAliveSeconds: 30,
    subscriptions: session.topics.subscribe.map((topic) => ({ topic, qos: 1 as const })),
    log,
    onPacket({ payload }, ack) {
      ack();
      const packet = decodeObject(payload, { bytes: 512 * 1024, depth: 32, nodes: 100_000 });
      if (!(packet instanceof AppError)) take(packet);
    },
  });
  await connection.whenConnected();
  return connection;
}
