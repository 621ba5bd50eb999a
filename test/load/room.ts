// One sender in a room and everybody who receives: on the path, or past it with one PUBLISH a member.
import { deviceTopic, messagesTopic, uplinkTopic } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { type BrokerSession, createLogger, startBrokerSession } from "@parley/runtime";
import type { Mode, Pair, Timing } from "./pairs.ts";

export interface RoomOptions {
  mode: Mode;
  /** the broker's own port and the services' login */
  url: string;
  password: string;
  room: string;
  /** every member; the first one sends */
  uids: readonly string[];
  /** connections that share the members' subscriptions */
  connections: number;
  /** publishes without PUBACK on the sending connection: the router's own setting */
  maxInFlight: number;
}

interface Waiting {
  timing: Timing;
  copies: number;
}

const text = "x".repeat(100);
const idKey = Buffer.from('"id":"');
const log = createLogger({ service: "bench", level: "error" });
let nextId = 0;

/** Done when acknowledged, and when the last member has its copy. */
export async function openRoom(options: RoomOptions): Promise<Pair & { copies(): number }> {
  const { mode, uids, room, connections, maxInFlight } = options;
  const waiting = new Map<string, Waiting>();
  const topics = uids.map(messagesTopic);
  let copies = 0;
  const take = (payload: Buffer) => {
    copies += 1;
    const id = idOf(payload);
    const message = waiting.get(id);
    if (!message || --message.copies > 0) return;
    waiting.delete(id);
    message.timing.delivered(performance.now());
  };
  const sender = uids[0] as string;
  const clientId = `${sender}:bench`;
  const acknowledged = new Map<string, Timing>();
  const receivers = await Promise.all(
    sliced(topics, connections).map((own, index) => open(options, `bench-room-${index}`, own, take)),
  );
  const from = await open(
    { ...options, maxInFlight: mode === "raw" ? maxInFlight : 1_000 },
    clientId,
    mode === "raw" ? [] : [deviceTopic(sender, clientId)],
    (payload) => {
      if (payload.includes('"type":"nack"')) throw new Error(`refused: ${payload.toString()}`);
      const id = idOf(payload);
      acknowledged.get(id)?.acknowledged(performance.now());
      acknowledged.delete(id);
    },
  );
  const uplink = uplinkTopic({ p: ingestPartition(clientId), uid: sender, clientId, verb: "msg" });
  return {
    copies: () => copies,
    send(timing) {
      const id = `${process.pid.toString(36)}-${(nextId++).toString(36)}`;
      waiting.set(id, { timing, copies: uids.length });
      const packet = Buffer.from(`{"id":"${id}","to":"room/${room}","content":{"type":"text","data":"${text}"}}`);
      if (mode === "raw") {
        void from.publishMany(topics, packet, 1).then(() => timing.acknowledged(performance.now()));
        return;
      }
      acknowledged.set(id, timing);
      void from.publish(uplink, packet, 1);
    },
    async close() {
      await Promise.all([from, ...receivers].map((session) => session.close({ graceful: true })));
    },
  };
}

async function open(
  { url, password, maxInFlight }: RoomOptions,
  clientId: string,
  topics: readonly string[],
  take: (payload: Buffer) => void,
): Promise<BrokerSession> {
  const session = startBrokerSession({
    url,
    clientId,
    username: "parley",
    password,
    cleanStart: true,
    sessionExpirySeconds: 0,
    receiveMaximum: 65_535,
    maxInFlight,
    keepAliveSeconds: 60,
    subscriptions: topics.map((topic) => ({ topic, qos: 1 })),
    log,
    onPacket(packet, ack) {
      ack();
      take(packet.payload);
    },
  });
  await session.whenConnected();
  return session;
}

function sliced<T>(all: readonly T[], slices: number): T[][] {
  const size = Math.ceil(all.length / slices);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

function idOf(payload: Buffer): string {
  const start = payload.indexOf(idKey) + idKey.length;
  return payload.toString("latin1", start, payload.indexOf(0x22, start));
}
