// A chat under way: users with two devices each, rooms and pairs, senders, receivers, readers and a troublemaker.
import type { JsonObject } from "@parley/protocol";
import { type Cluster, eventually, type Link } from "@parley/testkit";
import { type Hostile, startHostile } from "../../hostile/hostile.ts";
import { type Blows, noBlows } from "../../hostile/orders.ts";
import { chat } from "../../programs/chat.ts";
import { mqttChat } from "../../programs/mqtt-chat.ts";
import type { Program } from "../../programs/program.ts";
import { slimchat } from "../../programs/slimchat.ts";
import type { Rule } from "../checker/check.ts";
import { receivedLive } from "../checker/copies.ts";
import { noErasing } from "../checker/erasures.ts";
import { endedInTheEnd, noVanishing } from "../checker/lives.ts";
import { logOf } from "../checker/log.ts";
import { programsComplete } from "../checker/programs.ts";
import type { ProgramDevice, ReadMark, Receiver, RunRecord } from "../checker/record.ts";
import { screensComplete } from "../checker/screens.ts";
import type { Random } from "../seeded.ts";
import { startBlocking } from "./blocking.ts";
import { connectDevice, type Device } from "./device.ts";
import { startErasing } from "./erasing.ts";
import { type Passing, startPassing } from "./passing.ts";
import { conversationsOf, makePeople, type People } from "./people.ts";
import { type RunningProgram, startProgram } from "./program.ts";
import { readAll } from "./readers.ts";
import { startReading, takeLive, takeReceipt } from "./receiver.ts";
import { openScreen, type SdkDevice } from "./screen.ts";
import { startSender } from "./sender.ts";
import { startTroublemaker, type Troublemaker } from "./troublemaker.ts";
import { startVanishing } from "./vanishing.ts";

export interface WorkloadOptions {
  /** names the users, so that one cluster can carry several workloads after each other */
  name: string;
  random: Random;
  users?: number;
  /** messages a second, all senders together */
  perSecond?: number;
  /** messages of one sender that may be without an ack */
  window?: number;
  /** every other stock device comes through this link */
  link?: Link | undefined;
  /** without users who are erased and messages that disappear, which take their time to end */
  brief?: boolean;
  /** with a user beside them who floods, poisons, guesses passwords and fills sessions */
  hostile?: boolean | undefined;
  /** the attacks by name; all of them unless said */
  attacks?: readonly string[] | undefined;
}

export interface Workload {
  people: People;
  sent(): number;
  acknowledged(): number;
  /** Was every sender acknowledged for something it sent after that? */
  flowsSince(since: number): boolean;
  /** The longest that a message first sent after `since` waited or waits for its ack, ms. */
  longestWaitSince(since: number): number;
  /** When messages were first sent and when they were acknowledged, ms of performance.now(). */
  answers(): readonly { firstAt: number; at: number }[];
  /** What the hostile user has done; ends its attacks. */
  endHostile(): Promise<Blows>;
  /** The member who comes and goes is removed; then no new messages; resolves when every message is acknowledged, or after `waitMs`. */
  settle(waitMs?: number): Promise<void>;
  /** What was sent and seen. `brokerDied`: the broker forgot sessions, so live delivery has holes. */
  record(options: { brokerDied: boolean } & Pick<RunRecord, "skews">): Promise<RunRecord>;
  close(): Promise<void>;
}

// The SDK compares heads every minute: what a dying broker lost is there after that at the latest.
const liveWaitMs = 80_000;
// What a broker that forgot has never been stored.
const homeWaitMs = 10_000;
const isDesk = ({ clientId }: Device) => clientId.endsWith(":desk");

