// A chat under way: users with two devices each, rooms and pairs, senders, receivers, readers and a troublemaker.
import type { JsonObject } from "@parley/protocol";
import { type Cluster, eventually } from "@parley/testkit";
import { receivedLive } from "../checker/copies.ts";
import { logOf } from "../checker/log.ts";
import type { ReadMark, Receiver, RunRecord } from "../checker/record.ts";
import type { Random } from "../seeded.ts";
import { connectDevice, type Device } from "./device.ts";
import { conversationsOf, makePeople, type People } from "./people.ts";
import { readAll } from "./readers.ts";
import { startReading, takeLive, takeReceipt } from "./receiver.ts";
import { startSender } from "./sender.ts";
import { startTroublemaker, type Troublemaker } from "./troublemaker.ts";

export interface WorkloadOptions {
  /** names the users, so that one cluster can carry several workloads after each other */
  name: string;
  random: Random;
  users?: number;
  /** messages a second, all senders together */
  perSecond?: number;
  /** messages of one sender that may be without an ack */
  window?: number;
}

export interface Workload {
  people: People;
  sent(): number;
  acknowledged(): number;
  /** ms from `since` until every sender was acknowledged for something it sent after that; undefined: not yet. */
  recoveredAfter(since: number): number | undefined;
  /** No new messages; resolves when every message is acknowledged, or after `waitMs`. */
  settle(waitMs?: number): Promise<void>;
  /** What was sent and seen. `brokerDied`: the broker forgot sessions, so live delivery has holes. */
  record(options: { brokerDied: boolean }): Promise<RunRecord>;
  close(): Promise<void>;
}

const liveWaitMs = 20_000;
const isDesk = ({ clientId }: Device) => clientId.endsWith(":desk");

export async function startWorkload(cluster: Cluster, options: WorkloadOptions): Promise<Workload> {
  const { name, random, users = 5, perSecond = 60, window = 10 } = options;
  const people = await makePeople(cluster, name, users);
  const members = conversationsOf(people);
  const marks = new Map(people.uids.map((uid) => [uid, new Map<string, ReadMark>()]));
  // Nobody speaks before everybody listens.
  const phones = await Promise.all(people.uids.map((uid, index) => openReceiver(people, uid, "phone", marks, index)));
  const desks = await Promise.all(people.uids.map((uid, index) => openReceiver(people, uid, "desk", marks, index + 1)));
  const trouble = await openTroublemaker(people);
  const opened = [...phones, ...desks];
  const receivers = opened.map(({ receiver }) => receiver);
  const devices = [...opened.map(({ device }) => device), trouble.device];
  const senders = opened.map(({ device, takers }) => {
    const forDevice = { device, to: addressesOf(people, device.uid), random: random.fork(device.clientId) };
    const sender = startSender({ ...forDevice, perSecond: perSecond / opened.length, window, prev: isDesk(device) });
    takers.push(sender.take);
    return sender;
  });
  const readers = desks
    .filter((_, index) => index % 2 === 1)
    .map(({ device, receiver, marks: own }) => startReading(device, receiver, own, random.fork(`read ${device.uid}`)));

  const acknowledged = () => senders.reduce((sum, { sent, unanswered }) => sum + sent.length - unanswered(), 0);
  return {
    people,
    sent: () => senders.reduce((sum, { sent }) => sum + sent.length, 0),
    acknowledged,
    recoveredAfter(since) {
      const moments = senders.map((sender) => sender.acknowledgedSince(since));
      return moments.includes(undefined) ? undefined : Math.max(...(moments as number[])) - since;
    },
    async settle(waitMs = 60_000) {
      for (const one of [...senders, ...readers, trouble.maker]) one.stopNew();
      const done = () => [...senders, trouble.maker].every((one) => one.unanswered() === 0);
      await eventually(done, { timeoutMs: waitMs }).catch(() => undefined);
    },
    async record({ brokerDied }) {
      const read = await readAll(cluster, people, members, marks);
      const own = { sent: senders.flatMap(({ sent }) => sent), acks: senders.flatMap(({ acks }) => acks) };
      const seen = { members, bad: trouble.maker.bad(), receivers, readers: read, liveComplete: !brokerDied };
      const record = { ...own, ...seen };
      // Stored is not yet delivered: the last copies may be on their way.
      const missing = () => [...receivedLive(record, logOf(record))].length === 0;
      await eventually(missing, { timeoutMs: liveWaitMs, intervalMs: 200 }).catch(() => undefined);
      return record;
    },
    async close() {
      for (const one of [...senders, ...readers, trouble.maker]) one.stop();
      await Promise.all(devices.map((device) => device.close()));
    },
  };
}

function addressesOf({ uids, rooms }: People, uid: string): string[] {
  const others = uids.filter((other) => other !== uid).map((other) => `user/${other}`);
  return [...others, ...[...rooms].filter(([, members]) => members.includes(uid)).map(([id]) => `room/${id}`)];
}

// Two devices a user, one of each MQTT version.
async function openReceiver(
  people: People,
  uid: string,
  name: string,
  allMarks: ReadonlyMap<string, Map<string, ReadMark>>,
  index: number,
) {
  const session = await people.login(uid, name);
  const marks = allMarks.get(uid) ?? new Map<string, ReadMark>();
  const receiver: Receiver = { uid, device: session.clientId, got: new Map() };
  const takers = [
    (packet: JsonObject) => takeLive(receiver, packet),
    (packet: JsonObject) => takeReceipt(uid, marks, packet),
  ];
  const device = await connectDevice({
    session,
    version: index % 2 === 0 ? 4 : 5,
    onPacket(packet) {
      for (const take of takers) take(packet);
    },
  });
  return { device, receiver, marks, takers };
}

async function openTroublemaker(people: People): Promise<{ device: Device; maker: Troublemaker }> {
  const uid = people.uids.at(-1) ?? "";
  const room = [...people.rooms].find(([, members]) => !members.includes(uid))?.[0] ?? "";
  let maker: Troublemaker | undefined;
  const device = await connectDevice({
    session: await people.login(uid, "trouble"),
    version: 5,
    onPacket: (packet) => maker?.take(packet),
  });
  maker = startTroublemaker(device, room);
  return { device, maker };
}
