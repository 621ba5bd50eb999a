// One person with a stock client: says numbered messages, sends again what nobody acknowledged, and remembers what it heard.
import type { Message, Session } from "@parley/client";
import type { AckPacket, NackPacket } from "@parley/protocol";
import type { StockClient } from "./catalogue.ts";
import { type Driver, startDriver } from "./driver.ts";

export interface Logins {
  session: Session;
  publisher: Session;
}

export interface Chatter {
  uid: string;
  driver: Driver;
  say(to: string): void;
  /** Publishes as it is, at QoS 1, and expects nothing. */
  publish(topic: string, payload: string): void;
  /** The same on its own topic for messages. */
  publishOwn(payload: string): void;
  /** ids that were said, and those of them that were acknowledged */
  said(): number;
  acked: ReadonlyMap<string, number>;
  /** id of a message of others → the seqs it was heard with, and how often in all */
  heard: ReadonlyMap<string, { seqs: Set<number>; times: number }>;
  nacks: readonly NackPacket[];
  /** when it was connected and subscribed, every time (performance.now) */
  ups: readonly number[];
  close(): void;
}

/** What the documents advise: no ack within some seconds, then the same packet again. */
const againMs = 5_000;

export function startChatter(client: StockClient, folder: string, logins: Logins): Chatter {
  const { uid, topics } = logins.session;
  const { msg } = logins.publisher.topics.publish;
  const [messages = "", , device = ""] = topics.subscribe;
  const acked = new Map<string, number>();
  const unacked = new Map<string, { payload: string; at: number }>();
  const heard = new Map<string, { seqs: Set<number>; times: number }>();
  const nacks: NackPacket[] = [];
  const ups: number[] = [];
  let said = 0;

  function take(topic: string, payload: string): void {
    const packet = JSON.parse(payload) as Message | AckPacket | NackPacket;
    if (topic === messages && "from" in packet) takeMessage(packet);
    if (topic !== device || !("type" in packet)) return;
    if (packet.type === "ack") settle((packet as AckPacket).id, (packet as AckPacket).seq);
    if (packet.type === "nack") nacks.push(packet as NackPacket);
  }

  function takeMessage({ from, id, seq }: Message): void {
    if (from === uid) {
      settle(id, seq);
      return;
    }
    const entry = heard.get(id) ?? { seqs: new Set(), times: 0 };
    entry.seqs.add(seq);
    entry.times += 1;
    heard.set(id, entry);
  }

  function settle(id: string, seq: number): void {
    if (unacked.delete(id)) acked.set(id, seq);
  }

  const driver = startDriver(client, folder, logins, { up: () => ups.push(performance.now()), in: take });
  const again = setInterval(() => {
    for (const [id, { payload, at }] of unacked)
      if (driver.isUp() && performance.now() - at > againMs) {
        unacked.set(id, { payload, at: performance.now() });
        driver.publish(msg, payload);
      }
  }, 500);
  return {
    uid,
    driver,
    acked,
    heard,
    nacks,
    ups,
    said: () => said,
    say(to) {
      said += 1;
      const id = `${uid}-${said}`;
      const payload = JSON.stringify({ id, to: `user/${to}`, content: { type: "text", data: `message ${said}` } });
      unacked.set(id, { payload, at: performance.now() });
      driver.publish(msg, payload);
    },
    publish: (topic, payload) => driver.publish(topic, payload),
    publishOwn: (payload) => driver.publish(msg, payload),
    close() {
      clearInterval(again);
      driver.close();
    },
  };
}
