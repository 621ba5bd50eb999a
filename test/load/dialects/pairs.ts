// Pairs of devices of one protocol, through the edge, in whatever it speaks.
import { join } from "node:path";
import { type PublishProperties, readSecrets } from "@parley/runtime";
import type { Cluster } from "@parley/testkit";
import { SignJWT } from "jose";
import type { Pair, Timing } from "../pairs.ts";
import { logIn, makeKey, makeUsers, post } from "../people.ts";
import { openSession } from "../session.ts";
import { marked, markOf, marksIn, numberIn } from "./marks.ts";
import { guest, type Side, type Spoken } from "./speeches.ts";

interface Waiting {
  timing: Timing;
  isAcknowledged: boolean;
  isDelivered: boolean;
}

let nextNumber = 1;

export async function makeUsersOf(cluster: Cluster, spoken: Spoken, count: number): Promise<void> {
  if (spoken.isGuests) return;
  const speeches = Array.from({ length: count }, (_, index) => spoken.speech(index));
  const { http } = cluster.run();
  const key = await makeKey(cluster);
  const uids = speeches.flatMap(({ sender, receiver }) => [sender.uid, receiver.uid]);
  await makeUsers(http, key, uids);
  for (const { room: id, sender, receiver } of speeches)
    if (id !== undefined)
      await post(`${http}/rooms`, (await logIn(http, key, sender.uid)).token, {
        id,
        name: id,
        members: [receiver.uid],
      });
}

export function openPairsOf(cluster: Cluster, spoken: Spoken, count: number): Promise<Pair[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => openPair(cluster, spoken, index)));
}

async function openPair(cluster: Cluster, spoken: Spoken, index: number): Promise<Pair> {
  const { sender, receiver, topic, packet } = spoken.speech(index);
  const { by } = spoken.acknowledged;
  const places = marksIn(packet);
  const waiting = new Map<number, Waiting>();
  const acknowledged = (number: number) => {
    const waits = waiting.get(number);
    if (!waits || waits.isAcknowledged) return;
    waits.isAcknowledged = true;
    if (waits.isDelivered) waiting.delete(number);
    waits.timing.acknowledged(performance.now());
  };
  const delivered = (number: number) => {
    const waits = waiting.get(number);
    if (!waits || waits.isDelivered) return;
    waits.isDelivered = true;
    if (waits.isAcknowledged) waiting.delete(number);
    waits.timing.delivered(performance.now());
  };
  const reading = (take: (number: number) => void) => (payload: Buffer) => {
    const number = numberIn(payload);
    if (number !== undefined) take(number);
  };
  const answered: Take = (_, { correlationData }) => reading(acknowledged)(correlationData ?? Buffer.alloc(0));
  const takes = { packet: reading(acknowledged), correlation: answered, puback: () => {} };
  const [from, to] = await Promise.all([
    openSide(cluster, spoken, sender, takes[by]),
    openSide(cluster, spoken, receiver, reading(delivered)),
  ]);
  return {
    send(timing) {
      const number = nextNumber++;
      waiting.set(number, { timing, isAcknowledged: false, isDelivered: false });
      const properties = by === "correlation" ? propertiesOf(number) : undefined;
      const sent = from.publish(topic, marked(packet, places, number), 1, properties);
      if (by === "puback") void sent.then(() => acknowledged(number));
    },
    async close() {
      await Promise.all([from.close({ graceful: true }), to.close({ graceful: true })]);
    },
  };
}

function propertiesOf(number: number): PublishProperties {
  const id = markOf(number);
  return { correlationData: Buffer.from(id), userProperties: [["Id", id]] };
}

type Take = Parameters<typeof openSession>[2];

async function openSide(cluster: Cluster, spoken: Spoken, side: Side, take: Take) {
  const { host, port } = cluster.run().mqtt;
  const { uid, clientId, subscribes } = side;
  const password = spoken.isGuests ? guest : await signToken(cluster, spoken, side);
  return openSession({ url: `mqtt://${host}:${port}`, username: uid, password, clientId }, subscribes, take);
}

function signToken(cluster: Cluster, { dialect }: Spoken, { uid: sub, clientId }: Side): Promise<string> {
  const { signingKey } = readSecrets(join(cluster.dir, "secrets"));
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    sub,
    clientId,
    jti: clientId,
    iat: now,
    exp: now + 86_400,
    ...(dialect === undefined ? {} : { dialect }),
  };
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(signingKey);
}
