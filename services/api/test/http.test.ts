import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { after, test } from "node:test";
import { AppError, devicesList, historyGet, type MethodRequest, methodSubject, sync } from "@parley/protocol";
import { answer } from "@parley/runtime";
import { eventually, startLink } from "@parley/testkit";
import { type Reply, startTestApi } from "./surroundings.ts";

const api = await startTestApi(
  { after },
  {
    API_CORS_ORIGINS: "https://app.example",
    API_RATE: "1",
    API_BURST: "50",
    API_REQUESTS: "40",
  },
);
const { token } = await api.user("alice", "web");

// The owner of a method, played: what api sends to it and does with its answer is api's side of the contract.
const asked: MethodRequest[] = [];
let owned: () => string | Promise<string> = () => '{"result":{}}';
for (const { name } of [historyGet, sync, devicesList]) {
  const served = answer(api.nats, methodSubject(name), undefined, (payload) => {
    asked.push(JSON.parse(Buffer.from(payload).toString()));
    return owned();
  });
  after(() => served.close());
}
await api.nats.flush();

function refused({ status, body }: Reply, expected: number, code: string, part: RegExp): void {
  assert.deepEqual([status, body.error?.code], [expected, code], JSON.stringify(body));
  assert.match(body.error.message, part);
}

test("a method of another service is answered with the owner's own bytes", async () => {
  const odd = '{"messages": [ {"n":1.0,"big":12345678901234567890} ],  "more":false}';
  owned = () => `{"result":${odd}}`;
  const path = `/conversations/${encodeURIComponent("dev/alice/bob/bob:web")}/messages?after=3&limit=10`;
  const response = await fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), odd);
  const { caller, params } = asked.at(-1) as MethodRequest;
  assert.deepEqual(caller, { uid: "alice", clientId: "alice:web", via: "http" });
  assert.deepEqual(params, { conv: "dev/alice/bob/bob:web", after: 3, limit: 10 });
});

test("the Idempotency-Key reaches the owner as the request's id", async () => {
  owned = () => '{"result":{}}';
  await api.call("POST", "/sync", { token, json: {}, headers: { "idempotency-key": "abc" } });
  assert.equal(asked.at(-1)?.caller.requestId, "abc");
  for (const wrong of ["a b", "x".repeat(129)]) {
    const reply = await api.call("POST", "/sync", { token, json: {}, headers: { "idempotency-key": wrong } });
    refused(reply, 400, "invalid_packet", /Idempotency-Key/);
  }
});

test("an owner's refusal keeps its code and gets the table's status", async () => {
  owned = () => JSON.stringify({ error: new AppError("not_member").toWire() });
  refused(await api.call("GET", "/conversations/room%2Fr1/messages", { token }), 403, "not_member", /members/);
});

test("an owner that is not there is unavailable, and says who", async () => {
  refused(await api.call("GET", "/conversations", { token }), 503, "unavailable", /history is not reachable/);
});

test("of requests that nobody answers so many are held, the next is unavailable at once, and then all goes on", async () => {
  const { token: bobs } = await api.user("bob", "web");
  const answered = Promise.withResolvers<string>();
  owned = () => answered.promise;
  const before = asked.length;
  const held = Array.from({ length: 20 }, () => api.call("POST", "/sync", { token: bobs, json: {} }));
  await eventually(() => asked.length === before + 20);
  refused(await api.call("POST", "/sync", { token: bobs, json: {} }), 503, "unavailable", /too many requests/);
  answered.resolve('{"result":{}}');
  for (const { status } of await Promise.all(held)) assert.equal(status, 200);
  owned = () => '{"result":{}}';
  await eventually(async () => (await api.call("POST", "/sync", { token: bobs, json: {} })).status === 200);
});

