import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type Message, type PushJob, type PushStateReply } from "@parley/protocol";
import type { ApnsNotification } from "../providers/outgoing.ts";
import { type KeptToken, type Prepared, type PrepareParts, prepare } from "./prepare.ts";

const now = 10_000_000;
const token: KeptToken = {
  key: "t1",
  uid: "bob",
  clientId: "bob:phone",
  kind: "apns",
  token: "ab".repeat(32),
  appId: "org.example.chat",
  language: "en",
  sandbox: false,
  registeredAt: 1,
};
const job = (seq: number, more: Partial<PushJob> = {}): PushJob => ({
  kind: "message",
  uid: "bob",
  clientId: "bob:phone",
  token: "t1",
  conv: "p2p/ann/bob",
  seq,
  at: now - 2_000,
  ...more,
});
const message = (conv: string, seq: number, content: object = { type: "text", data: `words ${seq}` }) =>
  ({ conv, seq, id: `m${seq}`, from: "ann", device: "ann:web", ts: 1, to: "user/bob", content }) as unknown as Message;

/** Everybody knows of everything; `asked` is what history was asked. */
function parts(more: Partial<PrepareParts> = {}) {
  const asked: object[][] = [];
  const all: PrepareParts = {
    ask: {
      async states(places) {
        asked.push([...places]);
        const reply: PushStateReply = { states: [], messages: {}, badges: { bob: 7 }, rooms: { "room/r": "Tea" } };
        for (const { conv, seq } of places) {
          reply.states.push({ mayRead: true, readSeq: 0, unread: 3 });
          reply.messages[`${conv} ${seq}`] = seq === 0 ? null : message(conv, seq, seq === 9 ? picture : undefined);
        }
        return reply;
      },
      people: async (pairs) => pairs.map(({ by }) => ({ name: by.toUpperCase(), relation: "pending" })),
      thumbnails: async (files) => files.map(({ file, uid }) => `https://chat.test/${uid}/${file}`),
    },
    tokens: async (keys) => new Map(keys.includes("t1") ? [["t1", token]] : []),
    settingsOf: async (uids) => new Map(uids.map((uid) => [uid, { preview: "full", mentions: true, dndUntil: null }])),
    activeDevices: async () => new Set(),
    marks: { of: async (jobs) => jobs.map(() => ({ isSent: false })) },
    ttlMs: 86_400_000,
    now: () => now,
    ...more,
  };
  return { asked, all };
}
const picture = { type: "image", file: "f1", name: "a.jpg" };
const skipsOf = (prepared: readonly Prepared[]) =>
  prepared.map((one) => ("skip" in one ? one.skip : "dead" in one ? one.dead : "sent"));

test("a job becomes a notification with names, badge and room as they are now, and each place is asked for once", async () => {
  const { asked, all } = parts();
  const jobs = [
    job(3),
    job(3),
    job(4, { conv: "room/r" }),
    job(9),
    job(0, { kind: "request", by: "cal", conv: undefined as never }),
  ];
  const prepared = await prepare(all, jobs, 0);
  assert.deepEqual(skipsOf(prepared), ["sent", "sent", "sent", "sent", "sent"]);
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.length, 4);
  const sent = prepared.map((one) => ("outgoing" in one ? (one.outgoing as ApnsNotification) : undefined));
  assert.equal(sent[0]?.token, token.token);
  const texts = JSON.stringify(sent.map((one) => one?.payload));
  for (const word of ["ANN", "words 3", "Tea", "CAL", '"badge":7', "https://chat.test/bob/f1"])
    assert.ok(texts.includes(word), `${word} is not in ${texts}`);
});

test("a token that is gone, or moved to another user or device, is told nothing", async () => {
  const { asked, all } = parts();
  const jobs = [job(1, { token: "t2" }), job(1, { uid: "eve" }), job(1, { clientId: "bob:old" })];
  assert.deepEqual(skipsOf(await prepare(all, jobs, 0)), ["token_gone", "token_gone", "token_gone"]);
  assert.deepEqual(asked, []);
});

test("what was sent before a crash is not sent again, and what is too old is not sent at all", async () => {
  const { all } = parts({
    marks: { of: async (jobs) => jobs.map(({ seq }) => ({ isSent: seq === 1, newer: 9 })) },
  });
  const old = job(3, { at: now - 86_400_001 });
  assert.deepEqual(skipsOf(await prepare(all, [job(1), job(2), old], 0)), ["sent_already", "sent", "expired"]);
});

