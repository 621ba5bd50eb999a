import assert from "node:assert/strict";
import { test } from "node:test";
import { createTurns, type PushJob } from "@parley/protocol";
import type { Notice } from "../payload/notice.ts";
import type { Outcome, Outgoing } from "../providers/outgoing.ts";
import { openBreakers } from "./breakers.ts";
import type { KeptToken, Prepared } from "./prepare.ts";
import { type SendJobsParts, sendJobs } from "./send-jobs.ts";

const job = (seq: number): PushJob => ({
  kind: "message",
  uid: "bob",
  clientId: "bob:phone",
  token: `t${seq}`,
  conv: "p2p/ann/bob",
  seq,
  at: Date.now(),
});
const prepared = (seq: number): Prepared => ({
  job: job(seq),
  token: { key: `t${seq}`, clientId: "bob:phone", registeredAt: 50 } as KeptToken,
  notice: {} as Notice,
  outgoing: { provider: "fcm", token: String(seq), message: {} } as Outgoing,
});

type Line = Record<string, unknown>;

/** `answers`: what the provider says to each token, in turn; the last one again and again. */
function world(answers: Record<number, Outcome[]>) {
  const lines: Line[] = [];
  const at = (level: string) => (line: object) => void lines.push({ level, ...line });
  const log = { info: at("info"), debug() {}, warn: at("warn"), error: at("error") } as unknown as SendJobsParts["log"];
  const seen = {
    sends: [] as number[],
    queued: [] as { seqs: (number | undefined)[]; attempt: number | undefined; inMs: number }[],
    sent: [] as (number | undefined)[],
    buried: [] as [number | undefined, string][],
    removed: [] as [string, number][],
    breaker: [] as string[],
  };
  const left = new Map(Object.entries(answers));
  const parts: SendJobsParts = {
    provider: "fcm",
    sender: {
      async send(outgoing) {
        const { token } = outgoing as { token: string };
        seen.sends.push(Number(token));
        const all = left.get(token) ?? [];
        return (all.length > 1 ? all.shift() : all[0]) as Outcome;
      },
      close: async () => undefined,
    },
    breakers: {
      whole: {
        waitMs: () => 0,
        isTrying: () => false,
        succeeded() {
          seen.breaker.push("succeeded");
          return false;
        },
        failed: ({ misconfigured }) => void seen.breaker.push(misconfigured ? "misconfigured" : "failed"),
      },
      own: () => undefined,
    },
    sentHere: new Map(),
    turns: createTurns(),
    async enqueue(jobs, { attempt, notBefore = 0 } = {}) {
      seen.queued.push({ seqs: jobs.map(({ job: { seq } }) => seq), attempt, inMs: notBefore - Date.now() });
    },
    marks: { sent: async (jobs) => void seen.sent.push(...jobs.map(({ seq }) => seq)) },
    deadLetters: { bury: async (_, { seq }, reason) => void seen.buried.push([seq, reason]) },
    removeToken: async (key, before) => seen.removed.push([key, before]),
    metrics: { outcome() {}, skipped() {}, delivered() {}, dead() {} },
    pass: () => undefined,
    log,
  };
  return { parts, seen, lines };
}

test("what the provider has is noted as sent, and a token that is good for nothing goes, if it was not registered since", async () => {
  const { parts, seen } = world({
    1: [{ is: "sent" }],
    2: [{ is: "gone", reason: "Unregistered", since: 40 }],
    3: [{ is: "gone", reason: "BadDeviceToken" }],
  });
  await sendJobs(parts, [prepared(1), { job: job(9), skip: "read" }, prepared(2), prepared(3)], 0);
  assert.deepEqual(seen, {
    sends: [1, 2, 3],
    queued: [],
    sent: [1],
    buried: [],
    removed: [
      ["t2", 40],
      ["t3", 50],
    ],
    breaker: ["succeeded", "succeeded", "succeeded"],
  });
});

test("what was not taken goes into the queue again, no sooner than the provider wants; what will never be taken is dead", async () => {
  const { parts, seen } = world({
    1: [{ is: "later", reason: "429", afterMs: 120_000 }],
    2: [{ is: "unknown", reason: "no answer" }],
    3: [{ is: "refused", reason: "413" }],
    4: [{ is: "misconfigured", reason: "401" }],
  });
  const dead: Prepared = { job: job(5), dead: "invalid_packet" };
  await sendJobs(parts, [prepared(1), prepared(2), prepared(3), prepared(4), dead], 2);
  const bySeq = new Map(seen.queued.flatMap(({ seqs, ...how }) => seqs.map((seq) => [seq, how])));
  assert.deepEqual([...bySeq.keys()].sort(), [1, 2, 4]);
  assert.ok(bySeq.get(1)!.inMs > 119_000);
  assert.ok(bySeq.get(2)!.inMs > 900 && bySeq.get(2)!.inMs <= 9_000, String(bySeq.get(2)!.inMs));
  assert.deepEqual(
    [1, 2, 4].map((seq) => bySeq.get(seq)!.attempt),
    [3, 3, 2],
    "a setting of ours is no try of theirs",
  );
  assert.deepEqual(seen.buried, [
    [3, "413"],
    [5, "invalid_packet"],
  ]);
  assert.deepEqual(seen.breaker, ["failed", "failed", "succeeded", "misconfigured"]);
});

