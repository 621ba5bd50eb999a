import assert from "node:assert/strict";
import { test } from "node:test";
import { isRevokedBy, laterRevocation, revocationKey, revocationKeysOf } from "./revocations.ts";
import type { Revocation } from "./services.ts";

const until = 9_000;
const made = (passwordSince: number | undefined, family?: string, issuedAt = 100) => {
  return { clientId: "alice:web", issuedAt, passwordSince, family };
};

test("a change of password ends by the password, not by the clock, and spares one login", () => {
  const change: Revocation = { uid: "alice", before: 100, until, password: { since: 5, keep: "f1" } };
  const ended = [made(0, "f2"), made(4, "f2", 999), made(4, undefined, 999), made(undefined, undefined, 99)];
  for (const credential of ended) assert.equal(isRevokedBy(credential, change), true, JSON.stringify(credential));
  const spared = [made(0, "f1", 1), made(4, "f1"), made(5, "f2", 1), made(5, undefined, 1), made(undefined)];
  for (const credential of spared) assert.equal(isRevokedBy(credential, change), false, JSON.stringify(credential));
  const byConnection: Revocation = { ...change, password: { since: 5 } };
  assert.equal(isRevokedBy(made(4), byConnection), true, "a connect by password is no login that could be kept");
});

test("a revoked device's tokens end by their time, and no other device's", () => {
  const revocation: Revocation = { uid: "alice", clientId: "alice:web", before: 100, until };
  assert.equal(isRevokedBy(made(7, "f1", 99), revocation), true);
  assert.equal(isRevokedBy(made(7, "f1", 100), revocation), false);
  assert.equal(isRevokedBy({ ...made(7, "f1", 99), clientId: "alice:phone" }, revocation), false);
});

test("of two revocations with one key the later counts, in whatever order they are told", () => {
  const first: Revocation = { uid: "alice", before: 200, until, password: { since: 5, keep: "f1" } };
  const second: Revocation = { uid: "alice", before: 100, until, password: { since: 6, keep: "f2" } };
  assert.equal(laterRevocation(first, second), second);
  assert.equal(laterRevocation(second, first), second, "its clock was behind");
  const device: Revocation = { uid: "alice", clientId: "alice:web", before: 100, until };
  assert.equal(laterRevocation(device, { ...device, before: 50 }), device);
  const keys = [first, device, { uid: "alice" }].map(revocationKey);
  assert.equal(new Set(keys).size, 3);
  assert.deepEqual(revocationKeysOf("alice", "alice:web").sort(), keys.sort());
});
