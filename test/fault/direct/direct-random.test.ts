// Devices that do all that devices do, by chance, while copies go past the broker and through it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "@parley/testkit";
import { type Random, seeded } from "../seeded.ts";
import { type Confirms, type DeviceTraits, type Kind, PlayedDevice } from "./played-device.ts";
import { type PlayedWorld, startPlayedWorld } from "./played-world.ts";

const people: Record<string, DeviceTraits> = {
  // Two devices, of which one or the other is away.
  "ann:a": { version: 5, persists: true, qos: 1 },
  "ann:b": { version: 4, persists: true, qos: 1 },
  "bob:a": { version: 4, persists: true, qos: 1 },
  "cy:a": { version: 5, persists: true, qos: 2, properties: { maximumPacketSize: 620 } },
  "dot:a": { version: 4, persists: true, qos: 1, isCalm: true },
  "dot:b": { version: 5, persists: false, qos: 2, isCalm: true },
  "eve:a": { version: 5, persists: true, qos: 1, subscriptionIdentifier: 7 },
  "flo:a": { version: 5, persists: true, qos: 1, properties: { receiveMaximum: 3 } },
  "gus:a": { version: 4, persists: false, qos: 1 },
  "hal:a": { version: 5, persists: true, qos: 1, isCalm: true },
};
const manners: readonly Confirms[] = ["at once", "at once", "slowly", "slowly", "late", "never", "wrongly"];
const kinds: readonly Kind[] = ["m", "d"];
const steps = Number(process.env.STEPS ?? 250);
const killsAt = process.env.KILLS === "0" ? [] : [Math.floor(steps / 3), Math.floor((2 * steps) / 3)];

const seeds = (process.env.SEEDS ?? "1").split(",").map(Number);
for (const seed of seeds)
  test(`no copy is lost or overtakes another, whatever devices do and when the edge is killed (seed ${seed})`, async (t) => {
    const random = seeded(seed);
    const world = await startPlayedWorld(t);
    const devices = Object.entries(people).map(
      ([clientId, traits]) => new PlayedDevice(clientId, traits, random.fork(clientId)),
    );
    await Promise.all(devices.map((device) => enter(world, device)));
    const story = await live(world, devices, random);
    await settle(world, devices);
    assert.deepEqual(devices.filter(inOrder).flatMap(disorderOf), []);
    // Of what went on while the edge was killed nobody knows what devices have.
    const calm = story.kills === 0 ? devices.filter(({ traits }) => traits.isCalm) : [];
    assert.deepEqual(
      calm.flatMap(({ clientId, twice }) =>
        kinds.flatMap((kind) => twice[kind].map((n) => `${clientId} ${kind} ${n}`)),
      ),
      [],
    );
    assert.ok(story.sent > steps / 4);
  });

async function enter(world: PlayedWorld, device: PlayedDevice): Promise<void> {
  await device.open(world.port);
  for (const kind of kinds) device.subscribe(kind);
}

interface Story {
  sent: number;
  kills: number;
}

async function live(world: PlayedWorld, devices: readonly PlayedDevice[], random: Random): Promise<Story> {
  const story: Story = { sent: 0, kills: 0 };
  const wild = devices.filter(({ traits }) => !traits.isCalm);
  const calm = devices.filter(({ traits }) => traits.isCalm);
  for (let step = 0; step < steps; step++) {
    if (killsAt.includes(step)) {
      story.kills += 1;
      await world.killEdge();
      for (const device of calm) await enter(world, device);
    }
    if (random.chance(0.6)) sendSome(world, devices, random, story);
    else act(world, random.pick(wild), random);
    if (random.chance(0.4)) await sleep(random.below(60));
  }
  return story;
}

function sendSome(world: PlayedWorld, devices: readonly PlayedDevice[], random: Random, story: Story): void {
  for (let left = 1 + random.below(random.chance(0.05) ? 130 : 5); left > 0; left--) {
    story.sent += 1;
    send(world, devices, random, story.sent);
  }
}

type Act = (device: PlayedDevice, random: Random, world: PlayedWorld) => void;

const acts: readonly [weight: number, Act][] = [
  [
    15,
    (device, random) => {
      device.confirms = random.pick(manners);
    },
  ],
  [12, (device) => device.stall()],
  [15, (device) => device.cut()],
  [5, (device, random) => device.leave(random.chance(0.3))],
  [6, (device, random) => resubscribe(device, random)],
  [8, (device) => device.ping()],
  [5, (device, random) => device.subscribe(random.pick(kinds))],
  [12, (device, random, world) => void come(world, device, random)],
  [22, (device, random, world) => void (device.isOpen || come(world, device, random))],
];

function act(world: PlayedWorld, device: PlayedDevice, random: Random): void {
  let left = random.below(100);
  for (const [weight, run] of acts) {
    left -= weight;
    if (left >= 0) continue;
    run(device, random, world);
    return;
  }
}

function resubscribe(device: PlayedDevice, random: Random): void {
  const kind = random.pick(kinds);
  device.unsubscribe(kind);
  if (random.chance(0.8)) device.subscribe(kind);
}

async function come(world: PlayedWorld, device: PlayedDevice, random: Random): Promise<void> {
  device.confirms = random.pick(manners);
  await device.open(world.port, { clean: random.chance(0.1) });
  if (random.chance(0.9)) for (const kind of kinds) device.subscribe(kind);
}

function send(world: PlayedWorld, devices: readonly PlayedDevice[], random: Random, number: number): void {
  if (random.chance(0.2)) {
    const device = random.pick(devices);
    device.expects("d", number);
    world.send("d", number, [device]);
    return;
  }
  const uids = new Set(devices.filter(() => random.chance(0.5)).map(({ uid }) => uid));
  const heard = devices.filter(({ uid }) => uids.has(uid));
  for (const device of heard) device.expects("m", number);
  if (heard.length > 0) world.send("m", number, heard);
}

/** All come back, and read and confirm what there is. */
async function settle(world: PlayedWorld, devices: readonly PlayedDevice[]): Promise<void> {
  for (const device of devices) {
    device.confirms = "at once";
    if (device.traits.isCalm) continue;
    // A busy edge refuses.
    do await device.open(world.port);
    while (!device.isOpen);
  }
  const missing = () => devices.flatMap((device) => device.missing());
  await eventually(() => missing().length === 0 && world.underWay() === 0, { timeoutMs: 15_000 }).catch(() => {
    assert.deepEqual({ missing: missing(), underWay: world.underWay() }, { missing: [], underWay: 0 });
  });
}

/** Mosquitto itself lets newer ones pass what waits for room in a small Receive Maximum. */
function inOrder({ traits }: PlayedDevice): boolean {
  return traits.properties?.receiveMaximum === undefined;
}

function disorderOf({ clientId, received }: PlayedDevice): string[] {
  return kinds.flatMap((kind) =>
    received[kind].flatMap((number, index, all) =>
      index > 0 && number < (all[index - 1] as number)
        ? [`${clientId} ${kind} ${all[index - 1]} before ${number}`]
        : [],
    ),
  );
}
