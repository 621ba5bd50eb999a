// What api does for devices of other protocols: logins that name one, and what the connect decision and presence ask.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type AccountsReply, type LoginsReply, type PasswordReply, subjects } from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { decodeJwt } from "jose";
import { password, startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after }, { GUESTS: "Visitor:pass:chat/" });
const ask = <Answer>(subject: string, body: object) =>
  requestJson<Answer>(api.nats, subject, body, { timeoutMs: 30_000 });
const logIn = (username: string, more: object) => api.call("POST", "/login", { json: { username, password, ...more } });

test("a login with a Client object is answered with its client id and a ticket, and every token of it names the protocol", async () => {
  await api.user("amy");
  const object = { appid: "livehub.io", deviceid: "android-2922", type: "android" };
  const own = { ...object, clientid: "livehub/android akakkdk" };
  for (const [json, clientId] of [
    [own, own.clientid],
    [object, "amy:android-2922"],
    [{ deviceid: "my phone/2" }, "amy:my-phone-2"],
  ] as const) {
    const { status, body } = await logIn("amy", json);
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual([body.clientid, body.clientId, body.ticket], [clientId, clientId, body.token]);
    const claims = decodeJwt(body.token);
    assert.deepEqual([claims.sub, claims.clientId, claims.dialect], ["amy", clientId, "slimchat"]);
    const next = await api.call("POST", "/refresh", { json: { refreshToken: body.refreshToken } });
    assert.deepEqual([next.body.clientId, decodeJwt(next.body.token).dialect], [clientId, "slimchat"]);
    const again = await api.call("POST", "/refresh", { json: { refreshToken: next.body.refreshToken } });
    assert.equal(decodeJwt(again.body.token).dialect, "slimchat");
  }
  const spoken = await logIn("amy", { dialect: "mqtt-chat", device: "web" });
  assert.deepEqual([decodeJwt(spoken.body.token).dialect, spoken.body.ticket], ["mqtt-chat", undefined]);
  assert.equal(decodeJwt((await logIn("amy", { device: "web" })).body.token).dialect, undefined);
});

test("a login that names no protocol there is, or a client id that is Parley's own or none, is refused by the field", async () => {
  await api.user("bea");
  for (const [json, field] of [
    [{ dialect: "made-up" }, "dialect"],
    [{ clientid: "router-p3" }, "clientid"],
    [{ clientid: "sys_x" }, "clientid"],
    [{ clientid: "" }, "clientid"],
    [{ clientid: "a\nb" }, "clientid"],
    [{ clientid: "ä".repeat(129) }, "clientid"],
    [{ clientid: "€".repeat(128) }, "clientid"],
    [{ deviceid: "" }, "deviceid"],
    [{ type: "No Kind" }, "type"],
  ] as const) {
    const { status, body } = await logIn("bea", json);
    assert.equal(status, 400, JSON.stringify([json, body]));
    assert.match(body.error.message, new RegExp(field));
  }
});

test("whose password it is is answered for an alias too, and which logins of a device are good", async () => {
  const { token } = await api.user("cleo", "web");
  await api.call("POST", "/aliases", { token, json: { alias: "cleo.4930" } });
  const verify = (username: string) => ask<PasswordReply>(subjects.verifyPassword, { username, password });
  for (const name of ["cleo", "CLEO", "cleo.4930"]) assert.equal((await verify(name)).uid, "cleo", name);
  const { family } = decodeJwt(token);
  const { logins } = await ask<LoginsReply>(subjects.logins, { uid: "cleo" });
  assert.deepEqual(
    logins.map(({ clientId, families }) => [clientId, families]),
    [["cleo:web", [family]]],
  );
  const second = decodeJwt((await api.logIn("cleo", "web")).token).family;
  const both = (await ask<LoginsReply>(subjects.logins, { uid: "cleo" })).logins;
  assert.deepEqual(new Set(both[0]?.families), new Set([family, second]));
  await api.call("POST", "/logout", { token });
  assert.deepEqual((await ask<LoginsReply>(subjects.logins, { uid: "cleo" })).logins, []);
});

test("the accounts of a login are answered for each, without who is disabled, and presence hears when they change", async () => {
  const dina = await api.user("dina");
  await api.user("solo");
  const changed: string[][] = [];
  api.nats.subscribe(subjects.accountsChanged, {
    callback: (_, one) => void changed.push(one.json<{ uids: string[] }>().uids),
  });
  await api.nats.flush();
  const { token } = dina;
  const added = await api.call("POST", "/accounts", { token, json: { uid: "dina.two" } });
  assert.equal(added.status, 200, JSON.stringify(added.body));
  await eventually(() => changed.some((uids) => uids.includes("dina") && uids.includes("dina.two")));
  const accounts = async () => {
    const asked = { uids: ["dina", "dina.two", "solo", "nobody"] };
    return (await ask<AccountsReply>(subjects.accountsOf, asked)).accounts;
  };
  const together = ["dina", "dina.two"];
  assert.deepEqual(await accounts(), { dina: together, "dina.two": together, solo: ["solo"] });
  changed.length = 0;
  const json = { password, newPassword: "another password" };
  const released = await api.call("POST", "/accounts/dina.two/release", { token, json });
  assert.equal(released.status, 200, JSON.stringify(released.body));
  await eventually(() => changed.some((uids) => uids.includes("dina") && uids.includes("dina.two")));
  assert.deepEqual(await accounts(), { dina: ["dina"], "dina.two": ["dina.two"], solo: ["solo"] });
});

test("a guest's name is nobody's to register or to take as an alias, in any case", async () => {
  const { token } = await api.user("ella");
  for (const name of ["Visitor", "visitor", "VISITOR"]) {
    const registered = await api.call("POST", "/register", { json: { username: name, password } });
    assert.deepEqual([registered.status, registered.body.error?.code], [403, "forbidden"]);
    const taken = await api.call("POST", "/aliases", { token, json: { alias: name } });
    assert.deepEqual([taken.status, taken.body.error?.code], [403, "forbidden"]);
  }
});
