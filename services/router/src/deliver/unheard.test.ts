import assert from "node:assert/strict";
import { test } from "node:test";
import { openUnheard } from "./unheard.ts";

const keptMs = 20;
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const turn = () => later(0);

/** A broker on which `subscribed` says who is there. */
function broker() {
  const published: string[] = [];
  const subscribed = new Set<string>();
  const held: (() => void)[] = [];
  let holds = false;
  let ended = false;
  const publish = async (topics: readonly string[], payload: Uint8Array) => {
    for (const topic of topics) published.push(`${topic} ${payload[0]}`);
    const unheard = topics.filter((topic) => !subscribed.has(topic));
    if (holds) await new Promise<void>((resolve) => held.push(resolve));
    if (ended) throw new Error("closed");
    return unheard.length > 0 ? unheard : undefined;
  };
  const unheard = openUnheard({ publish, isQuiet: (topic) => !topic.startsWith("native"), keptMs });
  return {
    published,
    subscribed,
    unheard,
    async send(number: number, ...topics: string[]) {
      const left = unheard.keepBack(topics, Uint8Array.of(number));
      const found = left.length === 0 ? undefined : await publish(left, Uint8Array.of(number));
      if (found) unheard.note(found);
    },
    holdAnswers() {
      holds = true;
    },
    answer() {
      holds = false;
      for (const one of held.splice(0)) one();
    },
    end() {
      ended = true;
    },
  };
}

test("what nobody hears is published once in a while, to ask", async () => {
  const { send, published } = broker();
  for (let number = 1; number <= 5; number++) await send(number, "a");
  assert.deepEqual(published, ["a 1"]);
  await later(keptMs * 2);
  assert.deepEqual(published, ["a 1", "a 2"]);
});

test("who subscribes is sent all that was said since, in order, and what comes then at once", async () => {
  const { send, published, subscribed } = broker();
  await send(1, "a");
  await send(2, "a");
  subscribed.add("a");
  await send(3, "a");
  await send(4, "a");
  await later(keptMs * 2);
  await send(5, "a");
  assert.deepEqual(published, ["a 1", "a 2", "a 3", "a 4", "a 5"]);
});

test("what is said while the broker is asked waits: who subscribes behind the answer is sent it", async () => {
  const { send, published, subscribed, holdAnswers, answer } = broker();
  await send(1, "a");
  await send(2, "a");
  holdAnswers();
  await later(keptMs * 2);
  assert.deepEqual(published, ["a 1", "a 2"]);
  subscribed.add("a");
  await send(3, "a");
  answer();
  await later(keptMs * 3);
  assert.deepEqual(published, ["a 1", "a 2", "a 3"]);
});

test("of several topics only those that nobody hears are left out, and none that may not be", async () => {
  const { send, published, subscribed } = broker();
  subscribed.add("b");
  await send(1, "a", "b", "native");
  await send(2, "a", "b", "native");
  assert.deepEqual(published, ["a 1", "b 1", "native 1", "b 2", "native 2"]);
});

test("after a while without a word the next one is published at once", async () => {
  const { send, published } = broker();
  await send(1, "a");
  await later(keptMs * 2);
  await send(2, "a");
  assert.deepEqual(published, ["a 1", "a 2"]);
});

test("what is kept back goes out when nothing more comes", async () => {
  const { send, published, unheard } = broker();
  for (let number = 1; number <= 3; number++) await send(number, "a");
  unheard.release();
  await turn();
  assert.deepEqual(published, ["a 1", "a 2", "a 3"]);
});

test("a session that ends while it is asked ends nothing else", async () => {
  const { send, published, end } = broker();
  await send(1, "a");
  await send(2, "a");
  end();
  await later(keptMs * 2);
  assert.deepEqual(published, ["a 1", "a 2"]);
});

test("who sends while very much is kept back waits for the broker", async () => {
  const { send, unheard, holdAnswers, answer } = broker();
  await send(1, "a");
  await send(2, "a");
  holdAnswers();
  await later(keptMs * 2);
  assert.equal(unheard.isFull(), false);
  for (let count = 0; count < 17; count++) unheard.keepBack(["a"], new Uint8Array(1024 * 1024));
  assert.ok(unheard.isFull());
  let waits = true;
  void unheard.answered().then(() => {
    waits = false;
  });
  await turn();
  assert.ok(waits);
  answer();
  await turn();
  assert.ok(!waits);
});
