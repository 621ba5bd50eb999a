import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type { SessionEvent } from "@parley/protocol";
import { subjects, uplinkVerbs } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { eventually } from "@parley/testkit";
import { exp, post, startWebhook, type Webhook } from "./start.ts";

interface Case {
  name: string;
  hook: string;
  path: string;
  body: Record<string, unknown>;
  answer: unknown;
  kept?: boolean;
  /** the edge asks */
  asker?: string;
}

async function cases(file: string): Promise<Case[]> {
  return JSON.parse(await readFile(new URL(`../fixtures/${file}`, import.meta.url), "utf8")).cases;
}

function fill(value: unknown, values: Record<string, string | number>): unknown {
  return JSON.parse(JSON.stringify(value), (_, item) => {
    const name = typeof item === "string" ? /^\{(\w+)\}$/.exec(item)?.[1] : undefined;
    return name === undefined ? item : values[name];
  });
}

/** Seconds that go by meanwhile do not matter. */
function roughly(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer), (name, item) =>
    name === "max_connection_lifetime" ? Math.round(item / 60) : item,
  );
}

async function values(webhook: Webhook, clientId: string) {
  const { servicesSecret } = webhook.secrets;
  const lifetime = Math.floor(exp - Date.now() / 1000);
  return { token: await webhook.token(), servicesSecret, exp, lifetime, p: ingestPartition(clientId) };
}

test("VerneMQ and the edge get the answer they obey to every body they send", async (t) => {
  const webhook = await startWebhook(t);
  for (const { name, hook, body, answer, kept, asker } of await cases("vernemq.json")) {
    await t.test(name, async () => {
      const filled = await values(webhook, String(body.client_id));
      if (asker === "edge") {
        const { body: said, maxAgeSeconds } = await webhook.edge(hook, fill(body, filled) as object);
        return assert.deepEqual([said, maxAgeSeconds], [fill(answer, filled), kept ? 300 : 0]);
      }
      const reply = await webhook.vernemq(hook, fill(body, filled));
      assert.equal(reply.status, 200);
      assert.deepEqual(roughly(reply.body), roughly(fill(answer, filled)));
      return assert.equal(reply.cacheControl, kept ? "max-age=300" : null);
    });
  }
});

test("EMQX gets the answer it obeys to every body it sends", async (t) => {
  const webhook = await startWebhook(t);
  for (const { name, path, body, answer } of await cases("emqx.json")) {
    await t.test(name, async () => {
      const filled = await values(webhook, String(body.clientid));
      const reply = await webhook.emqx(path, fill(body, filled));
      assert.equal(reply.status, 200);
      assert.deepEqual(reply.body, fill(answer, filled));
    });
  }
});

const vernemqNo = { result: { error: "not_allowed" } };
const emqxNo = { result: "deny" };

test("every body that is wrong in any field is refused in the broker's own words, with one line that says why", async (t) => {
  const webhook = await startWebhook(t);
  const junk: unknown[] = ["", "{", "null", "[]", "7", '"text"', "\0\xff", [], {}, '{"client_id":{}}'];
  for (const { name, hook, body } of (await cases("vernemq.json")).filter(({ hook }) => hook !== "on_register")) {
    const required = hook.startsWith("on_") ? ["client_id"] : hook.includes("subscribe") ? ["client_id", "topics"] : [];
    const broken = required.flatMap((field) => [7, null, {}, []].map((value) => ({ ...body, [field]: value })));
    for (const bad of [...junk, ...broken]) {
      const reply = await webhook.vernemq(hook, bad);
      assert.equal(reply.status, 200, name);
      assert.deepEqual(reply.body, vernemqNo, `${hook} ${JSON.stringify(bad)}`);
    }
  }
  for (const path of ["authn", "authz", "events"]) {
    for (const bad of [...junk, { clientid: 7 }, { clientid: "a", username: "a", action: "steal", topic: "t" }]) {
      const reply = await webhook.emqx(path, bad);
      assert.equal(reply.status, 200);
      assert.deepEqual(reply.body, emqxNo, `${path} ${JSON.stringify(bad)}`);
    }
  }
  assert.ok(webhook.lines.some(({ event, reason }) => event === "hook_refused" && reason === "client_id is not text"));
  assert.ok(webhook.lines.some(({ event, reason }) => event === "hook_refused" && reason === "the body is not JSON"));
  assert.equal(webhook.lines.filter(({ level }) => level === "error").length, 0);
});

test("a wrong or missing secret is refused whatever the body says", async (t) => {
  const webhook = await startWebhook(t);
  const body = { client_id: "alice:phone", username: "alice", password: await webhook.token(), peer_addr: "::1" };
  for (const secret of ["wrong", "", "%00", webhook.secrets.servicesSecret]) {
    assert.deepEqual((await webhook.vernemq("auth_on_register", body, { secret })).body, vernemqNo);
    const { client_id: clientid, ...rest } = body;
    const reply = await webhook.emqx("authn", { clientid, ...rest }, secret);
    assert.deepEqual([reply.status, reply.body], [200, emqxNo]);
  }
  assert.equal(webhook.peers.asked.presence.length, 0);
  const said = webhook.lines.filter(({ reason }) => reason === "wrong or missing secret");
  assert.equal(said.length, 8);
  assert.ok(!JSON.stringify(webhook.lines).includes(webhook.secrets.servicesSecret));
});

