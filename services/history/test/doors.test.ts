// Whom users let in: what blocks and `directMessages` refuse is not stored, from the moment on at which api was answered.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AppendOutcome, Door, MembershipEvent } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import { eventually } from "@parley/testkit";
import type { HistoryStore } from "../src/keep/store.ts";
import { takeDoors } from "../src/write/doors.ts";
import { itemOf, type Side, type Sides, startSides } from "./replicas.ts";

const p2p = "p2p/alice/bob";
const toDevice = "dev/bob/alice/alice:phone";
let version = 0;

const block = (owner: string, other: string, more: Partial<Door> = {}): Door => {
  version += 1;
  return { owner, other, version, blocked: true, contact: false, ...more };
};
const codeOf = (outcome: AppendOutcome) => ("error" in outcome ? outcome.error.code : outcome.seq);
const tell = (side: Side, ...doors: Door[]) => takeDoors(side, { doors });
const say = async (side: Side, from: string, conv: string, id: string) =>
  codeOf(await side.send(itemOf(from, conv, id)));

for (const engine of ["sqlite", "mongodb"] as const)
  test(`doors of history on ${engine}`, async (t) => {
    if (!(await startSides(t, engine))) return t.skip("no MongoDB here");
    const withSides = (title: string, work: (sides: Sides) => Promise<void>) =>
      t.test(title, async (t) => work((await startSides(t, engine)) as Sides));

    await withSides("what a blocked user sends is refused and not stored, to a device neither; all else is", blocked);
    await withSides("an older word about a door never takes a later one back", olderWord);
    await withSides("who takes only contacts takes nothing from others, whatever the deployment says", onlyContacts);
    await withSides("a block is known to whoever takes the partition over", takenOver);
    await withSides("a disabled user sends nothing, wherever and whoever holds it; enabled it does again", disabled);
    await withSides("who may not know of another holder asks the store whom users let in", unsure);
    await withSides("a holder that stood still since it decided decides anew", stoodStill);
    await withSides("a holder that is not sure any more when it would store decides anew", sureNoMore);
    await withSides("a block waits for what is in hand, and refuses what comes behind it", inHand);
  });

async function blocked(sides: Sides): Promise<void> {
  const side = await sides.add();
  await side.hold(p2p, toDevice, "p2p/alice/carol", "dev/alice/bob/bob:phone");
  assert.equal(await say(side, "alice", "dev/alice/bob/bob:phone", "1"), 1);
  assert.equal(await say(side, "bob", p2p, "1"), 1);
  assert.equal(await say(side, "bob", toDevice, "1"), 1);
  await tell(side, block("alice", "bob"));
  const before = await side.store.log.last(conversationPartition(p2p));
  assert.equal(await say(side, "bob", p2p, "2"), "blocked");
  assert.equal(await say(side, "bob", toDevice, "2"), "blocked");
  assert.deepEqual(await side.store.log.last(conversationPartition(p2p)), before);
  assert.equal((await side.get("alice", p2p)).lastSeq, 1);
  // What was stored before it is acknowledged again, and the one who blocks may write.
  assert.equal(await say(side, "bob", p2p, "1"), 1);
  assert.equal(await say(side, "alice", p2p, "a"), 2);
  assert.equal(await say(side, "carol", "p2p/alice/carol", "1"), 1);
  const { tell: told } = await side.receipt({ conv: p2p, uid: "bob", read: 2 });
  assert.deepEqual(told, ["bob"], "the one who blocks hears nothing of the other");
  const toHim = await side.receipt({ conv: "dev/alice/bob/bob:phone", uid: "bob", delivered: 1 });
  assert.deepEqual(toHim.tell, ["bob"], "nor of a device of his");
  const shown = async (uid: string) =>
    Object.fromEntries((await side.sync(uid)).conversations.map(({ conv, receipts }) => [conv, receipts]));
  const marks = { delivered: 2, read: 2 };
  await side.receipt({ conv: p2p, uid: "alice", read: 2 });
  assert.deepEqual((await shown("alice"))[p2p], [], "nor by sync");
  assert.deepEqual((await shown("bob"))[p2p], [], "nor does the other one, of who blocks");
  await tell(side, block("alice", "bob", { blocked: false }));
  assert.equal(await say(side, "bob", p2p, "2"), 3);
  assert.equal(await say(side, "bob", toDevice, "2"), 2);
  assert.deepEqual((await shown("alice"))[p2p], [{ uid: "bob", ...marks }], "as it is by the end of the block");
}

