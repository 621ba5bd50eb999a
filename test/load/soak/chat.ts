// The traffic of a soak: a mix as real people make it, at a fixed rate or as fast as it goes.
import type { Cluster } from "@parley/testkit";
import { openDevice, type SoakDevice } from "./device.ts";
import { makeTown } from "./people.ts";
import { type Comparison, type Counts, openTally } from "./tally.ts";

export interface Chat {
  counts: Counts;
  /** messages whose turn came while too many were unanswered: the cluster did not keep up */
  skipped(): number;
  /** Acknowledged messages a second, as fast as they go, over `seconds`. */
  calibrate(seconds: number): Promise<number>;
  /** Sends `rate` messages a second from now on. */
  run(rate: number): void;
  /** No new messages; resolves when all are answered, or after `waitMs`. */
  settle(waitMs: number): Promise<void>;
  compare(): Promise<Comparison>;
  close(): Promise<void>;
}

const tickMs = 5;
/** of messages: to a room, with typing before it */
const share = { rooms: 0.3, typing: 0.1 };
/** a device reads, syncs, and one of all reconnects, this often */
const every = { readMs: 500, syncMs: 60_000, reconnectMs: 2_000, passwordLogin: 3 };
const calibrationInFlight = 200;
const unansweredMax = 5_000;

export async function startChat(cluster: Cluster, people: number): Promise<Chat> {
  const tally = openTally();
  const town = await makeTown(cluster, people);
  let numbers = 0;
  let onAcknowledged = () => {};
  const devices: SoakDevice[] = [];
  for (const person of town.people) {
    const parts = { person, tally, logIn: town.logIn, nextNumber: () => numbers++ };
    devices.push(await openDevice({ ...parts, onAcknowledged: () => onAcknowledged() }));
  }
  const timers = live(devices);
  let skipped = 0;
  let sending: NodeJS.Timeout | undefined;
  const unanswered = () => devices.reduce((sum, device) => sum + device.unanswered(), 0);
  const say = () => sayOne(devices);

  return {
    counts: tally.counts,
    skipped: () => skipped,
    async calibrate(seconds) {
      onAcknowledged = say;
      for (let slot = 0; slot < calibrationInFlight; slot++) say();
      await pause(1_000 * Math.min(3, seconds / 3));
      const [from, at] = [tally.counts.acknowledged, performance.now()];
      await pause(1_000 * seconds);
      const perSecond = (1_000 * (tally.counts.acknowledged - from)) / (performance.now() - at);
      onAcknowledged = () => {};
      await until(() => unanswered() === 0, 30_000);
      return perSecond;
    },
    run(rate) {
      let due = performance.now();
      sending = setInterval(() => {
        const full = unanswered() > unansweredMax;
        for (const now = performance.now(); due <= now; due += 1_000 / rate) {
          if (full) skipped += 1;
          else say();
        }
      }, tickMs);
    },
    async settle(waitMs) {
      clearInterval(sending);
      await until(() => unanswered() === 0, waitMs);
    },
    compare() {
      const { http } = cluster.run();
      const owners = new Map(
        devices.flatMap(({ person, token }) => [...person.pairs, ...person.rooms].map(({ conv }) => [conv, token])),
      );
      return tally.compare({ http, convs: town.convs, tokenFor: (conv) => owners.get(conv)?.() ?? "" });
    },
    async close() {
      clearInterval(sending);
      for (const timer of timers) clearInterval(timer);
      await Promise.all(devices.map((device) => device.close()));
    },
  };
}

// One who is connected says something to somebody.
function sayOne(devices: readonly SoakDevice[]): void {
  for (let attempt = 0; attempt < 10; attempt++) {
    const device = pick(devices);
    if (!device?.connected()) continue;
    const { pairs, rooms } = device.person;
    const friend = pick(Math.random() < share.rooms && rooms.length > 0 ? rooms : pairs);
    if (friend) device.say(friend, Math.random() < share.typing);
    return;
  }
}

// What devices do besides talking.
function live(devices: readonly SoakDevice[]): NodeJS.Timeout[] {
  let [turn, busy] = [0, false];
  const reconnectOne = async () => {
    const device = devices[turn++ % devices.length];
    if (busy || !device?.connected()) return;
    busy = true;
    await device.reconnect(turn % every.passwordLogin === 0 ? "password" : "key").catch((error: unknown) => {
      process.stderr.write(`soak: a device could not reconnect: ${String(error)}\n`);
    });
    busy = false;
  };
  const each = (work: (device: SoakDevice) => void) => () => devices.filter((one) => one.connected()).forEach(work);
  let synced = 0;
  return [
    setInterval(
      each((device) => device.read()),
      every.readMs,
    ),
    setInterval(
      each((device) => device.again(performance.now())),
      1_000,
    ),
    // Spread over the minute, one device after the other.
    setInterval(() => {
      const device = devices[synced++ % devices.length];
      if (device?.connected()) device.sync();
    }, every.syncMs / devices.length),
    setInterval(() => void reconnectOne(), every.reconnectMs),
  ];
}

function pick<T>(list: readonly T[]): T | undefined {
  return list[Math.floor(Math.random() * list.length)];
}

async function until(check: () => boolean, waitMs: number): Promise<void> {
  for (const end = performance.now() + waitMs; !check() && performance.now() < end; ) await pause(50);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
