// Every documented route, every parameter of it, and values that no honest client sends: a documented answer, never a 500.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Method, methodSubject, methods } from "@parley/protocol";
import { openApiDocument } from "@parley/protocol/documents";
import { answer } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import type { TObject } from "typebox";
import { startHistoryProcess } from "./history-process.ts";
import { startTestApi } from "./surroundings.ts";

const api = await startTestApi(
  { after },
  { API_RATE: "100000", API_BURST: "100000", API_ADDRESS_RATE: "100000", API_ADDRESS_BURST: "100000" },
);
for (const method of methods.values())
  if (method.owner === "presence" || method.owner === "search" || method.owner === "push")
    answer(api.nats, methodSubject(method.name), method.owner, () => '{"result":{}}');
await api.nats.flush();
startHistoryProcess({ after }, api);

const operator = api.secrets.servicesSecret;
const { key } = (await api.call("POST", "/keys", { token: operator, json: { name: "app" } })).body;
// Each its own user, so that nobody is logged out by what another call does.
let users = 0;
async function tokenFor({ access }: Method): Promise<string | undefined> {
  if (access === "public") return undefined;
  if (access === "operator") return operator;
  if (access === "key") return key;
  const uid = `nasty${users++}`;
  await api.call("POST", "/users", { token: key, json: { uid } });
  return (await api.call("POST", `/users/${uid}/login`, { token: key, json: {} })).body.token;
}

const texts = {
  empty: "",
  NUL: "a\0b",
  control: "a\u0001\r\n\u007f",
  "half a character": "a\ud800",
  "an emoji": "😀".repeat(64),
  dots: "../..",
  slashes: "a/b//c",
  percent: "%00%zz%",
  prototype: "__proto__",
  operator: "$where",
  long: "a".repeat(400),
  longer: "a".repeat(4_000),
  quote: `'";--`,
};
const encoded = [
  "%00",
  "a%00b",
  "%zz",
  "%",
  "%ff%fe",
  "%ed%a0%80",
  "%2e%2e%2f",
  "%f0%9f%98%80",
  "a%0d%0ab",
  "a".repeat(600),
];
const values = [
  ...Object.values(texts),
  0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  true,
  null,
  [],
  {},
  [null],
  [[]],
  { a: { b: [1] } },
];

const documented = openApiDocument().paths as unknown as Record<string, Record<string, { responses: object }>>;

function check(
  method: Method,
  { status, body }: { status: number; body: { error?: { code?: string } } },
  what: string,
) {
  const { responses } = documented[method.http.path]![method.http.verb.toLowerCase()]!;
  const told = `${method.name} ${what}: ${status} ${JSON.stringify(body).slice(0, 200)}`;
  assert.notEqual(status, 500, told);
  assert.ok(Object.keys(responses).includes(String(status)), told);
  if (status !== 200) assert.equal(typeof body.error?.code, "string", told);
}

const waiting = await tokenFor(methods.get("sync") as Method);
await eventually(async () => (await api.call("POST", "/sync", { token: waiting as string, json: {} })).status === 200, {
  timeoutMs: 60_000,
});

/** What the other required fields hold while one is nasty. */
const samples: Record<string, unknown> = {
  username: "someone",
  uid: "someone",
  password: "correct horse",
  newPassword: "another horse",
  refreshToken: "x",
  name: "n",
  uids: ["someone"],
  to: "user/someone",
  content: { type: "text", data: "x" },
};

const atOnce = 8;

interface Request {
  what: string;
  url: string;
  raw?: string;
  headers?: Record<string, string>;
}

const bodies = [
  "",
  "{",
  "null",
  "[]",
  '"text"',
  "\0",
  "{}{}",
  '{"a":1,"a":2}',
  "[".repeat(5_000),
  `{"a":"${"x".repeat(600_000)}"}`,
];
const keys = ["", " ", "\u00e9", "x".repeat(200), "a b"];

function* requestsOf({ http: { verb, path }, params }: Method): Generator<Request> {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const url = path.replaceAll(/\{\w+\}/g, "a");
  for (const name of inPath)
    for (const value of encoded)
      yield { what: `path ${name} ${value}`, url: path.replace(`{${name}}`, value).replaceAll(/\{\w+\}/g, "a") };
  const { properties, required = [] } = params as TObject & { required?: string[] };
  const fields = [...Object.keys(properties), "made_up", "__proto__"].filter((one) => !inPath.includes(one));
  if (verb === "POST" || verb === "PUT")
    yield* bodiesOf(
      url,
      fields,
      required.filter((one) => !inPath.includes(one)),
    );
  else for (const field of fields) yield* queriesOf(url, encodeURIComponent(field));
  for (const key of keys) yield { what: `Idempotency-Key ${key}`, url, headers: { "idempotency-key": key } };
}

function* queriesOf(url: string, name: string): Generator<Request> {
  for (const value of encoded) yield { what: `query ${name} ${value}`, url: `${url}?${name}=${value}` };
  yield { what: `query ${name} twice`, url: `${url}?${name}=1&${name}=2` };
}

function* bodiesOf(url: string, fields: string[], required: string[]): Generator<Request> {
  const others = (field: string) =>
    required
      .filter((one) => one !== field)
      .map((one) => `${JSON.stringify(one)}:${JSON.stringify(samples[one] ?? "x")},`);
  for (const field of fields)
    for (const value of values) {
      const nasty = `${JSON.stringify(field)}:${JSON.stringify(value)}`;
      yield { what: `body ${nasty}`, url, raw: `{${others(field).join("")}${nasty}}` };
    }
  for (const raw of bodies) yield { what: `a body ${raw}`, url, raw };
  yield { what: "a body that is not JSON", url, raw: "a=b", headers: { "content-type": "text/plain" } };
}

for (const method of methods.values())
  test(`${method.name} answers what is documented, whatever is sent`, async () => {
    let token = await tokenFor(method);
    const ask = async ({ what, url, ...options }: Request) => {
      const reply = await api.call(method.http.verb, url, { ...(token === undefined ? {} : { token }), ...options });
      check(method, reply, what.slice(0, 80));
      return reply.status;
    };
    const requests = [...requestsOf(method)];
    while (requests.length > 0) {
      const statuses = await Promise.all(requests.splice(0, atOnce).map(ask));
      // What was called may have logged its caller out.
      if (method.access === "user" && method.changes && statuses.includes(200)) token = await tokenFor(method);
    }
  });

test("an Idempotency-Key that was used for another request is the documented 409 of every change", async () => {
  for (const method of methods.values()) {
    const { responses } = documented[method.http.path]![method.http.verb.toLowerCase()]!;
    if (method.changes) assert.ok("409" in responses, method.name);
    assert.ok("429" in responses && "503" in responses && "413" in responses, method.name);
  }
});