test("a wrong parameter is refused by name before the owner is asked", async () => {
  const before = asked.length;
  owned = () => '{"result":{}}';
  const get = (query: string) => api.call("GET", `/conversations/room%2Fr1/messages${query}`, { token });
  refused(await get("?limit=ten"), 400, "invalid_packet", /limit/);
  refused(await get("?limit=1.5"), 400, "invalid_packet", /limit/);
  refused(await get("?limit=0"), 400, "invalid_packet", /limit/);
  refused(await get("?limit=5&limit=6"), 400, "invalid_packet", /limit is given twice/);
  refused(await get("?colour=red"), 400, "invalid_packet", /unknown field colour/);
  refused(await get("?__proto__=1"), 400, "invalid_packet", /unknown field __proto__/);
  refused(await get("?conv=room%2Fr2"), 400, "invalid_packet", /conv stands in the path/);
  const post = (json: unknown, query = "") => api.call("POST", `/sync${query}`, { token, json });
  refused(await post({ colour: "red" }), 400, "invalid_packet", /unknown field colour/);
  refused(await post({ limit: "5" }), 400, "invalid_packet", /limit/);
  refused(await post({ cursors: { "room/r1": -1 } }), 400, "invalid_packet", /cursors/);
  refused(await post({}, "?limit=5"), 400, "invalid_packet", /unknown field limit in the query/);
  const invite = await api.call("POST", "/rooms/r1/members", { token, json: { id: "r2", uids: ["bob"] } });
  refused(invite, 400, "invalid_packet", /id stands in the path/);
  assert.equal(asked.length, before);
});

test("a body that is not a JSON object is refused with what is wrong with it", async () => {
  const post = (raw: string, type = "application/json") =>
    api.call("POST", "/sync", { token, raw, headers: { "content-type": type } });
  refused(await post("{"), 400, "invalid_packet", /body is not JSON/);
  refused(await post("[]"), 400, "invalid_packet", /not a JSON object/);
  refused(await post("null"), 400, "invalid_packet", /not a JSON object/);
  refused(await post('{"__proto__":{"a":1}}'), 400, "invalid_packet", /__proto__/);
  refused(await post(`{"page":${"[".repeat(40)}${"]".repeat(40)}}`), 400, "invalid_packet", /nested/);
  refused(await post("a=b", "application/x-www-form-urlencoded"), 415, "invalid_packet", /application\/json/);
  refused(await post(`{"page":"${"x".repeat(600_000)}"}`), 413, "too_large", /524288/);
  owned = () => '{"result":{}}';
  const get = await rawRequest(
    `GET /devices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 7\r\nConnection: close\r\n\r\n{"a":1}`,
  );
  assert.match(get, /^HTTP\/1.1 200/);
});

test("a POST without fields takes an empty body, with or without its content type", async () => {
  owned = () => '{"result":{}}';
  assert.equal((await api.call("POST", "/sync", { token })).status, 200);
  assert.equal(
    (await api.call("POST", "/sync", { token, headers: { "content-type": "application/json" } })).status,
    200,
  );
});

test("an unknown path is 404, a known one with another verb 405 with the verbs it takes", async () => {
  refused(await api.call("GET", "/nothing/here"), 404, "not_found", /no such path/);
  const wrong = await api.call("PUT", "/rooms/r1/members");
  refused(wrong, 405, "invalid_packet", /PUT/);
  assert.deepEqual(wrong.headers.get("allow")?.split(", ").sort(), ["GET", "POST"]);
  refused(await api.call("GET", "/login"), 405, "invalid_packet", /POST/);
});

