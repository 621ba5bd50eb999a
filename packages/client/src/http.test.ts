import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { historyGet, login, roomsRemove } from "@parley/protocol";
import { callHttp } from "./http.ts";

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("params go into the path, the query or the body, as the method says", async (t) => {
  const seen: unknown[] = [];
  const base = await serve(t, async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    seen.push([request.method, request.url, body, request.headers.authorization]);
    response.end("{}");
  });
  await callHttp(`${base}/chat/`, historyGet, { conv: "p2p/a/b", after: 3, limit: 10 }, { token: "t" });
  await callHttp(base, roomsRemove, { id: "r1", uid: "bob" });
  await callHttp(base, login, { username: "a", password: "b" });
  assert.deepEqual(seen, [
    ["GET", "/chat/conversations/p2p%2Fa%2Fb/messages?after=3&limit=10", "", "Bearer t"],
    ["DELETE", "/rooms/r1/members/bob", "", undefined],
    ["POST", "/login", '{"username":"a","password":"b"}', undefined],
  ]);
});

test("the server's errors are thrown as they are, and what is no answer of Parley's as a clear one", async (t) => {
  const base = await serve(t, (request, response) => {
    if (request.url?.includes("conflict")) {
      response.writeHead(409).end('{"error":{"code":"conflict","message":"taken"}}');
    } else response.writeHead(request.url?.includes("busy") ? 502 : 200).end("<html>");
  });
  await assert.rejects(callHttp(base, historyGet, { conv: "conflict" }), { code: "conflict", message: "taken" });
  await assert.rejects(callHttp(base, historyGet, { conv: "busy" }), { code: "unavailable" });
  await assert.rejects(callHttp(base, historyGet, { conv: "html" }), {
    code: "internal",
    message: /not as Parley does/,
  });
});

test("no server, a server that hangs, and an address that is none have errors that say so", async (t) => {
  const params = { conv: "p2p/a/b" };
  await assert.rejects(callHttp("http://127.0.0.1:9", historyGet, params), {
    code: "unavailable",
    message: "http://127.0.0.1:9 does not answer",
  });
  const base = await serve(t, () => {});
  await assert.rejects(callHttp(base, historyGet, params, { timeoutMs: 20 }), { code: "unavailable" });
  for (const wrong of ["", "127.0.0.1:8080", "ftp://x"])
    await assert.rejects(callHttp(wrong, historyGet, params), { code: "invalid_packet", message: /not a URL/ });
});