test("what nobody has taken after twenty tries is dead, but for a setting of ours", async () => {
  const { parts, seen } = world({ 1: [{ is: "later", reason: "503" }], 2: [{ is: "misconfigured", reason: "401" }] });
  await sendJobs(parts, [prepared(1), prepared(2)], 20);
  assert.deepEqual(seen.buried, [[1, "503"]]);
  assert.deepEqual(
    seen.queued.map(({ seqs }) => seqs),
    [[2]],
  );
});

test("what was never asked of a provider says nothing of it, and is no try", async () => {
  const { parts, seen } = world({ 1: [{ is: "later", reason: "too many are under way", unasked: true }] });
  await sendJobs(parts, [prepared(1)], 20);
  assert.deepEqual(
    seen.queued.map(({ seqs, attempt }) => [seqs, attempt]),
    [[[1], 20]],
  );
  assert.deepEqual([seen.breaker, seen.buried], [[], []]);
});

test("what was surely not taken goes again at once, three times at most", async () => {
  const { parts, seen } = world({
    1: [{ is: "again", reason: "REFUSED_STREAM" }, { is: "sent" }],
    2: [{ is: "again", reason: "REFUSED_STREAM" }],
  });
  await sendJobs(parts, [prepared(1), prepared(2)], 0);
  assert.deepEqual(seen.sends.sort(), [1, 1, 2, 2, 2]);
  assert.deepEqual([seen.sent, seen.queued.map(({ seqs }) => seqs)], [[1], [[2]]]);
});

test("when what is to be tried later cannot be kept, all of it is said to be undone, and what was sent is noted before", async () => {
  const { parts, seen } = world({ 1: [{ is: "sent" }], 2: [{ is: "later", reason: "503" }] });
  parts.enqueue = async () => {
    assert.deepEqual(seen.sent, [1]);
    throw new Error("NATS is away");
  };
  await assert.rejects(sendJobs(parts, [prepared(1), prepared(2)], 0), /NATS is away/);
});

test("of one token and conversation a later notification waits until the provider has the one before, others do not wait", async () => {
  const { parts } = world({});
  const events: string[] = [];
  const answer = Promise.withResolvers<void>();
  parts.sender = {
    async send(outgoing) {
      const { token } = outgoing as { token: string };
      events.push(`${token} begins`);
      if (token === "1") await answer.promise;
      events.push(`${token} ends`);
      return { is: "sent" };
    },
    close: async () => undefined,
  };
  const one = (seq: number, token: string): Prepared => {
    const made = prepared(seq);
    return { ...made, job: { ...made.job, token } } as Prepared;
  };
  const sending = [sendJobs(parts, [one(1, "same"), one(3, "other")], 0), sendJobs(parts, [one(2, "same")], 0)];
  setImmediate(answer.resolve);
  await Promise.all(sending);
  assert.deepEqual(events, ["1 begins", "3 begins", "3 ends", "1 ends", "2 begins", "2 ends"]);
});

test("the same job that comes twice at once is sent once", async () => {
  const { parts, seen } = world({ 1: [{ is: "sent" }] });
  await Promise.all([sendJobs(parts, [prepared(1)], 0), sendJobs(parts, [prepared(1)], 0)]);
  assert.deepEqual([seen.sends, seen.sent], [[1], [1]]);
});

test("a push service that fails is left alone by itself: others, which users may have named too, go on", async () => {
  const { parts, seen } = world({});
  const breakers = openBreakers();
  const asked: string[] = [];
  parts.breakers = breakers;
  parts.sender = {
    async send(outgoing) {
      const { endpoint } = outgoing as { endpoint: string };
      asked.push(new URL(endpoint).host);
      return endpoint.includes("bad") ? { is: "misconfigured", reason: "401" } : { is: "sent" };
    },
    close: async () => undefined,
  };
  const to = (seq: number, endpoint: string) =>
    ({ ...prepared(seq), outgoing: { provider: "webpush", endpoint } }) as unknown as Prepared;
  await sendJobs(parts, [to(1, "https://bad.test/1")], 0);
  await sendJobs(parts, [to(2, "https://bad.test/2"), to(3, "https://good.test/3")], 0);
  assert.deepEqual(asked, ["bad.test", "good.test"]);
  assert.equal(breakers.whole.waitMs(), 0);
  assert.deepEqual(seen.sent, [3]);
});

