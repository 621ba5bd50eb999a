import assert from "node:assert/strict";
import { test } from "node:test";
import type { Publish } from "../direct/publish.ts";
import { openUnheard } from "./unheard.ts";

const keptMs = 20;
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const turn = () => later(0);

/** A broker on which `subscribed` says who is there. */
function broker() {
  const published: string[] = [];
  const subscribed = new Set<string>();
  const gone = new Set<string>();
  const held: (() => void)[] = [];
  let holds = false;
  let ended = false;
  const publish = async (name: string, topics: readonly string[], payload: Uint8Array) => {
    if (gone.has(name)) throw new Error("closed");
    for (const topic of topics) published.push(`${name}${topic} ${payload[0]}`);
    const unheard = topics.filter((topic) => !subscribed.has(topic));
    if (holds) await new Promise<void>((resolve) => held.push(resolve));
    if (ended) throw new Error("closed");
    return unheard.length > 0 ? unheard : undefined;
  };
  const unheard = openUnheard({ isQuiet: (topic) => !topic.startsWith("native"), keptMs });
  const sessions = new Map<string, Publish>();
  /** A session whose publishes are named after it. */
  const session = (name: string): Publish => {
    const known = sessions.get(name) ?? ((topics, payload) => publish(name, topics, payload));
    sessions.set(name, known);
    return known;
  };
  const sendOn = async (name: string, number: number, ...topics: string[]) => {
    const { topics: left, elsewhere } = unheard.keepBack(topics, Uint8Array.of(number), session(name));
    const found = left.length === 0 ? undefined : await session(name)(left, Uint8Array.of(number));
    if (found) unheard.note(found);
    await elsewhere;
  };
  return {
    published,
    subscribed,
    unheard,
    gone,
    session,
    send: (number: number, ...topics: string[]) => sendOn("", number, ...topics),
    sendOn,
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

test("whichever session the next message comes on, it comes behind what is kept back", async () => {
  const { sendOn, published, subscribed } = broker();
  await sendOn("one:", 1, "a");
  await sendOn("one:", 2, "a");
  subscribed.add("a");
  await sendOn("other:", 3, "a");
  await later(keptMs * 2);
  await sendOn("other:", 4, "a");
  assert.deepEqual(published, ["one:a 1", "one:a 2", "one:a 3", "other:a 4"]);
});

test("what comes while the broker has not got what was kept back goes out behind that, and is waited for", async () => {
  const { sendOn, published, subscribed, unheard, holdAnswers, answer } = broker();
  await sendOn("one:", 1, "a");
  await sendOn("one:", 2, "a");
  await sendOn("one:", 3, "a");
  subscribed.add("a");
  const asked = unheard.answered();
  holdAnswers();
  await asked;
  const last = sendOn("other:", 4, "a");
  let isSent = false;
  void last.then(() => {
    isSent = true;
  });
  await turn();
  assert.deepEqual(published, ["one:a 1", "one:a 2", "one:a 3", "one:a 4"]);
  assert.ok(!isSent);
  answer();
  await last;
  await sendOn("other:", 5, "a");
  assert.equal(published.at(-1), "other:a 5");
});

test("of a session that ended, what others keep back goes out on theirs", async () => {
  const { sendOn, published, subscribed, gone } = broker();
  await sendOn("one:", 1, "a");
  await sendOn("one:", 2, "a");
  await sendOn("other:", 3, "a");
  subscribed.add("a");
  gone.add("one:");
  await later(keptMs * 2);
  await sendOn("other:", 4, "a");
  assert.deepEqual(published, ["one:a 1", "other:a 2", "other:a 3", "other:a 4"]);
});

test("what is kept back goes out when nothing more comes, in its order", async () => {
  const { send, published, unheard, session, subscribed } = broker();
  await send(1, "a");
  subscribed.add("a");
  await send(2, "a");
  await send(3, "a");
  await unheard.release(session(""));
  assert.deepEqual(published, ["a 1", "a 2", "a 3"]);
});

test("nothing more comes while the broker is asked: what was said since goes out behind its answer", async () => {
  const { send, published, unheard, session, subscribed, holdAnswers, answer } = broker();
  await send(1, "a");
  await send(2, "a");
  holdAnswers();
  const asked = unheard.answered();
  await send(3, "a");
  await send(4, "a");
  subscribed.add("a");
  const released = unheard.release(session(""));
  answer();
  await Promise.all([asked, released]);
  assert.deepEqual(published, ["a 1", "a 2", "a 3", "a 4"]);
});

test("when much is kept back all of it is asked for at once", async () => {
  const { send, published, unheard, session } = broker();
  await send(1, "a");
  unheard.keepBack(["a"], new Uint8Array(17 * 1024 * 1024), session(""));
  assert.ok(unheard.isFull());
  await unheard.answered();
  assert.ok(!unheard.isFull());
  assert.deepEqual(published, ["a 1", "a 0"]);
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
  const { send, unheard, session, holdAnswers, answer } = broker();
  await send(1, "a");
  await send(2, "a");
  holdAnswers();
  await later(keptMs * 2);
  assert.equal(unheard.isFull(), false);
  for (let count = 0; count < 17; count++) unheard.keepBack(["a"], new Uint8Array(1024 * 1024), session(""));
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
