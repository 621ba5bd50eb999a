// Previews of links, over HTTP and MQTT: real servers on this machine, of which one may be asked and one may not.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { promises } from "node:dns";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { linksPreview } from "@parley/protocol";
import { callMethod, createGuard, readNetworks } from "@parley/runtime";
import { fetchPage } from "../src/links/fetch-page.ts";
import { startTestApi, type TestApi } from "./surroundings.ts";

const asked: string[] = [];
const html = "text/html; charset=utf-8";
const held = Promise.withResolvers<void>();
const site = await serve("127.0.0.1", async ({ url = "" }, response) => {
  asked.push(url);
  const [, kind = "", rest = ""] = url.split("/", 3);
  if (kind === "to") return void response.writeHead(302, { location: decodeURIComponent(rest) }).end();
  if (kind === "hops")
    return void response.writeHead(307, { location: rest === "1" ? "/page" : `/hops/${Number(rest) - 1}` }).end();
  if (kind === "held") await held.promise;
  if (kind === "reset") return void response.destroy();
  if (kind === "silent") return;
  if (kind === "upgrade") return void response.writeHead(101, { connection: "upgrade", upgrade: "x" }).end();
  if (kind === "status") response.statusCode = Number(rest);
  if (kind === "packed") response.setHeader("content-encoding", "gzip");
  response.setHeader("content-type", kind === "type" ? decodeURIComponent(rest) : html);
  if (kind === "long") response.write(" ".repeat(600_000));
  response.write(
    `<head><title>A page</title><meta property="og:image" content="i.png">${kind === "endless" ? "" : "</head>"}`,
  );
  if (kind === "endless") return void pour(response);
  response.end();
});
let reached = 0;
const inner = await serve("127.0.0.2", (_, response) => {
  reached++;
  response.setHeader("content-type", html).end("<title>secret</title>");
});

const env = { LINK_PREVIEW_ALLOW: "127.0.0.1", API_PREVIEWS: "50" };
const api = await startTestApi({ after }, env);
const { token } = await api.user("alice");
const preview = (url: unknown, by = token, of: TestApi = api) =>
  of.call("POST", "/links/preview", { token: by, json: { url } });
const page = { title: "A page", site: `127.0.0.1:${site}` };
const at = (path: string) => `http://127.0.0.1:${site}${path}`;

