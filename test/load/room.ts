// One sender in a room and everybody who receives: on the path, or past it with one PUBLISH a member.
import { deviceTopic, messagesTopic, uplinkTopic } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import type { Mode, Pair, Timing } from "./pairs.ts";
import { idOf, openSession } from "./session.ts";

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
let nextId = 0;

/** Done when acknowledged, and when the last member has its copy. */
export async function openRoom(options: RoomOptions): Promise<Pair & { copies(): number }> {
  const { mode, url, password, uids, room, connections, maxInFlight } = options;
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
  const login = (clientId: string) => ({ url, username: "parley", password, clientId });
  const receivers = await Promise.all(
    sliced(topics, connections).map((own, index) => openSession(login(`bench-room-${index}`), own, take)),
  );
  const from = await openSession(
    login(clientId),
    mode === "raw" ? [] : [deviceTopic(sender, clientId)],
    (payload) => {
      if (payload.includes('"type":"nack"')) throw new Error(`refused: ${payload.toString()}`);
      const id = idOf(payload);
      acknowledged.get(id)?.acknowledged(performance.now());
      acknowledged.delete(id);
    },
    mode === "raw" ? maxInFlight : 1_000,
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

function sliced<T>(all: readonly T[], slices: number): T[][] {
  const size = Math.ceil(all.length / slices);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}
