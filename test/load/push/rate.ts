// How many notifications a second one push gets to a provider, from messages that are stored while it stands still.
import { type Cluster, type ProviderApart, startProviderApart } from "@parley/testkit";
import { middleOf } from "../comparison.ts";
import { receiverUid, senderUid } from "../pairs.ts";
import { makePeople, makeRoom } from "../people.ts";
import { type ByPart, cpuMicros, difference } from "../processes.ts";
import { shown } from "../report.ts";
import { pause } from "../saturate.ts";
import { type Bench, type Figure, type Section, sized } from "../scenario.ts";
import { clientAlone } from "./client-alone.ts";
import { withEndings } from "./endings.ts";
import { type MeasuredProvider, makePhones, registerTokens } from "./holders.ts";
import { openSender } from "./sender.ts";

const targets: Record<MeasuredProvider, number> = { apns: 5_000, fcm: 3_000 };
const names: Record<MeasuredProvider, string> = { apns: "APNs", fcm: "FCM" };
const shapes = ["room", "1:1"] as const;
type Shape = (typeof shapes)[number];

const patienceSeconds = 60;
/** Until routers have handed out what was stored, so that push alone is measured. */
const settleSeconds = 1.5;
const pollSeconds = 0.05;
const talks = 64;

interface Found {
  provider: MeasuredProvider;
  shape: Shape;
  /** of each round */
  rates: number[];
  cpu: ByPart;
  notifications: number;
  alone: number;
}

export function measureRate(bench: Bench): Promise<Section> {
  return withEndings(async (t) => {
    const providers = { apns: await startProviderApart(t, "apns"), fcm: await startProviderApart(t, "fcm") };
    const size = sized(bench, { count: 30_000, warmup: 5_000 }, { count: 1_000, warmup: 100 });
    const alone = {
      apns: await clientAlone("apns", providers.apns, size),
      fcm: await clientAlone("fcm", providers.fcm, size),
    };
    bench.say(`the client alone: APNs ${Math.round(alone.apns)}/s, FCM ${Math.round(alone.fcm)}/s`);
    const env = { ...providers.apns.settings, ...providers.fcm.settings, PUSH_DELAY_MS: "0" };
    return bench.withCluster({ env }, async (cluster) => {
      const found: Found[] = [];
      for (const provider of ["apns", "fcm"] as const)
        for (const shape of shapes) {
          const measured = await measure(bench, cluster, { provider, shape, apart: providers[provider] });
          found.push({ ...measured, alone: alone[provider] });
        }
      return sectionOf(bench, found);
    });
  });
}

interface Measuring {
  provider: MeasuredProvider;
  shape: Shape;
  apart: ProviderApart;
}

async function measure(bench: Bench, cluster: Cluster, what: Measuring): Promise<Omit<Found, "alone">> {
  const { provider, shape, apart } = what;
  const { from, to, holders } = await makeReceivers(bench, cluster, what);
  const sender = await openSender(cluster, from);
  const notifications = sized(bench, shape === "room" ? 30_000 : 10_000, 1_000);
  let last = 0;
  const sendAll = (count: number) => {
    const ids = Array.from({ length: Math.ceil(count / holders) }, () => `${provider}-${shape}-${last++}`);
    return Promise.all(ids.map((id, index) => sender.send(to[index % to.length] as string, id)));
  };
  const seen = async () => (await apart.figures()).count;
  const before = await seen();
  await sendAll(notifications / 2);
  await until(async () => (await seen()) - before >= notifications / 2);
  const rates: number[] = [];
  const cpus: ByPart[] = [];
  for (let round = 0; round < sized(bench, bench.rounds, 1); round++) {
    await cluster.pause("push");
    await sendAll(notifications);
    await pause(settleSeconds);
    const [first, used, at] = [await apart.figures(), cpuMicros(cluster.run().processes), performance.now()];
    await cluster.resume("push");
    await until(async () => (await seen()) - first.count >= notifications);
    const rate = (notifications * 1_000) / (performance.now() - at);
    const usedBy = { ...cpuMicros(cluster.run().processes), provider: (await apart.figures()).cpuMs * 1_000 };
    cpus.push(difference(usedBy, { ...used, provider: first.cpuMs * 1_000 }, notifications));
    rates.push(rate);
    bench.say(`${names[provider]}, ${shape}: ${Math.round(rate)}/s`);
  }
  await sender.close();
  const parts = Object.keys(cpus[0] ?? {});
  const cpu = Object.fromEntries(parts.map((part) => [part, middleOf(cpus.map((one) => one[part] ?? 0))]));
  return { provider, shape, rates, cpu, notifications };
}

/** `holders`: devices that one message notifies. */
async function makeReceivers(bench: Bench, cluster: Cluster, { provider, shape }: Measuring) {
  if (shape === "room") {
    const { room, uids } = await makeRoom(cluster, sized(bench, 1_001, 101));
    const [from = "", ...holders] = uids;
    await makePhones(cluster, holders, provider);
    return { from, to: [`room/${room}`], holders: holders.length };
  }
  const people = await makePeople(cluster, talks);
  const logins = Array.from({ length: talks }, (_, index) => people.throughEdge(index).receiver.password);
  // The later provider's token stands beside the earlier one's; so each has receivers of its own.
  const half = talks / 2;
  const begin = provider === "apns" ? 0 : half;
  await registerTokens(cluster, logins.slice(begin, begin + half), provider);
  const to = Array.from({ length: half }, (_, index) => `user/${receiverUid(begin + index)}`);
  return { from: senderUid(0), to, holders: 1 };
}

/** Throws when it takes too long. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceSeconds * 1_000;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not all was notified within ${patienceSeconds} s`);
    await pause(pollSeconds);
  }
}

function sectionOf({ quick }: Bench, found: readonly Found[]): Section {
  const parts = [...new Set(found.flatMap(({ cpu }) => Object.keys(cpu)))];
  const nameOf = ({ provider, shape }: Found) => `${names[provider]}, ${shape}`;
  return {
    title: "Push: notifications a second",
    notes: [
      "Messages are stored while push stands still (SIGSTOP); then it follows them, asks, and notifies. It counts from SIGCONT until the provider has the last one; the middle of the rounds.",
      "room: one room of a thousand devices that are away, so each message is a thousand notifications. 1:1: each message is one. PUSH_DELAY_MS is 0.",
      "The baseline is push's client of that provider alone, in a process that does nothing else, with as many notifications under way. Each provider has a process of its own.",
    ],
    figures: found.map((one): Figure => {
      const value = middleOf(one.rates);
      const target = targets[one.provider];
      const met = quick ? undefined : value >= target;
      return {
        what: nameOf(one),
        value,
        unit: "/s",
        baseline: { what: "the client alone", value: one.alone },
        ...(one.shape === "room" ? { target: { text: `≥ ${target}/s`, met } } : {}),
      };
    }),
    tables: [
      {
        head: ["", "each round, /s", "notifications"],
        rows: found.map((one) => [nameOf(one), one.rates.map(shown).join(", "), one.notifications]),
      },
      {
        head: ["", "notifications/s by push's CPU time alone"],
        rows: found.map((one) => [nameOf(one), 1e6 / (one.cpu.push ?? Number.NaN)]),
      },
      {
        head: ["CPU µs a notification", ...parts],
        rows: found.map((one) => [nameOf(one), ...parts.map((part) => one.cpu[part] ?? 0)]),
      },
    ],
  };
}