async function serve(host: string, listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await once(server.listen(0, host), "listening");
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

// As long as somebody reads.
function pour(response: Parameters<RequestListener>[1]): void {
  if (!response.destroyed) response.write("<p>".repeat(10_000), () => pour(response));
}

async function noPreview(url: string): Promise<unknown> {
  const { status, body } = await preview(url);
  assert.deepEqual([status, body.error?.code], [404, "not_found"], `${url}: ${JSON.stringify(body)}`);
  return body;
}

test("what a page says of itself comes back over HTTP and MQTT, its image by its address", async () => {
  const expected = { url: at("/page"), ...page, image: at("/i.png") };
  assert.deepEqual((await preview(at("/page"))).body, expected);
  const caller = { uid: "alice", clientId: "alice:web", via: "mqtt", requestId: "1" } as const;
  const answer = await callMethod(api.nats, linksPreview, caller, { url: at("/page") }, { timeoutMs: 12_000 });
  assert.deepEqual(answer, expected);
});

test("what only this server can reach is never connected to, however it is spelled, and is answered as no page", async () => {
  const hosts = [
    "127.0.0.2",
    "2130706434",
    "0x7f.2",
    "[::ffff:127.0.0.2]",
    "[::127.0.0.2]",
    "0.0.0.0",
    "localhost",
    "[::]",
  ];
  const answers = [];
  for (const host of hosts) answers.push(await noPreview(`http://${host}:${inner}/`));
  for (const host of ["127.0.0.2", "[::ffff:7f00:2]", "169.254.169.254"])
    answers.push(await noPreview(at(`/to/${encodeURIComponent(`http://${host}:${inner}/`)}`)));
  answers.push(await noPreview(at("/status/404")));
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  assert.equal(reached, 0);
});

test("redirects are followed three times, to pages only", async () => {
  assert.equal((await preview(at("/hops/3"))).body.title, "A page");
  await noPreview(at("/hops/4"));
  for (const to of ["file:///etc/hostname", "ftp://127.0.0.1/", `http://a:b@127.0.0.1:${site}/page`, "http://", ""])
    await noPreview(at(`/to/${encodeURIComponent(to)}`));
});

test("what is no page is not shown: other types, codings, statuses, broken and upgraded connections", async () => {
  const paths = ["/type/image%2Fpng", "/type/x", "/packed", "/status/500", "/reset", "/upgrade", "/long"];
  await Promise.all(paths.map((path) => noPreview(at(path))));
  await noPreview(`http://127.0.0.1:1/`);
});

test("of a page without an end the beginning is read, and of a silent server nothing, in time", async () => {
  assert.equal((await preview(at("/endless"))).body.title, "A page");
  const guard = createGuard(readNetworks("127.0.0.1"));
  await assert.rejects(fetchPage(guard, new URL(at("/silent")), 100), { name: "AbortError" });
});

test("an address that cannot be a page's is refused, and its field is named", async () => {
  const wrong = [
    "file:///etc/hostname",
    "ftp://a.example/",
    "javascript:alert(1)",
    "http://",
    "a",
    "",
    7,
    null,
    undefined,
  ];
  for (const url of [...wrong, "https://me:secret@a.example/", `https://a.example/${"é".repeat(1_000)}`]) {
    const { status, body } = await preview(url);
    assert.deepEqual([status, body.error?.code], [400, "invalid_packet"], `${url}: ${JSON.stringify(body)}`);
    assert.match(body.error.message, /url/);
  }
  const more = await api.call("POST", "/links/preview", { token, json: { url: at("/page"), follow: true } });
  assert.match(more.body.error.message, /follow/);
});

test("a page is asked for once, whoever asks at once or soon after", async () => {
  const { token: other } = await api.user("bob");
  const both = [preview(at("/held#a")), preview(at("/held#b"), other)];
  held.resolve();
  const answers = await Promise.all(both);
  assert.deepEqual(
    answers.map(({ body }) => body),
    ["#a", "#b"].map((part) => ({ url: at(`/held${part}`), ...page, image: at("/i.png") })),
  );
  assert.equal((await preview(at("/held"))).status, 200);
  assert.equal(asked.filter((path) => path === "/held").length, 1);
});

test("previews beyond a user's rate are rate_limited and say for how long; where they are off they are forbidden", async () => {
  const { token: eager } = await api.user("eager");
  for (let n = 0; n < 50; n++) assert.equal((await preview(at("/page"), eager)).status, 200);
  // What time has given back meanwhile is used up as well.
  let { status, body } = await preview(at("/page"), eager);
  for (let n = 0; n < 50 && status === 200; n++) ({ status, body } = await preview(at("/page"), eager));
  assert.deepEqual([status, body.error.code, body.error.details.retryAfterMs > 0], [429, "rate_limited", true]);
  const off = await startTestApi({ after }, { ...env, LINK_PREVIEWS: "false" });
  const refused = await preview(at("/page"), (await off.user("alice")).token, off);
  assert.deepEqual([refused.status, refused.body.error.code], [403, "forbidden"]);
});

test("a name is looked up once, and connected to as it was judged", async () => {
  const dns = await startDns([["127.0.0.1"], ["127.0.0.2"]]);
  const guard = createGuard(readNetworks("127.0.0.1"), dns.open);
  const found = await fetchPage(guard, new URL(`http://turning.example:${site}/page`));
  assert.match(`${found?.bytes}`, /A page/);
  assert.deepEqual([dns.lookups(), reached], [1, 0]);
});

test("a name with an inner address among its public ones, and a public address at another port, are not asked", async () => {
  const guard = createGuard(
    readNetworks(""),
    (await startDns([["1.1.1.1", "10.0.0.1"], ["1.1.1.1", "8.8.8.8"], []])).open,
  );
  const addressesOf = (url: string) => guard.addressesOf(new URL(url), AbortSignal.timeout(10_000));
  assert.equal(await addressesOf("http://mixed.example/"), "forbidden");
  assert.deepEqual(await addressesOf("https://public.example:443/"), [
    { address: "1.1.1.1", family: 4 },
    { address: "8.8.8.8", family: 4 },
  ]);
  assert.equal(await addressesOf("http://nobody.example/"), "unknown");
  assert.equal(await addressesOf("http://1.1.1.1:25/"), "forbidden");
  assert.equal((await addressesOf("https://1.1.1.1:80/"))?.length, 1);
});

/** A name server that answers each question for IPv4 addresses with the next list, and has no IPv6 addresses. */
async function startDns(answers: string[][]) {
  const socket = createSocket("udp4");
  let lookups = 0;
  socket.on("message", (query, { port, address }) => {
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const isV4 = question.at(-3) === 1;
    const found = isV4 ? (answers[lookups++] ?? []) : [];
    const records = found.map((one) => [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...one.split(".").map(Number)]);
    const head = [...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, found.length, 0, 0, 0, 0];
    socket.send(Buffer.from([...head, ...question, ...records.flat()]), port, address);
  });
  await once(socket.bind(0, "127.0.0.1"), "listening");
  after(() => socket.close());
  return {
    lookups: () => lookups,
    open() {
      const resolver = new promises.Resolver({ timeout: 2_000, tries: 4 });
      resolver.setServers([`127.0.0.1:${socket.address().port}`]);
      return resolver;
    },
  };
}
