// Aliases: other names that lead to one account.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { subjects } from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { password, type Reply, type Session, startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after });
const as = ({ token }: Session, verb: string, path: string, json?: object) =>
  api.call(verb, path, { token, ...(json && { json }) });
const take = (session: Session, alias: string) => as(session, "POST", "/aliases", { alias });
const aliases = async (session: Session) => (await as(session, "GET", "/aliases")).body.aliases;
const logIn = (username: string) => api.call("POST", "/login", { json: { username, password } });
const answer = ({ status, body }: Reply) => [status, body.error?.code ?? "done"];
const found = async (session: Session, query: string): Promise<string[]> =>
  (await as(session, "GET", `/users?query=${query}`)).body.users.map(({ uid }: { uid: string }) => uid);

const stranger = await api.user("stranger", "web");

test("an account logs in, and is found, by its aliases in any case, as by its uid", async () => {
  const ada = await api.user("ada", "web");
  assert.deepEqual((await take(ada, "Lovelace")).body, { aliases: ["Lovelace"] });
  const session = (await logIn("lovelace")).body as Session;
  assert.deepEqual([session.uid, session.mqtt.username], ["ada", "ada"]);
  assert.equal((await as(stranger, "GET", "/users/LOVELACE")).body.uid, "ada");
  assert.deepEqual(await found(stranger, "love"), ["ada"]);
  assert.deepEqual(
    answer(await api.call("POST", "/login", { json: { username: "lovelace", password: "wrong one" } })),
    [401, "unauthenticated"],
  );
  const exists = { uid: "Lovelace" };
  const asked = await requestJson(api.nats, subjects.userExists, exists, { timeoutMs: 30_000 });
  assert.deepEqual(asked, { exists: false }, "messages go to uids");
});

test("who hides its profile is hidden under its aliases too, with the same answer as for nobody", async () => {
  const bea = await api.user("bea", "web");
  await take(bea, "busy-bea");
  await as(bea, "PUT", "/profile", { visibility: "contacts" });
  const [hidden, nobody] = [await as(stranger, "GET", "/users/busy-bea"), await as(stranger, "GET", "/users/nobody-x")];
  assert.deepEqual(answer(hidden), [404, "not_found"]);
  assert.equal(JSON.stringify(hidden.body).replaceAll("busy-bea", "nobody-x"), JSON.stringify(nobody.body));
  assert.deepEqual(await found(stranger, "busy"), []);
  assert.equal((await as(bea, "GET", "/users/busy-bea")).body.uid, "bea");
  await as(bea, "POST", "/roster", { id: "stranger" });
  assert.equal((await as(stranger, "GET", "/users/busy-bea")).body.uid, "bea");
});

test("a name is a user's, a room's or one account's alias, whoever asks for it at once", async () => {
  const [cal, dee] = [await api.user("cal", "web"), await api.user("dee", "web")];
  for (let round = 0; round < 6; round++) {
    const wanted = `wanted${round}`;
    const answers = await Promise.all([
      take(cal, wanted),
      take(dee, wanted.toUpperCase()),
      api.call("POST", "/register", { json: { username: wanted, password } }),
    ]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409], wanted);
  }
  assert.deepEqual(answer(await take(cal, "dee")), [409, "conflict"]);
  assert.deepEqual(answer(await take(cal, "cal")), [409, "conflict"]);
  assert.deepEqual(answer(await take(cal, "router-p1")), [403, "forbidden"]);
  assert.deepEqual(answer(await take(cal, "support")), [403, "forbidden"]);
  assert.deepEqual(answer(await take(cal, "no name")), [400, "invalid_packet"]);
  assert.equal((await take(dee, "room-like")).status, 200);
  assert.equal((await as(cal, "POST", "/rooms", { id: "Room-Like", name: "Room" })).status, 409);
  assert.deepEqual(await requestJson(api.nats, subjects.ensureUser, { uid: "room-like" }, { timeoutMs: 30_000 }), {
    ok: false,
  });
});

test("an alias moves between the accounts of one login in one step, and to no other login", async () => {
  const fay = await api.user("fay", "web");
  await as(fay, "POST", "/accounts", { uid: "fay.shop" });
  const shop = (await logIn("fay.shop")).body as Session;
  await take(fay, "the-shop");
  assert.deepEqual(answer(await take(stranger, "the-shop")), [409, "conflict"]);
  let isMoving = true;
  const looks = new Set<string>();
  const look = async () => {
    const { status, body } = await as(stranger, "GET", "/users/the-shop");
    if (status !== 429) looks.add(body.uid ?? body.error.code);
  };
  const looking = (async () => {
    while (isMoving) await look();
  })();
  for (const to of [shop, fay, shop, fay, shop])
    assert.deepEqual((await take(to, "the-shop")).body, { aliases: ["the-shop"] });
  isMoving = false;
  await looking;
  for (const uid of looks) assert.ok(["fay", "fay.shop"].includes(uid), uid);
  assert.deepEqual(await aliases(fay), []);
  assert.equal((await logIn("the-shop")).body.uid, "fay.shop");
  const json = { username: "the-shop", password, account: "fay" };
  assert.equal((await api.call("POST", "/login", { json })).body.uid, "fay");
  const released = { password, newPassword: "a new password" };
  assert.equal((await as(fay, "POST", "/accounts/fay.shop/release", released)).status, 200);
  assert.deepEqual(answer(await take(fay, "the-shop")), [409, "conflict"]);
});

test("an alias that is given back is anybody's; others' are not", async () => {
  const gus = await api.user("gus", "web");
  await take(gus, "gustav");
  assert.deepEqual(answer(await as(stranger, "DELETE", "/aliases/gustav")), [404, "not_found"]);
  assert.deepEqual(answer(await as(gus, "DELETE", "/aliases/gus")), [404, "not_found"]);
  assert.deepEqual((await as(gus, "DELETE", "/aliases/GUSTAV")).body, { aliases: [] });
  assert.deepEqual(answer(await as(gus, "DELETE", "/aliases/gustav")), [404, "not_found"]);
  assert.equal((await logIn("gustav")).status, 401);
  assert.equal((await take(stranger, "gustav")).status, 200);
});

test("an account has eight aliases", async () => {
  const hal = await api.user("hal", "web");
  for (let n = 1; n <= 8; n++) assert.equal((await take(hal, `hal${n}`)).status, 200);
  assert.deepEqual(answer(await take(hal, "hal9")), [409, "conflict"]);
  assert.equal((await take(hal, "HAL8")).status, 200, "its own may be spelled anew");
  assert.deepEqual((await aliases(hal)).at(-1), "HAL8");
});
