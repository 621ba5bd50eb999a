// Messages that are sent later: over HTTP with the real history, and killed between the steps.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  AppError,
  type AppendItem,
  historyGet,
  limits,
  messagesScheduled,
  methodSubject,
  type NotifyRequest,
  type ScheduledNotice,
  subjects,
} from "@parley/protocol";
import { callMethod, readSecrets, request } from "@parley/runtime";
import { openStore } from "@parley/store";
import { eventually, serviceContext } from "@parley/testkit";
import { scheduledKey } from "../src/scheduled/row.ts";
import { startSending } from "../src/scheduled/send.ts";
import { openApiStore, type ScheduledDoc } from "../src/store.ts";
import { startApiProcess } from "./api-process.ts";
import { startHistoryProcess } from "./history-process.ts";
import { password, type Reply } from "./surroundings.ts";

const api = await startApiProcess({ after });
await api.start();
const history = startHistoryProcess({ after }, api);
const told: ScheduledNotice[] = [];
/** ids of carol's messages */
const failures: string[] = [];
api.nats.subscribe(subjects.notify, {
  callback: (_, message) => {
    const { uids, packet } = message.json<NotifyRequest>();
    const notice = packet as ScheduledNotice;
    if (notice.type === "scheduled" && uids?.[0] === "alice") told.push(notice);
    if (notice.type === "scheduled" && notice.state === "failed" && uids?.[0] === "carol") failures.push(notice.id);
  },
});
await api.nats.flush();

const token: Record<string, string> = {};
for (const username of ["alice", "bob"]) {
  await api.call("POST", "/register", { json: { username, password } });
  const { body } = await api.call("POST", "/login", { json: { username, password, device: "web" } });
  token[username] = body.token;
}
const as = (uid: string, verb: string, path: string, json?: object): Promise<Reply> =>
  api.call(verb, path, { token: token[uid]!, ...(json ? { json } : {}) });
const text = (id: string, more: object = {}) => ({
  id,
  to: "user/bob",
  content: { type: "text", data: id },
  ...more,
});
const later = () => Date.now() + 3_600_000;
const schedule = (id: string, at: number, more: object = {}) =>
  as("alice", "POST", "/scheduled", { at, message: text(id, more) });
const listed = async () => (await as("alice", "GET", "/scheduled")).body.scheduled as { id: string; state: string }[];
const stored = async () => {
  const { body } = await as("bob", "GET", "/conversations/p2p%2Falice%2Fbob/messages");
  return (body.messages ?? []) as { id: string; ts: number; device: string }[];
};
const sent = (id: string) => eventually(async () => (await stored()).find((message) => message.id === id));
const refused = ({ status, body }: Reply, expected: number, code: string) =>
  assert.deepEqual([status, body.error?.code], [expected, code], JSON.stringify(body));
// History has all partitions from here on.
await eventually(async () => (await as("alice", "POST", "/messages", text("first"))).status === 200);

test("a scheduled message is sent at its time, not before, from the device that scheduled it, and is listed no longer", async () => {
  const { status, body } = await schedule("soon", later());
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(
    { ...body, message: body.message.content },
    { id: "soon", conv: "p2p/alice/bob", at: body.at, state: "waiting", message: { type: "text", data: "soon" } },
  );
  assert.deepEqual(await listed(), [body]);
  assert.equal(
    (await stored()).some(({ id }) => id === "soon"),
    false,
  );
  const at = Date.now() + 500;
  await as("alice", "PUT", "/scheduled/soon", { at });
  const message = await sent("soon");
  assert.ok(message && message.ts >= at, `${message?.ts} is not before ${at}`);
  assert.equal(message.device, "alice:web");
  await eventually(async () => (await listed()).length === 0);
  await eventually(() => told.filter(({ id }) => id === "soon").length === 3);
  assert.deepEqual(
    told.filter(({ id }) => id === "soon").map(({ state }) => state),
    ["waiting", "waiting", "sent"],
  );
  refused(await schedule("soon", later()), 409, "conflict");
});

test("its time and its text can be changed, by whoever scheduled it and nobody else, and taken back", async () => {
  await schedule("changed", later());
  refused(await as("bob", "DELETE", "/scheduled/changed"), 404, "not_found");
  refused(await as("bob", "PUT", "/scheduled/changed", { at: later() }), 404, "not_found");
  const content = { type: "text", data: "another text" };
  const changed = await as("alice", "PUT", "/scheduled/changed", { message: { to: "user/bob", content } });
  assert.deepEqual([changed.body.id, changed.body.message.content], ["changed", content], JSON.stringify(changed.body));
  refused(await as("alice", "PUT", "/scheduled/changed", { message: text("other") }), 400, "invalid_packet");
  await as("alice", "PUT", "/scheduled/changed", { at: Date.now() + 500 });
  await sent("changed");
  await schedule("taken back", later());
  const path = `/scheduled/${encodeURIComponent("taken back")}`;
  assert.deepEqual((await as("alice", "DELETE", path)).body, { id: "taken back" });
  refused(await as("alice", "DELETE", path), 404, "not_found");
  await eventually(async () => (await listed()).length === 0);
});