async function disabled(sides: Sides): Promise<void> {
  const side = await sides.add();
  await side.hold(p2p, toDevice);
  assert.equal(await say(side, "bob", p2p, "1"), 1);
  assert.equal(await say(side, "alice", p2p, "a"), 2);
  await tell(side, { owner: "bob", version: 7, account: "disabled" });
  assert.equal(await say(side, "bob", p2p, "2"), "forbidden");
  assert.equal(await say(side, "bob", toDevice, "1"), "forbidden");
  assert.equal(await say(side, "bob", p2p, "1"), 1, "what was stored before is acknowledged again");
  assert.equal(await say(side, "alice", p2p, "b"), 3);
  const next = await sides.add();
  await next.hold(p2p);
  assert.equal(await say(next, "bob", p2p, "2"), "forbidden", "who takes over knows of it");
  await tell(next, { owner: "bob", version: 6, account: "open" });
  assert.equal(await say(next, "bob", p2p, "2"), "forbidden");
  await tell(next, { owner: "bob", version: 8, account: "open" });
  await tell(next, { owner: "bob", version: 7, account: "disabled" });
  assert.equal(await say(next, "bob", p2p, "2"), 4, "an older word that comes late disables nobody");
}

async function olderWord(sides: Sides): Promise<void> {
  const side = await sides.add();
  await side.hold(p2p);
  const opened = block("alice", "bob", { blocked: false });
  await tell(side, block("alice", "bob"));
  await tell(side, opened);
  assert.equal(await say(side, "bob", p2p, "1"), "blocked");
}

async function onlyContacts(sides: Sides): Promise<void> {
  const side = await sides.add();
  await side.hold(p2p, "p2p/alice/carol", "p2p/alice/alice");
  assert.equal(await say(side, "bob", p2p, "1"), 1);
  await tell(side, { owner: "alice", version: 1, direct: "contacts" });
  assert.equal(await say(side, "bob", p2p, "2"), "blocked");
  assert.equal(await say(side, "alice", p2p, "a"), 2);
  assert.equal(await say(side, "alice", "p2p/alice/alice", "note"), 1);
  await tell(side, block("alice", "bob", { blocked: false, contact: true }));
  assert.equal(await say(side, "bob", p2p, "2"), 3);
  assert.equal(await say(side, "carol", "p2p/alice/carol", "1"), "blocked");
  await tell(side, block("alice", "bob", { contact: true }));
  assert.equal(await say(side, "bob", p2p, "3"), "blocked");
  await tell(side, { owner: "alice", version: 2, direct: "anyone" });
  assert.equal(await say(side, "carol", "p2p/alice/carol", "1"), 1);
  assert.equal(await say(side, "bob", p2p, "3"), "blocked");
}

async function takenOver(sides: Sides): Promise<void> {
  const [one, two] = [await sides.add(), await sides.add()];
  await one.hold(p2p);
  assert.equal(await say(one, "bob", p2p, "1"), 1);
  await tell(one, block("alice", "bob"));
  await one.partitions.release(conversationPartition(p2p), "shutdown");
  await two.hold(p2p);
  assert.equal(await say(two, "bob", p2p, "2"), "blocked");
}

