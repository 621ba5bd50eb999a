// Who guesses, floods or registers in masses is stopped; nobody else is.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { AppError, subjects } from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { password, startTestApi } from "./surroundings.ts";

const env = {
  TRUSTED_PROXIES: "127.0.0.1",
  API_ADDRESS_FAILURES: "30",
  API_REGISTRATIONS: "40",
  API_ADDRESS_RATE: "1",
  API_ADDRESS_BURST: "400",
};
const api = await startTestApi({ after }, env);

const from = (address: string) => ({ headers: { "x-forwarded-for": address } });
const logIn = (username: string, text: string, address: string) =>
  api.call("POST", "/login", { json: { username, password: text }, ...from(address) });
const statusesOf = async (replies: Promise<{ status: number }>[]) =>
  (await Promise.all(replies)).map(({ status }) => status);
const count = (statuses: number[], status: number) => statuses.filter((one) => one === status).length;

test("of sixty guesses at once no more than ten are checked; the right password is taken from elsewhere", async () => {
  await api.user("gail");
  const statuses = await statusesOf(Array.from({ length: 60 }, (_, n) => logIn("gail", `wrong ${n}`, "192.0.2.1")));
  assert.deepEqual([count(statuses, 401), count(statuses, 429)], [10, 50]);
  const limited = await logIn("GAIL", password, "192.0.2.1");
  assert.equal(limited.status, 429);
  const seconds = Number(limited.headers.get("retry-after"));
  assert.ok(seconds >= 1 && seconds <= 60, `${seconds}`);
  assert.ok(limited.body.error.details.retryAfterMs > 0);
  assert.equal((await logIn("gail", password, "192.0.2.2")).status, 200);
});

test("guesses sprayed over many users count against their address, an IPv6 address with its neighbours of the /64", async () => {
  await api.user("hank");
  const guesses = Array.from({ length: 60 }, (_, n) => logIn(`nobody${n}`, "a wrong password", `2001:db8:0:1::${n}`));
  assert.equal(count(await statusesOf(guesses), 401), 30);
  assert.equal((await logIn("hank", password, "2001:db8:0:1:ffff::1")).status, 429);
  assert.equal((await logIn("hank", password, "2001:db8:0:2::1")).status, 200);
});

test("a present password is guessed no better with a token than without", async () => {
  const { token } = await api.user("ivan");
  const guess = (n: number) =>
    api.call("POST", "/password", {
      token,
      json: { password: `wrong ${n}`, newPassword: "another password" },
      ...from("192.0.2.9"),
    });
  const statuses = await statusesOf(Array.from({ length: 30 }, (_, n) => guess(n)));
  assert.deepEqual([count(statuses, 401), count(statuses, 429)], [10, 20]);
});

test("260 logins of one address starve nobody: another address is answered while they wait", async (t) => {
  const busy = await startTestApi(t, { ...env, API_ADDRESS_FAILURES: "1000" });
  await busy.user("jill");
  const call = (username: string, text: string, address: string) =>
    busy.call("POST", "/login", { json: { username, password: text }, ...from(address) });
  let answered = 0;
  const flood = Array.from({ length: 260 }, async (_, n) => {
    const { status } = await call(`flood${n}`, "a wrong password", "192.0.2.20");
    if (status === 401) answered += 1;
    return status;
  });
  assert.equal((await call("jill", password, "192.0.2.21")).status, 200);
  const before = answered;
  const statuses = await Promise.all(flood);
  assert.ok(statuses.every((status) => status === 401 || status === 429));
  assert.ok(before < count(statuses, 401), `${before} of ${count(statuses, 401)} went before`);
});

test("of more passwords than wait for their turn some are told that there are too many, and one that waited too long is not checked", async (t) => {
  const busy = await startTestApi(t, env);
  const verify = (address: string, waitMs?: number) =>
    requestJson(
      busy.nats,
      subjects.verifyPassword,
      { username: "nobody", password, address, waitMs },
      { timeoutMs: 60_000 },
    ).catch((error: unknown) => AppError.from(error).code);
  const flood = Array.from({ length: 300 }, () => verify("192.0.2.50"));
  const late = verify("192.0.2.51", 0);
  assert.equal(await late, "rate_limited");
  const answers = await Promise.all(flood);
  assert.ok(answers.filter((answer) => answer === "rate_limited").length >= 50);
  assert.deepEqual(await verify("192.0.2.50", 10_000), { ok: false });
});

test("an address registers so many accounts a minute, and others go on", async () => {
  const register = (n: number, address: string) =>
    api.call("POST", "/register", { json: { username: `mass${n}`, password }, ...from(address) });
  const statuses = await statusesOf(Array.from({ length: 50 }, (_, n) => register(n, "192.0.2.30")));
  assert.ok(count(statuses, 200) >= 40 && count(statuses, 429) >= 1, statuses.join());
  assert.equal((await register(99, "192.0.2.31")).status, 200);
});

test("an address without a valid token has a rate; a valid token from there is not refused for it", async () => {
  const { token } = await api.user("kurt");
  const call = (shown: string) => api.call("GET", "/rooms/none", { token: shown, ...from("192.0.2.40") });
  const statuses: number[] = [];
  while (!statuses.includes(429) && statuses.length < 1_000)
    statuses.push(...(await statusesOf(Array.from({ length: 50 }, () => call("made up")))));
  assert.deepEqual([...new Set(statuses)].sort(), [401, 429]);
  assert.equal((await call(token)).status, 404);
  assert.equal((await logIn("kurt", password, "192.0.2.41")).status, 200);
});

test("what a client says of its own address is not believed", async (t) => {
  const open = await startTestApi(t, { API_FAILURES: "3" });
  await open.user("lara");
  const guess = (text: string, n: number) =>
    open.call("POST", "/login", { json: { username: "lara", password: text }, ...from(`192.0.2.${n}`) });
  for (let n = 0; n < 3; n++) assert.equal((await guess("a wrong password", n)).status, 401);
  assert.equal((await guess(password, 9)).status, 429);
});
