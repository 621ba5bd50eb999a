import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "../errors.ts";
import { historyGet, methods, roomsCreate, sync } from "./index.ts";

const all = [...methods.values()];

test("no two methods share a name or a route", () => {
  const routes = all.map(({ http }) => `${http.verb} ${http.path.replaceAll(/\{[^}]+\}/g, "{}")}`);
  assert.equal(new Set(routes).size, all.length);
  for (const [name, method] of methods) assert.equal(method.name, name);
});

test("the methods of the protocol exist on their routes", () => {
  const named: Record<string, string> = {
    "history.get": "GET /conversations/{conv}/messages",
    sync: "POST /sync",
    "conversations.list": "GET /conversations",
    "rooms.create": "POST /rooms",
    "rooms.get": "GET /rooms/{id}",
    "rooms.list": "GET /rooms",
    "rooms.members": "GET /rooms/{id}/members",
    "rooms.invite": "POST /rooms/{id}/members",
    "rooms.remove": "DELETE /rooms/{id}/members/{uid}",
    "rooms.join": "POST /rooms/{id}/join",
    "rooms.leave": "POST /rooms/{id}/leave",
    "devices.list": "GET /devices",
    "devices.remove": "DELETE /devices/{clientId}",
  };
  for (const [name, route] of Object.entries(named)) {
    const method = methods.get(name);
    assert.equal(`${method?.http.verb} ${method?.http.path}`, route, name);
    assert.equal(method?.mqtt, true, `${name} is callable by MQTT`);
  }
});

test("every placeholder of a route is a parameter of its method", () => {
  for (const { name, http, params } of all)
    for (const [, key = ""] of http.path.matchAll(/\{([^}]+)\}/g))
      assert.ok(key in params.properties, `${name}: ${key}`);
});

test("what passwords and keys are needed for is not callable by MQTT", () => {
  for (const { name, mqtt, access } of all) if (access !== "user") assert.equal(mqtt, false, name);
});

// The one exception is a message itself, whose unknown fields pass through unread.
test("params are strict: an unknown one is refused by name, at every level", () => {
  for (const { name, params } of all) if (!carryMessages.has(name)) assertStrict(name, params);
  const refusal = roomsCreate.checkParams({ name: "r", settings: { visible: true } });
  assert.ok(refusal instanceof AppError);
  assert.equal(refusal.message, "unknown field settings.visible");
});

// In a message unknown fields pass through.
const carryMessages: ReadonlySet<string> = new Set(["messages.send", "messages.schedule", "messages.reschedule"]);

function assertStrict(path: string, schema: unknown): void {
  if (typeof schema !== "object" || schema === null) return;
  const { type, additionalProperties, patternProperties } = schema as Record<string, unknown>;
  if (type === "object" && !patternProperties) assert.equal(additionalProperties, false, `${path} is strict`);
  for (const [key, child] of Object.entries(schema)) assertStrict(`${path}.${key}`, child);
}

// Over MQTT a request's params are read as numbers: two that differ beyond 2^53 alone would be one to its id.
// A request id is good for one request only, and which one that was is told from its params as every JSON reader has them.
test("no request over MQTT that changes something takes a number that JSON readers may read differently", () => {
  const isExact = ({ type, minimum = Number.NaN, maximum = Number.NaN }: Record<string, unknown>) =>
    type !== "number" && (type !== "integer" || (Number.isSafeInteger(minimum) && Number.isSafeInteger(maximum)));
  const schemasIn = (schema: object): object[] => [
    schema,
    ...Object.values(schema).flatMap((part) => (typeof part === "object" && part !== null ? schemasIn(part) : [])),
  ];
  for (const { name, mqtt, changes, params } of all)
    if (mqtt && changes)
      for (const schema of schemasIn(params)) assert.ok(isExact({ ...schema }), `${name}: ${JSON.stringify(schema)}`);
});

test("a page is at most 500 messages, and cursors are sequence numbers", () => {
  assert.ok(!(historyGet.checkParams({ conv: "room/r1", limit: 500 }) instanceof AppError));
  assert.ok(historyGet.checkParams({ conv: "room/r1", limit: 501 }) instanceof AppError);
  assert.ok(historyGet.checkParams({ conv: "room/r1", before: 0 }) instanceof AppError);
  assert.ok(!(sync.checkParams({ cursors: { "room/r1": 0 } }) instanceof AppError));
  assert.ok(sync.checkParams({ cursors: { "room/r1": "12" } }) instanceof AppError);
  assert.ok(sync.checkParams({ cursors: { "room/r1": -1 } }) instanceof AppError);
});
