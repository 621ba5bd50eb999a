// One user and its contacts, of whom some have a device that listens for presence.
import { ephemeralTopic, type PresenceNotice, rosterAdd, uplinkTopic } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { callMethod, connectNats, createLogger } from "@parley/runtime";
import type { Cluster } from "@parley/testkit";
import { logIn, makeKey, makeUsers } from "./people.ts";
import { openSession } from "./session.ts";

export interface Contacts {
  /** The user changes what it shows. Resolves with the notices that came when every connected contact was told. */
  change(): Promise<number>;
  /** The same notices, from one connection at the broker. */
  changeRaw(): Promise<number>;
  close(): Promise<void>;
}

const user = "presence-user";
const shows = ["dnd", "away"] as const;
const together = 16;
const timeoutMs = 30_000;

export async function openContacts(
  cluster: Cluster,
  { count, connected }: { count: number; connected: number },
): Promise<Contacts> {
  const uids = Array.from({ length: count }, (_, index) => `presence-${index}`);
  const key = await makeKey(cluster);
  await makeUsers(cluster.run().http, key, [user, ...uids]);
  await befriend(cluster, uids);
  const present = uids.slice(0, connected);
  const { take, expect } = openExpecting(connected);
  const listeners = await inSlices(present, (uid) => openDevice(cluster, key, uid, [ephemeralTopic(uid)], take));
  const session = await openDevice(cluster, key, user, [], () => undefined);
  const login = { url: cluster.wiring.urls.broker, username: "parley", password: cluster.servicesSecret };
  const raw = await openSession({ ...login, clientId: "bench-presence" }, [], () => undefined);
  const clientId = `${user}:bench`;
  const topic = uplinkTopic({ p: ingestPartition(clientId), uid: user, clientId, verb: "state" });
  const topics = present.map(ephemeralTopic);
  let turn = 0;
  const next = () => shows[turn++ % shows.length] as (typeof shows)[number];
  return {
    async change() {
      const show = next();
      const told = expect(show);
      await session.publish(topic, Buffer.from(JSON.stringify({ show })), 1);
      return told;
    },
    async changeRaw() {
      const show = next();
      const told = expect(show);
      const notice: PresenceNotice = { type: "presence", uid: user, show, status: "", lastSeen: null };
      await raw.publishMany(topics, Buffer.from(JSON.stringify(notice)), 0);
      return told;
    },
    async close() {
      await Promise.all([session, raw, ...listeners].map((one) => one.close({ graceful: true })));
    },
  };
}

// Of a notice that is lost nobody hears again: a run that waits for one ends with an error.
function openExpecting(connected: number) {
  let expected: string | undefined;
  let notices = 0;
  let told = Promise.withResolvers<number>();
  return {
    take(payload: Buffer) {
      const { uid, show } = JSON.parse(payload.toString()) as PresenceNotice;
      if (uid !== user || show !== expected) return;
      notices += 1;
      if (notices === connected) told.resolve(notices);
    },
    expect(show: string): Promise<number> {
      expected = show;
      notices = 0;
      told = Promise.withResolvers<number>();
      const { promise, reject } = told;
      const late = setTimeout(() => reject(new Error(`${notices} of ${connected} contacts were told`)), timeoutMs);
      return promise.finally(() => clearTimeout(late));
    },
  };
}

async function befriend(cluster: Cluster, uids: readonly string[]): Promise<void> {
  const log = createLogger({ service: "bench", level: "error" });
  const nats = await connectNats({ url: cluster.wiring.urls.nats, name: "bench", log });
  const add = (uid: string, id: string) => callMethod(nats, rosterAdd, { uid, via: "mqtt" }, { id }, { timeoutMs });
  await inSlices(uids, (uid) => Promise.all([add(user, uid), add(uid, user)]));
  await nats.close();
}

async function openDevice(
  cluster: Cluster,
  key: string,
  uid: string,
  topics: readonly string[],
  take: (payload: Buffer) => void,
) {
  const { http, mqtt } = cluster.run();
  const { token } = await logIn(http, key, uid);
  const url = `mqtt://${mqtt.host}:${mqtt.port}`;
  return openSession({ url, clientId: `${uid}:bench`, username: uid, password: token }, topics, take);
}

async function inSlices<T>(uids: readonly string[], work: (uid: string) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  for (let from = 0; from < uids.length; from += together)
    done.push(...(await Promise.all(uids.slice(from, from + together).map(work))));
  return done;
}
