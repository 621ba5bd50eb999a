// Phones: accounts that a code proves, and who brings it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { subjects } from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { password, type Reply, type Session, startTestApi } from "./surroundings.ts";

interface Taken {
  authorization: string | undefined;
  code: { phone?: string; email?: string; code: string; voice?: boolean; language?: string };
}

// The provider: what it was given, and what it answers.
const taken: Taken[] = [];
let status = 200;
const provider = createServer(async (request, response) => {
  const code = JSON.parse(await text(request));
  taken.push({ authorization: request.headers.authorization, code });
  response.statusCode = status;
  response.end("taken");
});
await once(provider.listen(0, "127.0.0.1"), "listening");
after(() => provider.close());
const { port } = provider.address() as AddressInfo;

const numbers = Array.from({ length: 9 }, (_, at) => `38000000${at}=123456`).join(",");
const env = { API_CODES: `http://user:p%40ss@127.0.0.1:${port}/codes`, API_CODES_FIXED: numbers };
const api = await startTestApi({ after }, env);
const post = (path: string, json: object, session?: Session) =>
  api.call("POST", path, { json, ...(session && { token: session.token }) });
const answer = ({ status, body }: Reply) => [status, body.error?.code ?? "done"];
const deviceKey = "a key";

/** A session of a phone whose code is fixed. */
async function session(phone: string): Promise<Session> {
  await post("/phones/register", { phone, deviceKey });
  return (await post("/phones/verify", { phone, deviceKey, code: "123456" })).body as Session;
}

test("the provider is given each code with where it goes and how, and its code is the one that is right", async () => {
  const whose = { phone: "380990000001", deviceKey };
  assert.equal((await post("/phones/register", { ...whose, language: "uk" })).status, 200);
  assert.equal((await post("/phones/resend", { ...whose, voice: true })).status, 200);
  const [first, second] = taken.splice(0);
  assert.equal(first?.authorization, `Basic ${Buffer.from("user:p@ss").toString("base64")}`);
  assert.match(first?.code.code ?? "", /^\d{6}$/);
  assert.deepEqual({ ...first?.code, code: "" }, { phone: whose.phone, language: "uk", code: "" });
  assert.equal(second?.code.voice, true);
  const made = await post("/phones/verify", { ...whose, code: second?.code.code ?? "" });
  assert.deepEqual([made.body.uid, made.status], [`${whose.phone}_1`, 200]);
});

test("a provider that is away or refuses is unavailable, and the next code is sent when it is back", async () => {
  const whose = { phone: "380990000002", deviceKey };
  status = 500;
  assert.deepEqual(answer(await post("/phones/register", whose)), [503, "unavailable"]);
  status = 200;
  assert.equal((await post("/phones/register", whose)).status, 200);
  assert.equal(taken.splice(0).length, 2);
});

test("of guesses that are made at once five are looked at, and no code is right behind them", async () => {
  const whose = { phone: "380990000003", deviceKey };
  await post("/phones/register", whose);
  const [sent] = taken.splice(0);
  const wrong = sent?.code.code === "000000" ? "000001" : "000000";
  const guesses = await Promise.all(
    Array.from({ length: 20 }, () => post("/phones/verify", { ...whose, code: wrong })),
  );
  assert.ok(guesses.every(({ status }) => status >= 400));
  const looked = () => guesses.filter(({ status }) => status === 401).length;
  // Those that met at one write are told to try again.
  while (looked() < 5) guesses.push(await post("/phones/verify", { ...whose, code: wrong }));
  assert.equal(looked(), 5);
  const right = await post("/phones/verify", { ...whose, code: sent?.code.code ?? "" });
  assert.deepEqual(answer(right), [403, "forbidden"]);
});

test("one phone is sent five codes at once, and then waits", async () => {
  const whose = { phone: "380990000004", deviceKey };
  for (let sent = 0; sent < 5; sent++) assert.equal((await post("/phones/register", whose)).status, 200);
  assert.deepEqual(answer(await post("/phones/register", whose)), [429, "rate_limited"]);
  taken.splice(0);
});

