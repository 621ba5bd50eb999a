// A change of password, being disabled, and logins of several accounts, as live connections feel them.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { callHttp, type Session } from "@parley/client";
import { accountPassword, accountsList, historyGet, keysCreate, login, profileGet, refresh } from "@parley/protocol";
import { readSecrets } from "@parley/runtime";
import { eventually, startTestCluster } from "@parley/testkit";
import { connectAsync, type IClientOptions } from "mqtt";
import { runParley } from "./parley.ts";
import { connectAs, password, registerAll } from "./people.ts";
import { freshFolder } from "./process-end.ts";

const cluster = await startTestCluster({ after });
const newPassword = "another password";

const logIn = (username: string, device: string, by = password): Promise<Session> =>
  callHttp(cluster.run().http, login, { username, password: by, device });

async function connect(t: TestContext, { mqtt, clientId }: Session, options: IClientOptions = {}) {
  const { host, port, username } = mqtt;
  const login = { username, password: mqtt.password, clientId, reconnectPeriod: 0, ...options };
  const client = await connectAsync(`mqtt://${host}:${port}`, login, false);
  t.after(() => client.endAsync(true));
  return client;
}

const change = ({ token }: Session) =>
  callHttp(cluster.run().http, accountPassword, { password, newPassword }, { token });

const refusal = { code: 5 };

for (const way of ["token", "password"] as const)
  test(`a live connection made by ${way} under the old password ends with its change, also under the changer's own device name`, async (t) => {
    const uid = `anna-${way}`;
    await registerAll(cluster, uid);
    const mine = await logIn(uid, "web");
    const others = [await logIn(uid, "web"), await logIn(uid, "phone")];
    const typed = way === "password" ? { password } : {};
    const connected = await Promise.all(others.map((session) => connect(t, session, typed)));
    await change(mine);
    await eventually(() => connected.every((client) => !client.connected));
    for (const session of others) {
      await assert.rejects(connect(t, session, typed), refusal);
      const shown = { refreshToken: session.refreshToken };
      await assert.rejects(callHttp(cluster.run().http, refresh, shown), { code: "unauthenticated" });
    }
    const kept = await connect(t, mine);
    await callHttp(cluster.run().http, refresh, { refreshToken: mine.refreshToken });
    const retyped = await connect(t, others[1]!, { password: newPassword });
    assert.deepEqual([kept.connected, retyped.connected], [true, true]);
  });

test("the connection of the device that changes the password goes on", async (t) => {
  await registerAll(cluster, "bert");
  const mine = await logIn("bert", "web");
  const [kept, ended] = [await connect(t, mine), await connect(t, await logIn("bert", "phone"))];
  const closed: string[] = [];
  kept.on("close", () => closed.push("kept"));
  await change(mine);
  await eventually(() => !ended.connected);
  await kept.subscribeAsync(mine.topics.subscribe, { qos: 1 });
  assert.deepEqual(closed, []);
});

test("of connects by password under way while it is changed none stays connected", async (t) => {
  await registerAll(cluster, "cora");
  const mine = await logIn("cora", "web");
  const sessions = await Promise.all(["web", "a", "b", "c", "d", "e"].map((device) => logIn("cora", device)));
  const connects = sessions.map((session) => connect(t, session, { password }).catch(() => undefined));
  await change(mine);
  const clients = (await Promise.all(connects)).filter((client) => client !== undefined);
  t.diagnostic(`${clients.length} were let in`);
  await eventually(() => clients.every((client) => !client.connected));
});

test("parley users disable ends all connections of a user, whatever they were made by, and enable lets it in again", async (t) => {
  await registerAll(cluster, "dora");
  const sessions = [await logIn("dora", "web"), await logIn("dora", "phone")] as const;
  const connected = [await connect(t, sessions[0]), await connect(t, sessions[1], { password })];
  const { servicesSecret } = readSecrets(join(cluster.dir, "secrets"));
  const { key } = await callHttp(cluster.run().http, keysCreate, { name: "shop" }, { token: servicesSecret });
  const parley = (act: string, serverKey = key) =>
    runParley(t, { cluster, home: cluster.dir, env: { PARLEY_SERVER_KEY: serverKey } }, ["users", act, "dora"]);
  assert.equal((await parley("disable", "")).code, 2);
  assert.deepEqual(await parley("disable"), { code: 0, out: "dora  disabled\n", err: "" });
  await eventually(() => connected.every((client) => !client.connected));
  for (const session of sessions) await assert.rejects(connect(t, session), refusal);
  await assert.rejects(connect(t, sessions[1], { password }), refusal);
  assert.equal((await parley("show")).out, "dora  disabled\n");
  assert.equal((await parley("enable")).out, "dora  active\n");
  assert.ok((await connect(t, await logIn("dora", "phone"))).connected);
});

test("the accounts of one login are users of their own to the SDK, stock clients and parley, and its new password ends the connections of all", async (t) => {
  await registerAll(cluster, "erin", "frank");
  const home = await freshFolder(t);
  const parley = (...args: string[]) => runParley(t, { cluster, home }, args);
  const added = await parley("accounts", "add", "erin.shop", "--name", "The shop", "--user", "erin");
  assert.deepEqual([added.code, added.out], [0, "erin.shop is an account of your login\n"], added.err);
  assert.match((await parley("login", "--user", "erin", "--account", "erin.shop")).out, /as erin\.shop, device/);
  assert.equal((await parley("accounts", "list")).out, "erin  erin\nerin.shop  The shop\n");
  assert.equal((await parley("aliases", "add", "the-shop")).out, "the-shop\n");
  assert.equal((await parley("profile", "the-shop", "--user", "erin")).out.split("\n")[0], "uid: erin.shop");
  assert.match((await parley("send", "frank", "from the command line")).out, /p2p\/erin\.shop\/frank #1/);

  const mine = await logIn("erin", "web");
  const { client } = await connectAs(t, cluster, "erin", { account: "erin.shop" });
  assert.equal((await client.request(profileGet, {})).uid, "erin.shop");
  const { accounts } = await client.request(accountsList, {});
  assert.deepEqual(
    accounts.map(({ uid, name }) => [uid, name]),
    [
      ["erin", "erin"],
      ["erin.shop", "The shop"],
    ],
  );
  await client.send("user/frank", "from the SDK");
  const { token } = await logIn("frank", "web");
  const { messages } = await callHttp(cluster.run().http, historyGet, { conv: "p2p/erin.shop/frank" }, { token });
  assert.deepEqual([...new Set(messages.map(({ from }) => from))], ["erin.shop"]);

  const stock = await connect(t, await logIn("erin.shop", "stock"), { password });
  const kept = await connect(t, mine);
  await change(mine);
  await eventually(() => !stock.connected && client.state !== "online");
  assert.ok(kept.connected);
  await assert.rejects(logIn("erin.shop", "stock"), { code: "unauthenticated" });
  assert.equal((await logIn("erin.shop", "stock", newPassword)).uid, "erin.shop");
});