export async function startWorkload(cluster: Cluster, options: WorkloadOptions): Promise<Workload> {
  const { name, random, users = 5, perSecond = 60, window = 10, link } = options;
  const people = await makePeople(cluster, name, users);
  const passing = await startPassing(cluster, people, name, random.fork("passing"));
  const members = new Map([...conversationsOf(people), [passing.conv, passing.staying]]);
  const addressesOf = (uid: string) => addresses(people, uid, passing);
  const marks = new Map(people.uids.map((uid) => [uid, new Map<string, ReadMark>()]));
  // Nobody speaks before everybody listens.
  const phones = await Promise.all(
    people.uids.map((uid, index) => openReceiver(people, uid, "phone", marks, index, link)),
  );
  const desks = await Promise.all(people.uids.map((uid, index) => openReceiver(people, uid, "desk", marks, index + 1)));
  const programs = await openPrograms(cluster, people, passing, addressesOf, random, link);
  const trouble = await openTroublemaker(people);
  const opened = [...phones, ...desks];
  const receivers = opened.map(({ receiver }) => receiver);
  const devices = [...opened.map(({ device }) => device), trouble.device];
  const senders = opened.map(({ device, takers }) => {
    const forDevice = { device, to: addressesOf(device.uid), random: random.fork(device.clientId) };
    const sender = startSender({ ...forDevice, perSecond: perSecond / opened.length, window, prev: isDesk(device) });
    takers.push(sender.take);
    return sender;
  });
  for (const program of programs) program.speak();
  const readers = desks
    .filter((_, index) => index % 2 === 1)
    .map(({ device, receiver, marks: own }) => startReading(device, receiver, own, random.fork(`read ${device.uid}`)));

  const screens = await openScreens(cluster, people, passing, addressesOf, random);

  const blocking = await startBlocking(cluster, name, random.fork("blocking"));
  const { brief = false } = options;
  const erasing = brief ? undefined : await startErasing(cluster, name, random.fork("erasing"));
  const vanishing = brief ? undefined : await startVanishing(cluster, name, random.fork("vanishing"));
  const beside = [blocking, erasing, vanishing].filter((one) => one !== undefined);
  const hostile = options.hostile ? await openHostile(cluster, people, name, options.attacks) : undefined;
  let ended: Promise<Blows> | undefined;
  const endHostile = () => {
    ended ??= hostile?.end() ?? Promise.resolve(noBlows);
    return ended;
  };

  const acknowledged = () => senders.reduce((sum, { sent, unanswered }) => sum + sent.length - unanswered(), 0);
  return {
    people,
    sent: () => senders.reduce((sum, { sent }) => sum + sent.length, 0),
    acknowledged,
    flowsSince: (since) => senders.every((sender) => sender.acknowledgedSince(since) !== undefined),
    longestWaitSince: (since) => Math.max(...senders.map((sender) => sender.longestWaitSince(since))),
    answers: () => senders.flatMap(({ answers }) => answers()),
    endHostile,
    async settle(waitMs = 60_000) {
      await Promise.all([passing.finish(), blocking.finish(), erasing?.finish()]);
      // What is said now, the removed one must never see.
      await eventually(() => senders.every((sender) => sender.acknowledgedSince(performance.now() - 1_000)), {
        timeoutMs: waitMs,
      }).catch(() => undefined);
      const all = [...senders, ...screens, ...programs, trouble.maker, ...beside];
      for (const one of [...all, ...readers]) one.stopNew();
      const done = () => all.every((one) => one.unanswered() === 0);
      await eventually(done, { timeoutMs: waitMs }).catch(() => undefined);
      const atHome = () => programs.every(({ device }) => isHeardAtHome(device, receivers));
      await eventually(atHome, { timeoutMs: homeWaitMs, intervalMs: 200 }).catch(() => undefined);
      await vanishing?.finish();
    },
    async record({ brokerDied, skews }) {
      const which = { members, passing: new Map([[passing.conv, [passing.uid]]]) };
      const read = await readAll(cluster, people, which, marks);
      const all = [...senders, ...screens];
      const own = { sent: all.flatMap(({ sent }) => sent), acks: all.flatMap(({ acks }) => acks) };
      const seen = {
        bad: trouble.maker.bad(),
        receivers,
        programs: programs.map(({ device }) => device),
        screens: screens.map(({ screen }) => screen),
        readers: read,
      };
      const record: RunRecord = {
        ...which,
        ...own,
        ...seen,
        refusedChanges: passing.refused,
        blocking: await blocking.record(),
        erasing: (await erasing?.record()) ?? noErasing,
        vanishing: (await vanishing?.record()) ?? noVanishing,
        skews,
        liveComplete: !brokerDied,
      };
      // Stored is not yet delivered: the last copies may be on their way.
      const log = logOf(record);
      const nothing = (rule: Rule) => [...rule(record, log)].length === 0;
      await eventually(() => [receivedLive, screensComplete, programsComplete, endedInTheEnd].every(nothing), {
        timeoutMs: liveWaitMs,
        intervalMs: 300,
      }).catch(() => undefined);
      return record;
    },
    async close() {
      await endHostile();
      for (const one of [...senders, ...readers, ...screens, ...programs, trouble.maker, passing, ...beside])
        one.stop();
      await Promise.all([...devices, ...screens, ...programs, ...beside].map((device) => device.close()));
    },
  };
}