test("a path that is not percent-encoded UTF-8, or whose conv cannot be one, is refused", async () => {
  refused(await api.call("GET", "/conversations/%E0%A4%A/messages", { token }), 400, "invalid_packet", /percent/);
  const long = await api.call("GET", `/conversations/room%2F${"x".repeat(150)}/messages`, { token });
  refused(long, 400, "invalid_packet", /conv/);
  for (const poison of ["p2p%2Falice%2Fbob%00", encodeURIComponent("😀".repeat(128)), "room%2Fa%2Fb"])
    refused(
      await api.call("GET", `/conversations/${poison}/messages`, { token }),
      400,
      "invalid_packet",
      /conv must be/,
    );
  const verbatim = await rawRequest(
    `GET /conversations/room%2f../messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
  );
  assert.match(verbatim, /^HTTP\/1.1 200/);
  assert.deepEqual(asked.at(-1)?.params, { conv: "room/.." });
});

test("bytes that are no HTTP request get one clear error", async () => {
  const reply = await rawRequest("hello\r\n\r\n");
  assert.match(reply, /^HTTP\/1.1 400/);
  assert.equal(JSON.parse(reply.split("\r\n\r\n")[1] ?? "").error.code, "invalid_packet");
  const huge = await rawRequest(`GET / HTTP/1.1\r\nHost: x\r\nX-A: ${"a".repeat(20_000)}\r\n\r\n`);
  assert.match(huge, /^HTTP\/1.1 431/);
});

test("only the origins of the setting may call from a page", async () => {
  const preflight = (origin: string) =>
    api.call("OPTIONS", "/login", {
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type" },
    });
  const allowed = await preflight("https://app.example");
  assert.equal(allowed.headers.get("access-control-allow-origin"), "https://app.example");
  assert.equal((await preflight("https://evil.example")).headers.get("access-control-allow-origin"), null);
});

test("a device that calls too often is told to wait, others are not", async () => {
  const { token: often } = await api.user("often", "web");
  const statuses = [];
  for (let n = 0; n < 60; n++) statuses.push((await api.call("GET", "/devices", { token: often })).status);
  assert.ok(statuses.includes(429));
  assert.equal((await api.call("GET", "/devices", { token })).status, 200);
});

test("a request that offers another protocol is answered all the same", async () => {
  const offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk";
  const socket = connect(Number(new URL(api.url).port), "127.0.0.1");
  socket.setEncoding("utf8").write(`GET /nothing HTTP/1.1\r\nHost: x\r\n${offer}\r\n\r\n`);
  const [reply] = await once(socket, "data");
  socket.destroy();
  assert.match(reply, /no such path/);
});

test("answers are not cached, sniffed or framed", async () => {
  owned = () => '{"result":{"devices":[]}}';
  const { headers } = await api.call("GET", "/devices", { token });
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.equal(headers.get("x-frame-options"), "DENY");
});

test("/docs shows the generated document and loads nothing from elsewhere", async () => {
  assert.equal((await api.call("GET", "/")).headers.get("location"), "/docs/");
  const page = await api.call("GET", "/docs/");
  assert.equal(page.status, 200);
  const policy = page.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'self'/);
  // A host that serves HTTP has none of its parts over HTTPS.
  assert.doesNotMatch(policy, /upgrade-insecure-requests/);
  const linked = [...String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = ""]) => link);
  assert.ok(linked.length > 3);
  for (const link of linked) {
    assert.doesNotMatch(link, /^(https?:)?\/\//);
    assert.equal((await api.call("GET", new URL(link, `${api.url}/docs/`).pathname)).status, 200, link);
  }
  const document = await api.call("GET", "/docs/json");
  assert.equal(document.body.openapi, "3.1.0");
  assert.ok(document.body.paths["/conversations/{conv}/messages"]);
});

test("login names the WebSocket by the host that was asked, and never by a made-up one", async () => {
  const logIn = (host: string) =>
    new Promise<{ mqtt: { ws: string } }>((resolve, reject) => {
      const body = JSON.stringify({ username: "alice", password: "correct horse" });
      const headers = { host, "content-type": "application/json" };
      const sent = httpRequest(`${api.url}/login`, { method: "POST", headers }, (response) => {
        response.setEncoding("utf8");
        response.on("data", (text) => resolve(JSON.parse(text)));
      });
      sent.on("error", reject).end(body);
    });
  assert.equal((await logIn("chat.example:8080")).mqtt.ws, "ws://chat.example:8080/mqtt");
  assert.equal((await logIn('a"b@c')).mqtt.ws, "ws://127.0.0.1/mqtt");
});

async function rawRequest(text: string): Promise<string> {
  const { port } = new URL(api.url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.setEncoding("utf8").write(text);
  let heard = "";
  for await (const part of socket) heard += part;
  return heard;
}

test("a start that is refused because the port is taken closes all that it had opened", async (t) => {
  const addresses = [api.natsServer.url, api.redis.url].map((url) => new URL(url));
  const links = await Promise.all(addresses.map(({ port }) => startLink(Number(port))));
  for (const link of links) t.after(() => link.close());
  const [nats, redis] = addresses.map((url, index) => {
    url.port = String(links[index]!.port);
    return url.href;
  });
  const own = { NATS_URL: nats!, REDIS_URL: redis!, STORE_URL: `sqlite:${api.folder}/refused` };
  const { port } = new URL(api.url);
  await assert.rejects(api.tryStart({ ...own, API_PORT: port }), /the port is taken/);
  await eventually(() => links.every((link) => link.connections() === 0));
  // Its store is nobody's either.
  await api.tryStart(own);
  await eventually(() => links.every((link) => link.connections() === 0));
});
