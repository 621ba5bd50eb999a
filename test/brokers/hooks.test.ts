// What the brokers send by the configurations of deploy/, made of recorded bodies, is what auth-webhook reads: each is asked on a real one.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type { SessionEvent } from "@parley/protocol";
import { subjects } from "@parley/protocol";
import { eventually } from "@parley/testkit";
import { emqxSettings, vernemqSettings } from "../../packages/cli/src/broker/settings/files.ts";
import type { SettingTree } from "../../packages/cli/src/broker/settings/setting.ts";
import { post, startWebhook, type Webhook } from "../../services/auth-webhook/test/start.ts";

interface Recorded {
  emqx: { connect: Record<string, string>; events: Record<string, unknown>[] };
  vernemq: Record<string, Record<string, unknown>>;
}

async function recorded(): Promise<Recorded> {
  return JSON.parse(await readFile(new URL("recorded/bodies.json", import.meta.url), "utf8")) as Recorded;
}

const emqx = emqxSettings().tree as {
  authentication: [{ url: string; headers: Record<string, string>; body: Record<string, string> }];
  connectors: { http: { parley: { url: string; headers: Record<string, string> } } };
  actions: { http: { parley: { parameters: SettingTree & { path: string } } } };
  rule_engine: { rules: { parley: { sql: string } } };
} & SettingTree;

/** The file's address and headers, at this webhook and with its secret. */
function ask(webhook: Webhook, address: string, headers: Record<string, string>, body: unknown) {
  const filled = Object.entries(headers).map(([name, value]) => [
    name,
    value.replace("HOOK-SECRET", webhook.secrets.hookSecret),
  ]);
  return post(`${webhook.url}${new URL(address).pathname}`, body, Object.fromEntries(filled));
}

/** As EMQX fills a template: what a client does not say is left out. */
function rendered(template: Record<string, string>, client: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(template).flatMap(([name, value]) => {
      const [, attribute = ""] = /^\$\{(\w+)\}$/.exec(value) ?? [];
      return client[attribute] === undefined ? [] : [[name, client[attribute]]];
    }),
  );
}

test("EMQX's body for authentication is the recorded one, and lets in whom auth-webhook knows, and nobody else", async (t) => {
  const webhook = await startWebhook(t);
  const [{ url, headers, body }] = emqx.authentication;
  const { connect } = (await recorded()).emqx;
  const client = { ...connect, clientid: "alice:phone", username: "alice", password: await webhook.token() };
  assert.deepEqual(Object.keys(rendered(body, connect)).sort(), Object.keys(connect).sort());
  const allowed = await ask(webhook, url, headers, rendered(body, client));
  assert.equal((allowed.body as { result: string }).result, "allow");
  assert.deepEqual(Object.keys((allowed.body as { client_attrs: object }).client_attrs).sort(), ["mp", "p", "uid"]);
  const { username: _u, password: _p, ...nameless } = client;
  for (const other of [{ ...client, password: "wrong" }, nameless])
    assert.deepEqual((await ask(webhook, url, headers, rendered(body, other))).body, { result: "deny" });
  const unlike = { ...headers, authorization: "Bearer another" };
  assert.deepEqual((await ask(webhook, url, unlike, rendered(body, client))).body, { result: "deny" });
});

test("EMQX's rule names the events that auth-webhook reads, and a recorded event at the action's path reaches presence", async (t) => {
  const webhook = await startWebhook(t);
  const told: SessionEvent[] = [];
  const sub = webhook.nats.subscribe(subjects.sessionEvent, {
    callback: (_, message) => void told.push(message.json<SessionEvent>()),
  });
  t.after(() => sub.unsubscribe());
  await webhook.nats.flush();
  const named = [...emqx.rule_engine.rules.parley.sql.matchAll(/"\$events\/(client|session)_(\w+)"/g)];
  const events = named.map(([, what, how]) => `${what}.${how}`);
  assert.deepEqual(events, ["client.connected", "client.disconnected", "session.subscribed", "session.unsubscribed"]);
  const { url, headers } = emqx.connectors.http.parley;
  const path = `${url}${emqx.actions.http.parley.parameters.path}`;
  const attributes = { client_attrs: { uid: "alice", p: "0", mp: "" }, clientid: "alice:phone" };
  for (const one of (await recorded()).emqx.events) {
    assert.ok(events.includes(String(one.event)), String(one.event));
    const answer = await ask(webhook, path, headers, { ...one, ...attributes });
    assert.deepEqual([answer.status, answer.body], [200, { result: "ok" }], String(one.event));
  }
  await eventually(() => told.length === 2);
  assert.deepEqual(
    told.map(({ event, clientId }) => [event, clientId]),
    [
      ["connected", "alice:phone"],
      ["gone", "alice:phone"],
    ],
  );
});

test("each webhook of VerneMQ's file is one that auth-webhook reads, and a recorded body of it is answered as VerneMQ obeys", async (t) => {
  const webhook = await startWebhook(t);
  const settings = vernemqSettings();
  const bodies = (await recorded()).vernemq;
  const hooks = settings.filter(({ name }) => /^vmq_webhooks\.\w+\.hook$/.test(name));
  assert.deepEqual(hooks.map(({ value }) => value).sort(), Object.keys(bodies).sort());
  const token = await webhook.token();
  for (const { name, value: hook } of hooks) {
    const endpoint = settings.find((one) => one.name === name.replace(/hook$/, "endpoint"))?.value ?? "";
    const path = endpoint.includes("register-url") ? "/register" : "";
    const body = JSON.parse(JSON.stringify(bodies[hook]).replace('"{token}"', JSON.stringify(token)));
    const answer = await webhook.vernemq(hook, body, { path });
    assert.equal(answer.status, 200);
    assert.equal((answer.body as { result: unknown }).result, "ok", hook);
    // Bodies of publishes do not travel.
    const bare = settings.find((one) => one.name === name.replace(/hook$/, "no_payload"))?.value === "on";
    assert.equal(bare, hook.startsWith("auth_on_publish"), hook);
  }
  assert.deepEqual(
    webhook.lines.filter(({ event }) => event === "hook_refused"),
    [],
  );
});
