import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { AppError } from "../errors.ts";
import { checkMessage } from "./uplink.ts";

const folder = new URL("./", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
const exported = await Promise.all(files.map(async (name) => Object.values(await import(new URL(name, folder).href))));
/** The `type` that each packet of the server has. */
const serverTypes = exported.flat().flatMap((schema) => {
  const { type } = (schema as { properties?: { type?: { const?: string } } } | null)?.properties ?? {};
  return typeof type?.const === "string" ? [type.const] : [];
});

test("whatever `to` no message can go to, short or long, the refusal says what it may be", () => {
  for (const to of ["", "bob", "$news", "room/", "user/", "u/b", "user/bob/client", "group/friends", "x".repeat(500)]) {
    const refusal = checkMessage({ to, content: { type: "text" } });
    assert.ok(refusal instanceof AppError, to);
    assert.equal(refusal.message, "to must be user/{uid}, user/{uid}/client/{clientId} or room/{id}");
  }
  for (const to of ["room/a", "user/b", `user/${"u".repeat(32)}/client/${"c".repeat(64)}`])
    assert.ok(!(checkMessage({ to, content: { type: "text" } }) instanceof AppError), to);
});

test("no message has the `type` of a packet that only the server sends, whichever there are", () => {
  assert.ok(serverTypes.length >= 14, `${serverTypes}`);
  for (const type of serverTypes) {
    const refusal = checkMessage({ to: "user/bob", type, content: { type: "text" } });
    assert.ok(refusal instanceof AppError, `a message may read like the server's ${type}`);
    assert.deepEqual([refusal.code, refusal.message.includes("type")], ["invalid_packet", true], refusal.message);
  }
  for (const type of ["chat", "grpchat", "acknowledged", "a star", "rosterXchanged"])
    assert.ok(!(checkMessage({ to: "user/bob", type, content: { type: "text" } }) instanceof AppError), type);
});