test("after an outage, or when it is tried again, the newest message of a conversation stands for all, and who has come is not told", async () => {
  const marks: PrepareParts["marks"] = {
    of: async (jobs) => jobs.map(({ seq = 0 }) => ({ isSent: false, ...(seq < 5 && { newer: 5 }) })),
  };
  const late = [job(4, { at: now - 60_001 }), job(5, { at: now - 60_001 }), job(4, { at: now - 59_999 })];
  assert.deepEqual(skipsOf(await prepare(parts({ marks }).all, late, 0)), ["merged", "sent", "sent"]);
  assert.deepEqual(skipsOf(await prepare(parts({ marks }).all, [job(4), job(5)], 1)), ["merged", "sent"]);
  const activeDevices = async () => new Set(["bob bob:phone"]);
  assert.deepEqual(skipsOf(await prepare(parts({ activeDevices }).all, late.slice(1), 0)), ["connected", "sent"]);
});

test("a newest message that nobody is told of takes no other one's place: it was recalled, or comes from somebody who is muted or blocked", async () => {
  const newest = { recalled: null, muted: "carl", blocked: "dora", allowed: "ann" };
  for (const [how, from] of Object.entries(newest)) {
    const marks: PrepareParts["marks"] = { of: async (jobs) => jobs.map(() => ({ isSent: false, newer: 5 })) };
    const { all } = parts({ marks });
    const ask: PrepareParts["ask"] = {
      ...all.ask,
      async states(places) {
        const reply = await all.ask.states(places);
        for (const { conv, seq } of places)
          if (seq === 5) reply.messages[`${conv} 5`] = from === null ? null : { ...message(conv, 5), from };
        return reply;
      },
      people: async (pairs) =>
        pairs.map(({ by }) => ({
          name: by,
          ...(by === "carl" && { muted: true as const }),
          ...(by === "dora" && { blocked: true as const }),
        })),
    };
    const prepared = await prepare({ ...all, ask }, [job(4, { conv: "room/r" })], 1);
    assert.deepEqual(skipsOf(prepared), [how === "allowed" ? "merged" : "sent"], how);
  }
});

test("without an address of its picture a notification goes without one; without an answer of history none goes", async () => {
  const away = async () => {
    throw new AppError("unavailable", "nobody answers");
  };
  const { all } = parts();
  const [prepared] = await prepare({ ...all, ask: { ...all.ask, thumbnails: away } }, [job(9)], 0);
  assert.ok(prepared && "outgoing" in prepared && prepared.notice.thumbnailUrl === undefined);
  await assert.rejects(prepare({ ...all, ask: { ...all.ask, states: away } }, [job(9)], 0), { code: "unavailable" });
  await assert.rejects(prepare({ ...all, ask: { ...all.ask, people: away } }, [job(9)], 0), { code: "unavailable" });
});

test("a job that is refused is found among many, and the others do not wait for it", async () => {
  const { all } = parts();
  const ask: PrepareParts["ask"] = {
    ...all.ask,
    states: async (places) => {
      if (places.some(({ seq }) => seq === 6)) throw new AppError("invalid_packet", "seq 6 is none");
      return all.ask.states(places);
    },
  };
  const prepared = await prepare({ ...all, ask }, [job(1), job(2), job(6), job(3)], 0);
  assert.deepEqual(
    prepared.map((one) => ("dead" in one ? one.dead : "outgoing" in one && one.job.seq)),
    [1, 2, "invalid_packet: seq 6 is none", 3],
  );
});

test("a request holds nothing of the messages between the two", async () => {
  const [prepared] = await prepare(
    parts().all,
    [job(0, { kind: "request", by: "ann", conv: undefined as never, seq: undefined as never })],
    0,
  );
  assert.ok(prepared && "notice" in prepared);
  assert.deepEqual([prepared.notice.content, prepared.notice.id, prepared.notice.badge], [undefined, undefined, 7]);
});

test("where nothing of a message may be shown no address of its picture is asked for", async () => {
  const { all } = parts({
    settingsOf: async (uids) => new Map(uids.map((uid) => [uid, { preview: "name", mentions: true, dndUntil: null }])),
  });
  const ask = { ...all.ask, thumbnails: () => assert.fail("asked") };
  assert.deepEqual(skipsOf(await prepare({ ...all, ask }, [job(9)], 0)), ["sent"]);
});