/** What the log says of providers. */
const providerLines = (lines: readonly Line[]) =>
  lines.filter(({ event }) => String(event).startsWith("push_provider"));

test("a provider that takes nothing of us is one error in the log each time it is left alone, with its reason, and one line when it works again", async () => {
  const clock = { now: 0 };
  const no = { is: "misconfigured", reason: "InvalidProviderToken" } as const;
  const { parts, lines } = world({ 1: [no], 2: [no], 3: [no], 4: [{ is: "sent" }], 5: [{ is: "sent" }] });
  parts.breakers = openBreakers(() => clock.now);
  await sendJobs(parts, [prepared(1), prepared(2)], 0);
  clock.now += parts.breakers.whole.waitMs();
  await sendJobs(parts, [prepared(3)], 0);
  await sendJobs(parts, [prepared(4), prepared(5)], 0);
  const [first, second, ...rest] = providerLines(lines);
  const alone = { event: "push_provider_left_alone", provider: "fcm", outcome: "misconfigured", reason: no.reason };
  for (const line of [first, second]) {
    assert.deepEqual({ ...line, ms: 0 }, { level: "error", ...alone, ms: 0 });
    assert.ok((line?.ms as number) >= 5_000, "it says for how long");
  }
  assert.deepEqual(rest, [{ level: "info", event: "push_provider_works", provider: "fcm" }]);
});

test("a provider that is away is a warning, of Web Push with the push service's origin and nothing of the endpoint behind it", async () => {
  const { parts, lines } = world({});
  parts.breakers = openBreakers();
  parts.sender = { send: async () => ({ is: "later", reason: "503" }), close: async () => undefined };
  const endpoint = "https://bad.test/of-a-device";
  const some = Array.from({ length: 25 }, (_, seq) => {
    const outgoing = { provider: "webpush", endpoint };
    return { ...prepared(seq), outgoing } as unknown as Prepared;
  });
  await sendJobs({ ...parts, provider: "webpush" }, some, 0);
  const [line, ...rest] = providerLines(lines);
  const { ms, ...said } = line!;
  assert.ok((ms as number) > 0);
  const about = { provider: "webpush", origin: "https://bad.test", outcome: "later", reason: "503" };
  assert.deepEqual(said, { level: "warn", event: "push_provider_left_alone", ...about });
  assert.deepEqual(rest, []);
  assert.ok(!JSON.stringify(lines).includes("of-a-device"));
});

test("what waited long for its turn is looked at anew before it is sent", async (t) => {
  const { parts, seen } = world({ 1: [{ is: "sent" }] });
  let now = 0;
  t.mock.method(performance, "now", () => now);
  parts.turns = {
    inTurn: async (_, work) => {
      now += 6_000;
      return work();
    },
  };
  await sendJobs(parts, [prepared(1)], 0);
  assert.deepEqual(
    [seen.sends, seen.queued.map(({ seqs, attempt }) => [seqs, attempt])],
    [[], [[[1], 1]]],
    "late ones look whether their device has come",
  );
});

test("what is never asked of a provider for long is prepared less and less often", async () => {
  const { parts, seen } = world({ 1: [{ is: "later", reason: "too many are under way", unasked: true }] });
  const old = prepared(1);
  await sendJobs(parts, [{ ...old, job: { ...old.job, at: Date.now() - 1_200_000 } } as Prepared], 1);
  assert.ok(seen.queued[0]!.inMs > 290_000, String(seen.queued[0]!.inMs));
});

test("a push service that was left alone is tried with one notification", async () => {
  const { parts, seen } = world({});
  let now = 0;
  parts.breakers = openBreakers(() => now);
  let asked = 0;
  const answer = Promise.withResolvers<Outcome>();
  const fail: Outcome = { is: "misconfigured", reason: "401" };
  parts.sender = { send: async () => (asked++ === 0 ? fail : answer.promise), close: async () => undefined };
  const to = (seq: number) =>
    ({
      ...prepared(seq),
      outgoing: { provider: "webpush", endpoint: `https://one.test/${seq}` },
    }) as unknown as Prepared;
  await sendJobs(parts, [to(1)], 0);
  now += 400_000;
  const all = sendJobs(parts, [to(2), to(3), to(4)], 0);
  await new Promise(setImmediate);
  assert.equal(asked, 2);
  answer.resolve({ is: "sent" });
  await all;
  assert.deepEqual([asked, seen.sent], [2, [2]]);
});
