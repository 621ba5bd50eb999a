// A connection of the load generator: a broker session that acknowledges at once, and the id in what it is handed.
import { type BrokerSession, createLogger, type ReceivedPacket, startBrokerSession } from "@parley/runtime";

export interface SessionLogin {
  url: string;
  username: string;
  password: string;
  clientId: string;
}

const log = createLogger({ service: "bench", level: "error" });
const idKey = Buffer.from('"id":"');

/** Resolves when connected and subscribed at QoS 1. No limit of ours stands in the way unless `maxInFlight` says so. */
export async function openSession(
  login: SessionLogin,
  topics: readonly string[],
  take: (payload: Buffer, properties: ReceivedPacket["properties"]) => void,
  maxInFlight = 65_535,
): Promise<BrokerSession> {
  const session = startBrokerSession({
    ...login,
    cleanStart: true,
    sessionExpirySeconds: 0,
    receiveMaximum: 65_535,
    maxInFlight,
    keepAliveSeconds: 60,
    subscriptions: topics.map((topic) => ({ topic, qos: 1 })),
    log,
    onPacket(packet, ack) {
      ack();
      take(packet.payload, packet.properties);
    },
  });
  await session.whenConnected();
  return session;
}

/** The first `"id"` of a packet, without parsing the rest. */
export function idOf(payload: Buffer): string {
  const start = payload.indexOf(idKey) + idKey.length;
  return payload.toString("latin1", start, payload.indexOf(0x22, start));
}
