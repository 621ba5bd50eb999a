// A broker session of a test: what it was handed, what it said, closed when the test ends.
import type { TestContext } from "node:test";
import { pino } from "pino";
import {
  type BrokerSession,
  type BrokerSessionOptions,
  type ReceivedPacket,
  startBrokerSession,
} from "../../src/index.ts";

export type Arrival = { packet: ReceivedPacket; text: string; ack: () => void };

export type OpenSession = {
  session: BrokerSession;
  arrivals: Arrival[];
  texts(): string[];
  /** `state` or `state: reason`, oldest first. */
  states: string[];
  lines: Record<string, unknown>[];
};

type Server = { url: string; username?: string; password?: string };

/** `ack: true` acknowledges every packet as it comes. */
export function openSession(
  t: TestContext,
  server: Server,
  given: Partial<BrokerSessionOptions> & { ack?: boolean } = {},
): OpenSession {
  const { ack: acking = false, ...options } = given;
  const arrivals: Arrival[] = [];
  const states: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const session = startBrokerSession({
    url: server.url,
    username: server.username,
    password: server.password,
    clientId: "session-under-test",
    cleanStart: false,
    sessionExpirySeconds: 3_600,
    receiveMaximum: 1_000,
    keepAliveSeconds: 30,
    subscriptions: [{ topic: "in/#", qos: 1 }],
    log,
    onPacket(packet, ack) {
      arrivals.push({ packet, text: packet.payload.toString(), ack });
      if (acking) ack();
    },
    onState: (state, reason) => states.push(reason === undefined ? state : `${state}: ${reason}`),
    ...options,
  });
  t.after(() => session.close({ graceful: false }));
  return { session, arrivals, texts: () => arrivals.map(({ text }) => text), states, lines };
}

/** The numbers from 1 to `count` as texts. */
export function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${index + 1}`);
}