test("an unknown hook is refused, and so is a body over 1 MiB", async (t) => {
  const webhook = await startWebhook(t);
  for (const hook of ["on_deliver", "constructor", "__proto__", ""])
    assert.deepEqual((await webhook.vernemq(hook, {})).body, vernemqNo);
  assert.deepEqual((await webhook.emqx("toString", {})).body, emqxNo);
  const body = { client_id: "alice", username: "alice", topic: "x", payload: "A".repeat(1024 * 1024) };
  assert.deepEqual((await webhook.vernemq("auth_on_publish", body)).body, vernemqNo);
  assert.ok(webhook.lines.some(({ reason }) => reason === "body over 1048576 bytes"));
});

test("what a broker says of a device's session reaches presence, with the connection's own time where it tells it", async (t) => {
  const webhook = await startWebhook(t);
  const events: SessionEvent[] = [];
  webhook.nats.subscribe(subjects.sessionEvent, { callback: (_, message) => void events.push(message.json()) });
  await webhook.nats.flush();
  const from = Date.now();
  for (const hook of ["on_client_wakeup", "on_client_offline", "on_client_gone", "on_session_expired"])
    await webhook.vernemq(hook, { mountpoint: "", client_id: "alice:phone" });
  await webhook.vernemq("on_client_gone", { mountpoint: "", client_id: "router-p3" });
  await webhook.vernemq("on_client_gone", { mountpoint: "im/x/5/~chat/mosq%2F77/", client_id: "mosq/77" });
  const attributes = [
    { p: "5", uid: "alice", mp: "" },
    {},
    { uid: "undefined" },
    { uid: "bob" },
    { uid: 7 },
    "x",
    undefined,
  ];
  for (const event of ["client.connected", "client.disconnected"])
    for (const clientid of ["alice:phone", "router-p3", "undefined:x"])
      for (const client_attrs of attributes)
        await webhook.emqx("events", { event, clientid, username: "alice", client_attrs, connected_at: 1795240386143 });
  await eventually(() => events.length === 7);
  assert.deepEqual(
    events.map(({ event }) => event),
    ["connected", "offline", "gone", "expired", "gone", "connected", "gone"],
  );
  assert.deepEqual(
    events.map(({ user }) => user),
    [undefined, undefined, undefined, undefined, "~chat", "alice", "alice"],
  );
  assert.ok(events.slice(0, 5).every(({ at }) => at >= from && at <= Date.now()));
  assert.ok(events.slice(5).every(({ at }) => at === 1795240386143));
});

test("VerneMQ may have a pool of connections for each kind of hook: what follows the secret is only a name", async (t) => {
  const webhook = await startWebhook(t);
  const body = { client_id: "alice:phone", username: "alice", topic: "im/dn/alice/m", retain: false };
  for (const path of ["", "/publish", "/x"])
    assert.deepEqual((await webhook.vernemq("auth_on_publish", body, { path })).body, vernemqNo, path);
  const { url, secrets } = webhook;
  assert.equal((await post(`${url}/vernemq/${secrets.hookSecret}/a/b`, body)).status, 404);
});

test("EMQX's rules allow a device what its authorization hook allows, and beyond that nothing outside its own tree", async (t) => {
  const webhook = await startWebhook(t);
  const who = { username: "alice", clientid: "alice:phone", password: "right password", peerhost: "127.0.0.1" };
  const { acl } = (await webhook.emqx("authn", who)).body as { acl: Rule[] };
  const p = ingestPartition("alice:phone");
  const own = [...uplinkVerbs.map((verb) => `im/up/${p}/alice/alice:phone/${verb}`), "im/up/0/alice/alice:phone/msg"];
  const others = [
    "im/up/5/bob/bob:x/msg",
    "im/up/5/alice/alice:web/msg",
    "im/dn/alice/m",
    "im/dn/bob/m",
    "im/dn/alice/#",
  ];
  const topics = [
    ...own,
    ...others,
    "im/dn/alice/e",
    "im/dn/alice/d/alice:phone",
    "im/dn/alice/d/alice:web",
    "#",
    "+/+/+/+",
  ];
  for (const topic of topics)
    for (const action of ["publish", "subscribe"])
      for (const retain of [false, true]) {
        const asked = { uid: "alice", clientid: "alice:phone", action, topic, qos: "1", retain: String(retain) };
        const { result } = (await webhook.emqx("authz", asked)).body as { result: string };
        assert.equal(judge(acl, action, topic, retain), result, `${action} ${topic} ${retain}`);
      }
  // As docs/operations.md says: by rules it is confirmed and nobody answers.
  for (const topic of [`im/up/${p}/alice/alice:phone/made-up`, "im/up/zz/alice/alice:phone/msg"]) {
    const asked = { uid: "alice", clientid: "alice:phone", action: "publish", topic, qos: "1", retain: "false" };
    const { result } = (await webhook.emqx("authz", asked)).body as { result: string };
    assert.deepEqual([judge(acl, "publish", topic, false), result], ["allow", "deny"], topic);
  }
});

interface Rule {
  permission: string;
  action: string;
  topic: string;
  retain?: boolean;
}

/** As EMQX reads rules: the first that matches; none is no. A filter that is subscribed is compared word by word. */
function judge(rules: Rule[], action: string, topic: string, retain: boolean): string {
  const matches = (rule: Rule) =>
    (rule.action === "all" || rule.action === action) &&
    (action !== "publish" || rule.retain === undefined || rule.retain === retain) &&
    (rule.topic === "#" || sameWords(rule.topic.split("/"), topic.split("/")));
  return rules.find(matches)?.permission ?? "deny";
}

function sameWords(rule: string[], topic: string[]): boolean {
  return (
    rule.length === topic.length && rule.every((word, n) => word === topic[n] || (word === "+" && topic[n] !== "#"))
  );
}