test("the same request again schedules once; another message under its id is a conflict", async () => {
  const at = later();
  const [one, again] = [await schedule("twice", at), await schedule("twice", at)];
  assert.deepEqual([again.status, again.body], [200, one.body]);
  refused(await schedule("twice", at, { content: { type: "text", data: "else" } }), 409, "conflict");
  await as("alice", "DELETE", "/scheduled/twice");
});

test("what would be refused now is refused at once, and bad input with what is wrong", async () => {
  refused(await schedule("a", later(), { to: "user/nobody" }), 404, "not_found");
  refused(await schedule("a", later(), { to: "room/none" }), 404, "not_found");
  refused(await schedule("a", later(), { to: "nowhere" }), 400, "invalid_packet");
  refused(await schedule("a", later(), { content: { type: "event" } }), 403, "forbidden");
  refused(await schedule("a", later(), { content: { type: "edit", seq: 9_999, data: "x" } }), 404, "not_found");
  refused(await schedule("a", later(), { prev: "first" }), 400, "invalid_packet");
  refused(await schedule("a", Date.now() - 1), 400, "invalid_packet");
  refused(await schedule("a", Date.now() + (limits.scheduledDays + 1) * 24 * 3_600_000), 400, "invalid_packet");
  refused(await as("alice", "POST", "/scheduled", { message: text("a") }), 400, "invalid_packet");
  refused(await as("alice", "POST", "/scheduled", { at: later(), message: text("a"), more: 1 }), 400, "invalid_packet");
  refused(await as("alice", "PUT", "/scheduled/none", { at: later() }), 404, "not_found");
  refused(await as("alice", "PUT", "/scheduled/none", {}), 400, "invalid_packet");
  refused(await as("alice", "GET", "/scheduled?page=zzz"), 400, "invalid_packet");
  const large = { content: { type: "text", data: "x".repeat(limits.packetBytes) } };
  refused(await schedule("a", later(), large), 413, "too_large");
  assert.deepEqual(await listed(), []);
});

test("a user who was blocked meanwhile is told why on own devices; the message stays as failed and can be sent later", async () => {
  // Where the block was slower than the second it had, another message is tried.
  const notice = await eventually(async () => {
    const unwanted = crypto.randomUUID();
    await schedule(unwanted, Date.now() + 1_000);
    assert.equal((await as("bob", "POST", "/roster/alice/block")).status, 200);
    const ended = await eventually(() => told.find(({ id, state }) => id === unwanted && state !== "waiting"));
    if (ended?.state === "failed") return ended;
    await as("bob", "POST", "/roster/alice/unblock");
    return undefined;
  });
  const { id, error } = notice as ScheduledNotice;
  assert.equal(error?.code, "blocked");
  assert.deepEqual(
    (await listed()).map((one) => [one.id, one.state]),
    [[id, "failed"]],
  );
  refused(await as("alice", "PUT", `/scheduled/${id}`, { at: later() }), 403, "blocked");
  await as("bob", "POST", "/roster/alice/unblock");
  assert.equal((await as("alice", "PUT", `/scheduled/${id}`, { at: Date.now() + 500 })).status, 200);
  await sent(id);
});

test("a message whose sender is disabled at its time stays as failed, and is sent when that is over", async () => {
  const { servicesSecret } = readSecrets(`${api.folder}/secrets`);
  const { key } = (await api.call("POST", "/keys", { token: servicesSecret, json: { name: "app" } })).body;
  await api.call("POST", "/register", { json: { username: "carol", password } });
  const login = async () =>
    (await api.call("POST", "/login", { json: { username: "carol", password, device: "web" } })).body.token as string;
  token.carol = await login();
  const message = text("meanwhile");
  const before = failures.length;
  assert.equal((await as("carol", "POST", "/scheduled", { at: Date.now() + 2_000, message })).status, 200);
  await api.call("POST", "/users/carol/disable", { token: key, json: {} });
  await eventually(() => failures.length > before);
  await api.call("POST", "/users/carol/enable", { token: key, json: {} });
  token.carol = await login();
  const { scheduled } = (await as("carol", "GET", "/scheduled")).body;
  assert.deepEqual(
    scheduled.map(({ id, state }: { id: string; state: string }) => [id, state]),
    [["meanwhile", "failed"]],
  );
  assert.equal((await as("carol", "PUT", "/scheduled/meanwhile", { at: Date.now() + 500 })).status, 200);
  await eventually(async () => {
    const { body } = await as("bob", "GET", "/conversations/p2p%2Fbob%2Fcarol/messages");
    return (body.messages ?? []).some(({ id }: { id: string }) => id === "meanwhile");
  });
});

test("numbers are stored as they were written", async () => {
  const at = Date.now() + 2_000;
  const raw = `{"at":${at},"message":{"id":"exact","to":"user/bob","content":{"type":"text"},"big":9007199254740993}}`;
  assert.equal((await api.call("POST", "/scheduled", { token: token.alice!, raw })).status, 200);
  await sent("exact");
  const asked = { caller: { uid: "bob", via: "service" }, params: { conv: "p2p/alice/bob" } };
  const page = await request(api.nats, methodSubject(historyGet.name), JSON.stringify(asked), { timeoutMs: 5_000 });
  assert.match(Buffer.from(page).toString(), /"big":9007199254740993/);
});

