import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { callHttp, type Session } from "@parley/client";
import { historySubject, login, methodSubject, pushRegister, register, streams, subjects } from "@parley/protocol";
import { eventually, hasMongo, startFcm, testMongo } from "@parley/testkit";
import { openStock } from "../../e2e/stock.ts";
import { readOurCompose } from "../compose/read-compose.ts";
import { refusalsOver } from "./refusals.ts";
import { type Rehearsal, rehearse } from "./rehearse.ts";

const dir = mkdtempSync(join(tmpdir(), "parley-rehearsal-"));
if (!process.env.PARLEY_KEEP) after(() => rmSync(dir, { recursive: true, force: true }));

const skip = hasMongo() ? false : "no MongoDB and no stand-in for it";
const fcm = skip ? undefined : await startFcm({ after });
// The whole file speaks to one Parley, which is there before its first test.
const parley = skip ? (undefined as unknown as Rehearsal) : await bringUp();

async function bringUp(): Promise<Rehearsal> {
  const mongo = await testMongo({ after });
  const { PUSH_FCM_SERVICE_ACCOUNT_FILE: key = "", ...settings } = fcm!.settings;
  const compose = readOurCompose({ PUSH_FCM_KEY: key }, "deploy/compose/push-fcm.yml");
  return rehearse({ after }, { dir, compose, profile: "mosquitto", storeUrl: mongo!.url, settings });
}

/** Registers and logs in over the published HTTP port, as an application would. */
async function sessionOf(uid: string): Promise<Session> {
  const server = `http://127.0.0.1:${parley.published(8080)}`;
  await callHttp(server, register, { username: uid, password: `${uid}-password` });
  return callHttp(server, login, { username: uid, password: `${uid}-password`, device: "phone" });
}

test("docker-compose.yml as it stands brings all of Parley up: the first start makes the secrets, and each waits for what it needs", {
  skip,
}, () => {
  const services = ["api", "auth-webhook", "edge", "history", "presence-mosquitto", "push", "router", "search"];
  assert.deepEqual(parley.names(), [...services, "mosquitto", "nats", "redis", "secrets"].sort());
});

test("two people chat through it over MQTT, told by nothing but their logins", { skip }, async (t) => {
  const [alice, bob] = await Promise.all([
    openStock(t, await sessionOf("alice")),
    openStock(t, await sessionOf("bob")),
  ]);
  await alice.send({ id: "1", to: "user/bob", content: { type: "text", data: "hi bob" } });
  await bob.send({ id: "2", to: "user/alice", content: { type: "text", data: "hi alice" } });
  const heard = (stock: typeof alice) =>
    stock.messages().map(({ from, content }) => [from, (content as { data?: string }).data]);
  const both = [
    ["alice", "hi bob"],
    ["bob", "hi alice"],
  ];
  await eventually(() => heard(alice).length === 2 && heard(bob).length === 2);
  assert.deepEqual([heard(alice), heard(bob)], [both, both]);
});

test("who is away is notified by push, with an overlay of deploy/compose and a setting of parley.env", {
  skip,
}, async (t) => {
  const server = `http://127.0.0.1:${parley.published(8080)}`;
  const { token } = await sessionOf("cal");
  await callHttp(
    server,
    pushRegister,
    { kind: "fcm", token: "token-of-cal-0123456789", appId: "app.parley" },
    { token },
  );
  const dan = await openStock(t, await sessionOf("dan"));
  await dan.send({ id: "1", to: "user/cal", content: { type: "text", data: "are you there?" } });
  await eventually(() => fcm!.seen.some((sent) => JSON.stringify(sent.message).includes("are you there?")));
});

test("NATS refuses no service what it needs, and each what is not its own", { skip }, async () => {
  const refused = parley.names().filter((name) => /permissions violation/i.test(parley.log(name)));
  assert.deepEqual(refused, []);
  const url = (user: string) => parley.secret(`${user}/nats-url`);
  const said = [historySubject("append", "someone"), subjects.verifyPassword, subjects.revoked];
  const foreign = [...said, `$JS.API.STREAM.DELETE.${streams.stored.name}`];
  assert.deepEqual(await refusalsOver(url("search"), { publish: foreign }), foreign);
  const overheard = [">", "_INBOX.>", "_INBOX.history.>", methodSubject(login.name), subjects.notify, "$JS.API.>"];
  assert.deepEqual(await refusalsOver(url("search"), { subscribe: overheard }), overheard);
  const own = await refusalsOver(url("search"), { publish: [subjects.readable], subscribe: ["_INBOX.search.x"] });
  assert.deepEqual(own, []);
});

test("NATS lets in nobody without a service's password", { skip }, async () => {
  const url = new URL(parley.secret("router/nats-url"));
  await assert.rejects(refusalsOver(`nats://router:guessed@${url.host}`, {}), /Authorization Violation/i);
  await assert.rejects(refusalsOver(`nats://${url.host}`, {}), /Authorization Violation/i);
});

test("no service writes a file of its own: a read-only root is enough", { skip }, () => {
  assert.deepEqual(parley.written(), []);
});

test("at SIGTERM each ends by itself within its grace period, and Parley's services with everything in hand finished", {
  skip,
}, async () => {
  const endings = await parley.stop();
  assert.deepEqual(
    endings.filter(({ inTime }) => !inTime),
    [],
  );
  const ours = endings.filter(({ name }) => !["mosquitto", "nats", "redis"].includes(name));
  assert.deepEqual(
    ours.filter(({ code }) => code !== 0),
    [],
  );
});
