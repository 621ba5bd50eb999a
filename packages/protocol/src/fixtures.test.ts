import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { TSchema } from "typebox";
import { type Check, checkOf } from "./check.ts";
import { decodeObject } from "./codec.ts";
import { AppError } from "./errors.ts";
import * as down from "./packets/downlink.ts";
import * as up from "./packets/uplink.ts";

interface Fixture {
  packet: string;
  raw?: string;
  base64?: string;
  error?: { code: string; contains: string };
}

const checks: Record<string, Check<TSchema>> = {
  message: up.checkMessage,
  receipt: up.checkReceipt,
  typing: up.checkTyping,
  state: up.checkState,
  subscription: up.checkSubscription,
  request: up.checkRequest,
  delivered: checkOf(down.Message),
  ack: checkOf(down.AckPacket),
  nack: checkOf(down.NackPacket),
  "receipt-notice": checkOf(down.ReceiptNotice),
  "typing-notice": checkOf(down.TypingNotice),
  "presence-notice": checkOf(down.PresenceNotice),
  "roster-notice": checkOf(down.RosterNotice),
  "too-large-notice": checkOf(down.TooLargeNotice),
  answer: checkOf(down.AnswerPacket),
};

function fixtures(kind: "valid" | "invalid"): [name: string, fixture: Fixture][] {
  const folder = new URL(`../fixtures/${kind}/`, import.meta.url);
  return readdirSync(folder).map((file) => [file, JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Fixture]);
}

function read({ packet, raw, base64 }: Fixture): unknown {
  const bytes = Buffer.from(raw ?? base64 ?? "", raw === undefined ? "base64" : "utf8");
  const decoded = decodeObject(bytes);
  const check = checks[packet];
  assert.ok(check, `a fixture names an unknown packet: ${packet}`);
  return decoded instanceof AppError ? decoded : check(decoded);
}

for (const [name, fixture] of fixtures("valid"))
  test(`valid/${name} is taken`, () => {
    const packet = read(fixture);
    assert.ok(!(packet instanceof AppError), packet instanceof AppError ? packet.message : "");
  });

for (const [name, fixture] of fixtures("invalid"))
  test(`invalid/${name} is refused with its code and what is wrong`, () => {
    const refusal = read(fixture);
    assert.ok(refusal instanceof AppError, "it was taken");
    assert.equal(refusal.code, fixture.error?.code);
    assert.ok(refusal.message.includes(fixture.error?.contains ?? "?"), refusal.message);
  });

test("every packet has a valid fixture, every uplink packet an invalid one", () => {
  const has = (kind: "valid" | "invalid") => new Set(fixtures(kind).map(([, { packet }]) => packet));
  assert.deepEqual(new Set(Object.keys(checks)), has("valid"));
  for (const packet of ["message", "receipt", "typing", "state", "request"]) assert.ok(has("invalid").has(packet));
});
