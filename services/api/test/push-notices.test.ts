// Requests and acceptances of contacts, which push is told of: once they are made, whoever dies and whatever is away meanwhile.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AppError, type PushNoticeRequest, subjects } from "@parley/protocol";
import { answerJson, connectNats, type NatsConnection } from "@parley/runtime";
import { openStore } from "@parley/store";
import { eventually, serviceContext, startServers, type TestContext } from "@parley/testkit";
import { pairKey } from "../src/people/pairs.ts";
import { startTellingPush } from "../src/people/tell-push.ts";
import { openApiStore, type PairDoc, type Side } from "../src/store.ts";
import { startApiProcess } from "./api-process.ts";
import { startHistoryProcess } from "./history-process.ts";
import { password, startTestApi, type TestApi } from "./surroundings.ts";

type Told = Omit<PushNoticeRequest, "at">;

/** Push, which takes all it is told. */
function startPush(t: Pick<TestContext, "after">, nats: NatsConnection) {
  const told: PushNoticeRequest[] = [];
  const push = { told, isFull: false };
  const answering = answerJson<PushNoticeRequest>(nats, subjects.pushNotice, "push", (notice) => {
    if (push.isFull) throw new AppError("unavailable");
    told.push(notice);
    return {};
  });
  t.after(() => answering.close());
  return push;
}

const words = (told: readonly Told[]) => told.map(({ uid, kind, by }) => `${uid}: ${kind} by ${by}`);

async function startApi(t: TestContext, uids: readonly string[]) {
  const api = await startTestApi(t);
  startHistoryProcess(t, api);
  const tokens = new Map<string, string>();
  for (const uid of uids) tokens.set(uid, (await api.user(uid)).token);
  const token = tokens.get(uids[0] as string) as string;
  await eventually(async () => (await api.call("POST", "/sync", { token, json: {} })).status === 200, {
    timeoutMs: 150_000,
  });
  return { api, tokens, act: acting(api, tokens) };
}

const acting =
  (api: Pick<TestApi, "call">, tokens: ReadonlyMap<string, string>) => async (uid: string, path: string) => {
    const { status, body } = await api.call("POST", `/roster/${path}`, { token: tokens.get(uid) as string });
    assert.equal(status, 200, JSON.stringify(body));
  };

test("who is asked is told of a request, and who asked that it was accepted; nobody of anything else", async (t) => {
  const { api, act } = await startApi(t, ["ann", "ben", "cat", "dan", "eve", "fay"]);
  const { told } = startPush(t, api.nats);
  await act("ann", "ben/request");
  await eventually(() => told.length === 1);
  assert.deepEqual(words(told), ["ben: request by ann"]);
  assert.ok(Math.abs(Date.now() - told[0]!.at) < 60_000);
  await act("ann", "ben/request");
  await act("ben", "ann/confirm");
  await eventually(() => told.length === 2);
  await act("ben", "ann/mute");
  await act("cat", "ann/block");
  await act("ann", "cat/request");
  await act("fay", "ann/mute");
  await act("ann", "fay/request");
  await act("dan", "ann/mute");
  await act("ann", "dan/request");
  await act("dan", "ann/confirm");
  await act("eve", "ann/request");
  await act("ann", "eve/refuse");
  await act("ann", "eve/request");
  await act("eve", "ann/request");
  await eventually(() => ["dan", "eve"].every((by) => words(told).includes(`ann: accepted by ${by}`)));
  const all = words(told);
  assert.deepEqual(all.slice(0, 2), ["ben: request by ann", "ann: accepted by ben"]);
  // Of what came to nothing, or was accepted, before it was told nobody need hear.
  assert.deepEqual(
    all.slice(2).filter((one) => !["ann: request by eve", "eve: request by ann"].includes(one)),
    ["ann: accepted by dan", "ann: accepted by eve"],
    "not cat, who has blocked, and neither dan nor fay, who have muted",
  );
});

test("with push away, or full, rosters change at once, and it is told when it is there; not of what was taken back, or of whom one has blocked since", async (t) => {
  const { api, act, tokens } = await startApi(t, ["ann", "ben", "cat", "dan", "eve"]);
  await act("ann", "ben/request");
  await act("ann", "cat/request");
  await eventually(() => api.lines.some(({ event }) => event === "push_not_told"));
  await act("ann", "cat/revoke");
  const changed = { token: tokens.get("ann") as string, json: { note: "from school" } };
  assert.equal((await api.call("PUT", "/roster/ben", changed)).status, 200);
  await act("ann", "eve/request");
  await act("eve", "ann/confirm");
  await act("ann", "eve/block");
  const push = startPush(t, api.nats);
  push.isFull = true;
  await act("ann", "dan/request");
  push.isFull = false;
  await eventually(() => push.told.length === 2);
  assert.deepEqual(words(push.told).toSorted(), ["ben: request by ann", "dan: request by ann"]);
});

test("a request of which push was told when api died is told again, and one is told by whichever api lives", async (t) => {
  const api = await startApiProcess(t);
  startHistoryProcess(t, { natsServer: api.natsServer, redis: api.redis, folder: api.folder });
  await api.start("before-notice-told");
  const tokens = new Map<string, string>();
  for (const username of ["ann", "ben"]) {
    await api.call("POST", "/register", { json: { username, password } });
    tokens.set(username, (await api.call("POST", "/login", { json: { username, password } })).body.token);
  }
  const { told } = startPush(t, api.nats);
  await acting(api, tokens)("ann", "ben/request");
  assert.equal(await api.died(), "SIGKILL");
  assert.deepEqual(words(told), ["ben: request by ann"]);
  await api.start();
  await eventually(() => told.length === 2);
  assert.deepEqual(told[1], told[0]);
});

test("what push did not take for ten minutes is given up, as soon as it is looked at", async (t) => {
  const { nats: server } = await startServers(t, { nats: true });
  const { log, lines } = serviceContext("api");
  const nats = await connectNats({ url: server.url, name: "test", log });
  t.after(() => nats.close());
  const folder = await mkdtemp(join(tmpdir(), "parley-notices-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const opened = await openStore(`sqlite:${folder}`, { service: "api" });
  t.after(() => opened.close());
  const store = await openApiStore(opened.documents());
  const side: Side = {
    ...{ relation: "pending", blocked: false, muted: false, nick: "", group: "", note: "", tags: [] },
    changedAt: 1,
  };
  const pairOf = (b: string, at: number): PairDoc => ({
    ...{ a: "ann", b, ofB: side, changedAt: 1, noticeToB: { kind: "request", at }, notifyAt: at },
  });
  const now = Date.now();
  const pairs = [pairOf("ben", now - 601_000), pairOf("cat", now - 500_000)];
  await store.pairs.put(pairs.map((doc) => ({ key: pairKey("ann", doc.b), doc })));
  const telling = startTellingPush({ store, nats, pass: () => undefined }, log);
  t.after(() => telling.close());
  const kept = async (b: string) => (await store.pairs.get(pairKey("ann", b)))?.doc;
  await eventually(async () => (await kept("ben"))?.notifyAt === undefined);
  const { noticeToB: _, notifyAt: __, ...rest } = pairs[0] as PairDoc;
  assert.deepEqual(await kept("ben"), rest, "the roster itself stays");
  await eventually(() => lines.some(({ event }) => event === "push_not_told"));
  const cats = await kept("cat");
  assert.deepEqual(cats?.noticeToB, pairs[1]?.noticeToB);
  assert.ok((cats?.notifyAt ?? 0) > now + 10_000, "the longer it waits the later it is tried again");
});
