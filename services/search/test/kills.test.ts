// kill -9 of the real search between the steps of its feed, of a build and of a removal.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually } from "@parley/testkit";
import { startSearching } from "./processes.ts";

const searching = await startSearching({ after });
searching.start();
const patient = { timeoutMs: 90_000 };
const text = (data: string) => ({ type: "text", data });

async function eventuallyFinds(query: string, expected: readonly string[]): Promise<void> {
  await eventually(async () => assert.deepEqual(await searching.find("amy", query), expected) ?? true, patient);
}

/** Some that stay, one that is edited and one that is recalled, all with a word of their own. */
async function say(conv: string, word: string): Promise<() => Promise<void>> {
  for (const n of [1, 2, 3]) await searching.say(conv, "amy", text(`${word} stays ${n}`));
  const edited = await searching.say(conv, "amy", text(`${word} before`));
  const recalled = await searching.say(conv, "amy", text(`${word} taken`));
  return async function change() {
    await searching.say(conv, "amy", { ...text(`${word} behind`), type: "edit", seq: edited } as { type: string });
    await searching.say(conv, "amy", { type: "recall", seq: recalled } as { type: string });
  };
}

const left = (word: string) => [1, 2, 3].map((n) => `${word} stays ${n}`).concat(`${word} behind`);

async function isWhole(...words: string[]): Promise<void> {
  for (const word of words) {
    // What search had in hand as it died comes again later than what is new: each by itself.
    await eventuallyFinds(`${word} behind`, [`${word} behind`]);
    await eventuallyFinds(word, left(word));
    for (const gone of ["before", "taken"]) await eventuallyFinds(`${word} ${gone}`, []);
  }
}

async function diesAt(point: Parameters<typeof searching.start>[0], work: () => Promise<unknown>): Promise<void> {
  await searching.kill();
  searching.start(point);
  await work();
  assert.equal(await searching.died(), "SIGKILL");
}

for (const [index, point] of (["before-index-put", "before-index-ack"] as const).entries())
  test(`each message of a batch with which search dies ${point} is found once by the next one, as it was edited last`, async () => {
    const conv = `p2p/amy/f${index}`;
    const [first, second] = [`first${index}`, `second${index}`];
    await say(conv, first).then((change) => change());
    await isWhole(first);
    let change: (() => Promise<void>) | undefined;
    await diesAt(point, async () => {
      change = await say(conv, second);
    });
    // What was in its hands comes again, now together with what was changed since.
    await diesAt(point, async () => change?.());
    searching.start();
    await isWhole(first, second);
  });

for (const [index, point] of (["before-index-switch", "before-others-removed"] as const).entries())
  test(`an index that search dies on ${point} is the only one soon after the next start, and has everything but what was erased`, async () => {
    const conv = `p2p/amy/b${index}`;
    const [first, second, canary] = [`third${index}`, `fourth${index}`, `zq8canary${index}`];
    const change = await say(conv, first);
    await searching.say(conv, `b${index}`, text(canary));
    await eventuallyFinds(canary, [canary]);
    const before = (await searching.rebuild({})).current!.name;
    await diesAt(point, () => eventually(() => searching.rebuild({ begin: true }), patient));
    assert.equal(searching.indexes().length, 2);
    await change();
    await say(conv, second).then((changeMore) => changeMore());
    const seqs = await searching.empty(conv, `b${index}`);
    searching.start();
    await eventually(() => searching.remove({ conv, seqs }), patient);
    const built = await eventually(async () => {
      const { building, current } = await searching.rebuild({});
      return building === null && current ? current.name : undefined;
    }, patient);
    assert.notEqual(built, before);
    await isWhole(first, second);
    assert.deepEqual(await searching.find("amy", canary), []);
    await eventually(() => searching.indexes().length === 1);
    assert.deepEqual(searching.indexes(), [`search-${built}.db`]);
    await eventually(() => searching.filesWith(canary).length === 0);
  });

test("a removal in which search dies before it is off the disk is not answered, and done when it is asked for again", async () => {
  const conv = "p2p/amy/removed";
  await say(conv, "fifth").then((change) => change());
  await searching.say(conv, "removed", text("zq8canaryword"));
  await eventuallyFinds("zq8canaryword", ["zq8canaryword"]);
  const seqs = await searching.empty(conv, "removed");
  await diesAt("before-index-compacted", async () => {
    let isDead = false;
    const died = searching.died().then(() => {
      isDead = true;
    });
    // Until it listens nobody answers; then it dies with the request in hand.
    const ask = () => searching.remove({ conv, seqs }).then(() => assert(isDead, "it was answered"), () => undefined); // biome-ignore format: one line
    while (!isDead) await Promise.race([ask(), died]);
  });
  searching.start();
  await eventually(() => searching.remove({ conv, seqs }), patient);
  assert.deepEqual(searching.filesWith("zq8canaryword"), []);
  assert.deepEqual(await searching.find("amy", "zq8canaryword"), []);
  await isWhole("fifth");
});