test("a page ends before what the device takes, and goes on behind it", async () => {
  for (const id of ["1", "2", "3"]) await schedule(id, later() + Number(id), { note: "x".repeat(3_000) });
  const caller = { uid: "alice", via: "service" as const, maxBytes: 8_192 };
  const ask = (page?: string) =>
    callMethod(api.nats, messagesScheduled, caller, page === undefined ? {} : { page }, { timeoutMs: 5_000 });
  const first = await ask();
  const second = await ask(first.next!);
  assert.deepEqual([first, second].map(({ scheduled }) => scheduled.map(({ id }) => id)), [["1", "2"], ["3"]]); // biome-ignore format: one line
  assert.equal(second.next, null);
  for (const id of ["1", "2", "3"]) await as("alice", "DELETE", `/scheduled/${id}`);
});

for (const point of ["before-schedule-reply", "before-scheduled-send", "before-scheduled-done"] as const)
  test(`a scheduled message is sent once after an api that died ${point}`, async () => {
    await api.kill();
    await api.start(point);
    const isScheduling = point === "before-schedule-reply";
    const at = isScheduling ? later() : Date.now() + 500;
    const answered = schedule(point, at).then(
      ({ status }) => status,
      () => "nothing",
    );
    assert.equal(await api.died(), "SIGKILL");
    await answered;
    await api.start();
    if (isScheduling) {
      assert.equal((await schedule(point, at)).status, 200);
      await as("alice", "PUT", `/scheduled/${point}`, { at: Date.now() + 500 });
    }
    await sent(point);
    await eventually(async () => (await listed()).length === 0);
    assert.equal((await stored()).filter(({ id }) => id === point).length, 1);
  });

test("what was due while nothing ran is sent at the start, in order; what history could not take is sent when it is back", async () => {
  const at = Date.now() + 3_000;
  for (const n of [3, 1, 2]) await schedule(`stop-${n}`, at + n);
  await history.kill();
  await api.kill();
  await eventually(() => Date.now() > at + 10);
  await api.start();
  await eventually(async () => (await listed()).some(({ state }) => state === "sending"));
  refused(await as("alice", "DELETE", "/scheduled/stop-1"), 409, "conflict");
  history.start();
  await sent("stop-3");
  const ids = (await stored()).map(({ id }) => id).filter((id) => id.startsWith("stop-"));
  assert.deepEqual(ids, ["stop-1", "stop-2", "stop-3"]);
});

test("of two replicas each message is sent by one, in the order of their times", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-scheduled-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const opened = await openStore(`sqlite:${folder}`, { service: "api", lockWaitMs: 0 });
  t.after(() => opened.close());
  const store = await openApiStore(opened.documents());
  await store.users.insert("ann", { uid: "ann", passwordHash: null, name: null, createdAt: 0, kind: "user", madeBy: "x" }); // biome-ignore format: one line
  const count = 300;
  const docs = Array.from({ length: count }, (_, n): { key: string; doc: ScheduledDoc } => {
    const [id, to, at] = [`m${n}`, `user/u${n % 20}`, Date.now() - 1_000 + n];
    const body = JSON.stringify({ id, to, content: { type: "text" } });
    const doc = { uid: "ann", device: "ann:web", id, conv: `p2p/ann/u${n % 20}`, body, at, dueAt: at };
    return { key: scheduledKey("ann", id), doc };
  });
  await store.scheduled.put(docs);
  const appended: AppendItem[] = [];
  let failures = 3;
  const append = async (item: AppendItem) => {
    if (item.id === "m20" && failures-- > 0) throw new AppError("unavailable");
    appended.push(item);
    return { seq: 1, ts: 1, memberSeq: 0 };
  };
  const parts = { store, history: { append }, tell: () => {}, pass: () => {}, log: serviceContext("api").log };
  const replicas = [startSending(parts), startSending(parts)];
  await eventually(async () => (await store.scheduled.find({ limit: 1 })).items.length === 0);
  await Promise.all(replicas.map((one) => one.close()));
  assert.equal(appended.length, count, "each once");
  for (const [conv, items] of Map.groupBy(appended, (item) => item.conv)) {
    const numbers = items.map(({ id }) => Number(id.slice(1)));
    assert.deepEqual(numbers, numbers.toSorted((one, other) => one - other), conv); // biome-ignore format: one line
  }
});

test(`a user has at most ${limits.scheduled} scheduled messages, failed ones counted`, async () => {
  for (let n = 0; n < limits.scheduled; n += 20)
    await Promise.all(Array.from({ length: 20 }, (_, at) => schedule(`many-${n + at}`, later())));
  assert.equal((await schedule("many-0", later())).status, 409);
  refused(await schedule("one too many", later()), 409, "conflict");
  await as("alice", "DELETE", "/scheduled/many-0");
  assert.equal((await schedule("one too many", later())).status, 200);
});
