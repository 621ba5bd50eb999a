// The links of edges: each question is answered by itself, and nothing goes wrong for the others.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { eventually } from "@parley/testkit";
import { openLink } from "./link.ts";
import { post, startWebhook, type Webhook } from "./start.ts";

const no = { result: { error: "not_allowed" } };
const connect = async (webhook: Webhook, more: object = {}) => {
  const login = { client_id: "alice:phone", username: "alice", password: await webhook.token() };
  return { ...login, peer_addr: "192.0.2.1", clean_session: true, ...more };
};

test("many questions at once are answered each by itself: a slow one, a wrong one and one of no hook hold up nobody", async (t) => {
  const slow = Promise.withResolvers<{ ok: true }>();
  const webhook = await startWebhook(t, {}, {});
  webhook.peers.presence = ({ clientId }) => (clientId === "bob" ? slow.promise : { ok: true });
  const link = await openLink(t, webhook.url, webhook.secrets.hookSecret);
  const token = await webhook.token({ sub: "bob", clientId: "bob" });
  const waiting = link.ask(
    "auth_on_register",
    await connect(webhook, { client_id: "bob", username: "bob", password: token }),
  );
  const asked = await connect(webhook);
  const [fine, wrong, unread, unknown] = await Promise.all([
    link.ask("auth_on_register", asked),
    link.ask("auth_on_register", { ...asked, password: "eyJ.x.x" }),
    link.ask("auth_on_register", { ...asked, client_id: 7 }),
    link.ask("constructor", asked),
  ]);
  assert.equal((fine.body as { result: string }).result, "ok");
  assert.deepEqual([wrong.body, unread.body, unknown.body], [no, no, no]);
  slow.resolve({ ok: true });
  assert.equal(((await waiting).body as { result: string }).result, "ok");
});

test("connects of a storm are told to presence together, and each is answered as presence says of it", async (t) => {
  const webhook = await startWebhook(t, {}, {});
  webhook.peers.presence = ({ clientId }) => {
    if (clientId === "u7:phone") return { ok: false, reason: "owned_by_another" };
    return { ok: true };
  };
  const link = await openLink(t, webhook.url, webhook.secrets.hookSecret);
  const logins = await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const named = { sub: `u${index}`, clientId: `u${index}:phone` };
      const password = index === 9 ? "eyJ.x.x" : await webhook.token(named);
      return connect(webhook, { client_id: named.clientId, username: named.sub, password });
    }),
  );
  const replies = await Promise.all(logins.map((login) => link.ask("auth_on_register", login)));
  const said = replies.map(({ body }) => (body as { result: unknown }).result);
  const expected = said.map((_, index) =>
    index === 7 ? { error: "client_identifier_not_valid" } : index === 9 ? no.result : "ok",
  );
  assert.deepEqual(said, expected);
  const { presence, together } = webhook.peers.asked;
  assert.equal(presence.length, 59);
  assert.ok(together.length < 59, `${together}`);
});

test("a password that is checked for long keeps no token waiting", async (t) => {
  const webhook = await startWebhook(t);
  const held = Promise.withResolvers<{ ok: true }>();
  webhook.peers.presence = ({ credential }) => (credential === "password" ? held.promise : { ok: true });
  const link = await openLink(t, webhook.url, webhook.secrets.hookSecret);
  const slow = link.ask("auth_on_register", await connect(webhook, { password: "right password" }));
  await eventually(() => webhook.peers.asked.presence.length === 1);
  assert.equal(((await link.ask("auth_on_register", await connect(webhook))).body as { result: string }).result, "ok");
  held.resolve({ ok: true });
  assert.equal(((await slow).body as { result: string }).result, "ok");
});

test("only who shows the secret has a link, and nothing is read of anybody else", async (t) => {
  const webhook = await startWebhook(t);
  for (const secret of ["wrong", "", webhook.secrets.servicesSecret])
    await assert.rejects(openLink(t, webhook.url, secret), /status 403/);
  await assert.rejects(openLink(t, webhook.url, webhook.secrets.hookSecret, "/other"), /status 404/);
  assert.equal(webhook.lines.filter(({ reason }) => reason === "wrong or missing secret").length, 3);
});

test("what is no question closes its own link alone, with a line that says why", async (t) => {
  const webhook = await startWebhook(t);
  const link = await openLink(t, webhook.url, webhook.secrets.hookSecret);
  for (const bad of ["GET / HTTP/1.1\n", "[1]\n", "x".repeat(1024 * 1024 + 1)]) {
    const other = await openLink(t, webhook.url, webhook.secrets.hookSecret);
    const closed = once(other.socket, "close");
    other.socket.write(bad);
    await closed;
  }
  assert.equal(webhook.lines.filter(({ reason }) => reason === "a line is no question").length, 3);
  assert.equal(((await link.ask("auth_on_register", await connect(webhook))).body as { result: string }).result, "ok");
});

test("auth-webhook that ends says so on its links, answers what it was asked, and is closed when it has", async (t) => {
  const held = Promise.withResolvers<{ ok: true }>();
  const webhook = await startWebhook(t, {}, { presence: () => held.promise });
  const link = await openLink(t, webhook.url, webhook.secrets.hookSecret);
  const waiting = link.ask("auth_on_register", await connect(webhook));
  await eventually(() => webhook.peers.asked.presence.length === 1);
  const stopped = webhook.stop();
  await link.ended;
  held.resolve({ ok: true });
  assert.equal(((await waiting).body as { result: string }).result, "ok");
  await stopped;
});

test("an edge of an earlier version, which asks over HTTP, is answered as an edge", async (t) => {
  const webhook = await startWebhook(t);
  const asked = await connect(webhook, { client_id: "alice:tablet" });
  const headers = { "vernemq-hook": "auth_on_register", "parley-asker": "edge" };
  const ask = (secret: string) => post(`${webhook.url}/vernemq/${secret}`, asked, headers);
  const reply = await ask(webhook.secrets.hookSecret);
  assert.deepEqual(reply.body, { result: { error: "client_identifier_not_valid" } });
  assert.equal((await ask("wrong")).status, 403);
});
