// What conversations are called in lists, on real NATS and SQLite, with api's answer about names played.
import assert from "node:assert/strict";
import { test } from "node:test";
import { conversationsUpdate, type NamesRequest, subjects } from "@parley/protocol";
import { answerJson, callMethod } from "@parley/runtime";
import { startTestHistory } from "./surroundings.ts";

test("a conversation of two is called as the other is called, by one request a page, and by the uid while nobody answers it", async (t) => {
  const history = await startTestHistory(t);
  const asked: NamesRequest[] = [];
  const startNames = () =>
    answerJson<NamesRequest>(history.nats, subjects.names, "api", (request) => {
      asked.push(request);
      return { names: request.uids.map((uid) => `${uid} as ${request.by} says`) };
    });
  await history.say("bea", "amy", "1");
  await history.say("amy", "amy", "2");
  await history.say("amy", "dev/amy/cal/cal:phone", "3");
  await history.say("dot", "amy", "4");
  await history.change("tea", { event: "create", by: "amy", uids: [], name: "Tea" });
  const caller = { uid: "amy", via: "service" as const };
  const own = { conv: "p2p/amy/dot", name: "D." };
  await callMethod(history.nats, conversationsUpdate, caller, own, { timeoutMs: 30_000 });
  const names = async (limit: number) => {
    const found: Record<string, string> = {};
    for (let page: string | null | undefined; page !== null; ) {
      const answer = await history.list("amy", { limit, ...(page === undefined ? {} : { page }) });
      for (const { conv, name } of answer.conversations) found[conv] = name;
      page = answer.next;
    }
    return found;
  };
  const given = { "p2p/amy/dot": "D.", "room/tea": "Tea" };
  const plain = { ...given, "p2p/amy/bea": "bea", "p2p/amy/amy": "amy", "dev/amy/cal/cal:phone": "cal" };
  assert.deepEqual(await names(100), plain);

  const answering = startNames();
  await history.nats.flush();
  const called = Object.fromEntries(
    Object.entries(plain).map(([conv, name]) => [conv, conv in given ? name : `${name} as amy says`]),
  );
  assert.deepEqual(await names(100), called);
  assert.deepEqual(
    asked.map(({ by, uids }) => [by, uids.toSorted()]),
    [["amy", ["amy", "bea", "cal"]]],
  );
  assert.deepEqual(await names(2), called, "page by page too");
  const texts = await Promise.all(
    Array.from({ length: 8 }, (_, at) => history.say(`far${at}`, "amy", `${at}${"x".repeat(50_000)}`)),
  );
  assert.equal(texts.length, 8);
  asked.length = 0;
  const first = await history.list("amy", { limit: 100 });
  assert.ok(first.next !== null && first.conversations.length > 1);
  for (const { conv, name } of first.conversations) assert.match(name, / as amy says$/, conv);
  assert.ok(
    (asked[0]?.uids.length ?? 0) <= first.conversations.length + 1,
    "those on the page are asked for, not all there are",
  );
  await answering.close();
  assert.deepEqual((await names(100))["p2p/amy/bea"], "bea");
});