async function openHostile(
  cluster: Cluster,
  { uids }: People,
  name: string,
  attacks: readonly string[] | undefined,
): Promise<Hostile> {
  const own = await makePeople(cluster, `${name}evil-`, 1);
  const [uid = ""] = own.uids;
  const login = (device: string) => own.login(uid, device);
  return startHostile({ http: cluster.run().http, login, victim: uids[0] ?? "", attacks });
}

function addresses({ uids, rooms }: People, uid: string, passing: Passing): string[] {
  const others = uids.filter((other) => other !== uid).map((other) => `user/${other}`);
  const own = [...rooms].filter(([, members]) => members.includes(uid)).map(([id]) => `room/${id}`);
  return [...others, ...own, ...(passing.staying.includes(uid) ? [passing.address] : [])];
}

// One that stays, one that is away now and then, and one of the user who is removed and invited again.
function openScreens(
  cluster: Cluster,
  people: People,
  passing: Passing,
  addressesOf: (uid: string) => string[],
  random: Random,
): Promise<SdkDevice[]> {
  const [staying = "", leaving = ""] = people.uids;
  const open = async (uid: string, leaves: boolean) => {
    const session = await people.login(uid, "sdk");
    const options = { session, to: addressesOf(uid), leaves, random: random.fork(`sdk ${uid}`) };
    return openScreen({ url: cluster.run().http, ...options });
  };
  return Promise.all([open(staying, false), open(leaving, true), open(passing.uid, false)]);
}

// A PUBACK says no more than that the broker has it: the user's other devices hear it once it is stored.
function isHeardAtHome({ uid, confirmed }: ProgramDevice, receivers: readonly Receiver[]): boolean {
  const got = receivers.filter((one) => one.uid === uid).flatMap((one) => [...one.got.values()]);
  const ids = new Set(got.flatMap((bySeq) => [...bySeq.values()].flat().map(({ id }) => id)));
  return [...confirmed.keys()].every((id) => ids.has(id));
}

// One of each protocol for those who stay, and one for the user who is removed and invited again.
function openPrograms(
  cluster: Cluster,
  { uids, rooms }: People,
  passing: Passing,
  addressesOf: (uid: string) => string[],
  random: Random,
  link: Link | undefined,
): Promise<RunningProgram[]> {
  const open = (program: Program, uid: string, at: number) => {
    const own = [...rooms].filter(([, members]) => members.includes(uid)).map(([id]) => id);
    const options = { program, uid, version: at % 2 === 0 ? 4 : 5, to: addressesOf(uid) } as const;
    const about = {
      rooms: [...own, passing.address.slice("room/".length)],
      random: random.fork(`${program.name} ${uid}`),
    };
    return startProgram(cluster, { ...options, ...about, link: at % 2 === 0 ? link : undefined });
  };
  const [one = "", two = "", three = ""] = uids;
  const programs: [Program, string][] = [
    [slimchat, one],
    [mqttChat, two],
    [chat, three],
    [slimchat, passing.uid],
  ];
  return Promise.all(programs.map(([program, uid], at) => open(program, uid, at)));
}

// Two devices a user, one of each MQTT version.
async function openReceiver(
  people: People,
  uid: string,
  name: string,
  allMarks: ReadonlyMap<string, Map<string, ReadMark>>,
  index: number,
  link?: Link,
) {
  const login = await people.login(uid, name);
  const session = link ? { ...login, mqtt: { ...login.mqtt, port: link.port } } : login;
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