test("registrations of one phone at once make one account, and so do those that come later", async () => {
  const phone = "380000000";
  const keys = Array.from({ length: 6 }, (_, at) => `key ${at}`);
  for (const deviceKey of keys) await post("/phones/register", { phone, deviceKey });
  const all = await Promise.all(keys.map((deviceKey) => post("/phones/verify", { phone, deviceKey, code: "123456" })));
  const sessions = all.map(({ body }) => body as Session);
  assert.deepEqual([...new Set(sessions.map(({ uid }) => uid))], [`${phone}_1`]);
  assert.equal(new Set(sessions.map(({ clientId }) => clientId)).size, 6);
  const { body } = await api.call("GET", "/accounts", { token: (await session(phone)).token });
  assert.equal(body.accounts.length, 1);
});

test("a name of a phone's account is registered by nobody else, as uid or alias", async () => {
  assert.deepEqual(answer(await post("/register", { username: "380000001_1", password })), [403, "forbidden"]);
  const eve = await api.user("eve", "web");
  assert.deepEqual(answer(await post("/aliases", { alias: "380000001_1" }, eve)), [403, "forbidden"]);
  assert.deepEqual(answer(await post("/accounts", { uid: "380000001_2" }, eve)), [403, "forbidden"]);
  assert.equal((await session("380000001")).uid, "380000001_1");
});

test("a code proves one phone: not another one, and not for another device", async () => {
  await post("/phones/register", { phone: "380000002", deviceKey });
  for (const other of [{ phone: "380000003" }, { deviceKey: "another" }]) {
    const whose = { phone: "380000002", deviceKey, code: "123456", ...other };
    assert.deepEqual(answer(await post("/phones/verify", whose)), [404, "not_found"]);
  }
  assert.equal((await post("/phones/verify", { phone: "380000002", deviceKey, code: "123456" })).status, 200);
});

test("an account with a password is not erased without it", async () => {
  const bob = await api.user("bob", "web");
  assert.deepEqual(answer(await post("/account/remove", {}, bob)), [401, "unauthenticated"]);
});

test("a login moves to another phone with all its accounts, which are found by it, and the old phone is anybody's", async () => {
  const ada = await session("380000005");
  await post("/phones/accounts", {}, ada);
  await post("/phones/migrate", { phone: "380000006" }, ada);
  const move = { phone: "380000006", code: "123456" };
  assert.deepEqual(answer(await post("/phones/confirm", { ...move, code: "000000" }, ada)), [401, "unauthenticated"]);
  assert.equal((await post("/phones/confirm", move, ada)).status, 200);
  assert.equal((await post("/phones/confirm", move, ada)).status, 200);
  assert.equal((await session("380000006")).uid, "380000005_1");
  const found = await api.call("GET", "/users/380000006_2", { token: ada.token });
  assert.equal(found.body.uid, "380000005_2");
  assert.equal((await session("380000005")).uid, "380000005_3");
});

test("a phone with accounts of its own is not taken by a login that moves there", async () => {
  const ada = await session("380000007");
  await session("380000008");
  await post("/phones/migrate", { phone: "380000008" }, ada);
  const moved = await post("/phones/confirm", { phone: "380000008", code: "123456" }, ada);
  assert.deepEqual(answer(moved), [409, "conflict"]);
});

test("a device that was let in gets a new token for as long as its login is good", async () => {
  const { uid, clientId, token } = await session("380000001");
  const renew = () =>
    requestJson<{ token: string }>(api.nats, subjects.renewToken, { uid, clientId }, { timeoutMs: 30_000 });
  const renewed = await renew();
  assert.notEqual(renewed.token, token);
  assert.equal((await api.call("GET", "/profile", { token: renewed.token })).status, 200);
  await post("/logout", {}, { token: renewed.token } as Session);
  await assert.rejects(renew(), { code: "not_found" });
});