// Only the other one is told, as api knows no other holder.
async function unsure(sides: Sides): Promise<void> {
  const former = await sides.add(undefined, () => Number.NEGATIVE_INFINITY);
  const holder = await sides.add();
  await former.hold(p2p, toDevice);
  assert.equal(await say(former, "bob", p2p, "1"), 1);
  assert.equal(await say(former, "bob", toDevice, "1"), 1);
  await holder.hold(p2p, toDevice);
  await tell(holder, block("alice", "bob"));
  // First: a message would have the doors read.
  const changes = [
    { event: "pin", by: "bob", uids: [], seq: 1 },
    { event: "expiry", by: "bob", uids: [], expiry: { seconds: 60, from: "sent" } },
  ] as MembershipEvent[];
  for (const change of changes) await assert.rejects(former.change(p2p, change), { code: "blocked" }, change.event);
  assert.equal(await say(former, "bob", p2p, "2"), "blocked");
  assert.equal(await say(former, "bob", toDevice, "2"), "blocked");
  assert.equal(await say(former, "alice", p2p, "a"), 2);
  await tell(holder, block("alice", "bob", { blocked: false }));
  assert.equal(await say(former, "bob", p2p, "2"), 3);
  await tell(holder, { owner: "bob", version: 7, account: "disabled" });
  assert.equal(await say(former, "bob", p2p, "3"), "forbidden");
}

async function stoodStill(sides: Sides): Promise<void> {
  const gate = { wait: undefined as Promise<void> | undefined, reached: Promise.withResolvers<void>() };
  let sureUntil = Number.POSITIVE_INFINITY;
  const former = await sides.add(
    (store) => waiting(store, gate, "find"),
    () => sureUntil,
  );
  const holder = await sides.add();
  await former.hold(p2p);
  assert.equal(await say(former, "bob", p2p, "1"), 1);
  const open = Promise.withResolvers<void>();
  gate.wait = open.promise;
  const inHand = say(former, "bob", p2p, "2");
  await gate.reached.promise;
  await holder.hold(p2p);
  await tell(holder, block("alice", "bob"));
  sureUntil = performance.now();
  gate.wait = undefined;
  open.resolve();
  assert.equal(await inHand, "blocked");
  assert.equal((await holder.get("alice", p2p)).lastSeq, 1);
}

async function sureNoMore(sides: Sides): Promise<void> {
  let sureFor = Number.POSITIVE_INFINITY;
  const former = await sides.add(undefined, () => {
    sureFor -= 1;
    return sureFor > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  });
  const holder = await sides.add();
  await former.hold(p2p);
  assert.equal(await say(former, "bob", p2p, "1"), 1);
  await holder.hold(p2p);
  await tell(holder, block("alice", "bob"));
  // Asked twice: when it decides, and when it stores.
  sureFor = 2;
  assert.equal(await say(former, "bob", p2p, "2"), "blocked");
  assert.equal((await holder.get("alice", p2p)).lastSeq, 1);
}

async function inHand(sides: Sides): Promise<void> {
  const gate = { wait: undefined as Promise<void> | undefined, reached: Promise.withResolvers<void>() };
  const side = await sides.add((store) => waiting(store, gate));
  await side.hold(p2p);
  const open = Promise.withResolvers<void>();
  gate.wait = open.promise;
  const first = say(side, "bob", p2p, "in hand");
  await gate.reached.promise;
  const behind = say(side, "bob", p2p, "behind");
  let isTold = false;
  const told = tell(side, block("alice", "bob")).then(() => {
    isTold = true;
  });
  await eventually(() => side.store.doors.get("alice bob"));
  assert.equal(isTold, false, "the batch in hand was decided without it");
  gate.wait = undefined;
  open.resolve();
  assert.equal(await first, 1);
  await told;
  assert.equal(await say(side, "bob", p2p, "after"), "blocked");
  const { messages } = await side.get("alice", p2p);
  // Behind it is what was sent before the block was answered: stored or refused, never lost and never after it.
  assert.equal(messages.length, (await behind) === "blocked" ? 1 : 2);
}

function waiting(
  store: HistoryStore,
  gate: { wait: Promise<void> | undefined; reached: PromiseWithResolvers<void> },
  step: "append" | "find" = "append",
): HistoryStore {
  const { log } = store;
  const waits = async (...args: never[]) => {
    if (gate.wait) {
      gate.reached.resolve();
      await gate.wait;
    }
    return (log[step] as (...args: never[]) => unknown).apply(log, args);
  };
  const get = (_: object, name: keyof typeof log) => (name === step ? waits : log[name].bind(log));
  return { ...store, log: new Proxy(log, { get: get as ProxyHandler<typeof log>["get"] & object }) };
}
