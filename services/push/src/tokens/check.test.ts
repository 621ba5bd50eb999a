import assert from "node:assert/strict";
import { createECDH, randomBytes } from "node:crypto";
import { test } from "node:test";
import { AppError, type PushRegistration } from "@parley/protocol";
import { readNetworks } from "@parley/runtime";
import { readRegistration } from "./check.ts";

const ecdh = createECDH("prime256v1");
const point = ecdh.generateKeys();
const keys = { p256dh: point.toString("base64url"), auth: randomBytes(16).toString("base64url") };
const endpoint = "https://push.example.com/send/abc";
const apns: PushRegistration = { kind: "apns", token: "0A".repeat(32), appId: "com.example.chat" };
const fcm: PushRegistration = { kind: "fcm", token: "cXyz-_9:APA91bH".repeat(4), appId: "com.example.chat" };
const webpush: PushRegistration = { kind: "webpush", subscription: { endpoint, keys } };

function subscribed(change: Partial<NonNullable<PushRegistration["subscription"]>>): PushRegistration {
  return { kind: "webpush", subscription: { endpoint, keys, ...change } };
}

test("who allows a network takes endpoints in it", () => {
  const allowed = readNetworks("127.0.0.0/8");
  const read = (host: string) => readRegistration(subscribed({ endpoint: `https://${host}/x` }), { allowed });
  for (const host of ["127.0.0.1:8443", "localhost:8443"]) assert.ok(!(read(host) instanceof AppError), host);
  for (const host of ["10.0.0.1", "[::1]"]) assert.ok(read(host) instanceof AppError, host);
});

test("who says no app is of the server's own, if it has one; Firebase needs none", () => {
  const { appId: _, ...nameless } = apns;
  const appOf = (given: PushRegistration, appId?: string) => {
    const read = readRegistration(given, { appId });
    return read instanceof AppError ? read.code : read.appId;
  };
  assert.equal(appOf(nameless, "com.example.own"), "com.example.own");
  assert.equal(appOf(apns, "com.example.own"), "com.example.chat");
  assert.equal(appOf(nameless), "forbidden");
  assert.equal(appOf({ kind: "fcm", token: fcm.token! }), "app");
});

test("what the providers give is taken, in one spelling each", () => {
  const taken: [PushRegistration, object][] = [
    [apns, { token: "0a".repeat(32), appId: "com.example.chat", language: "en", sandbox: false }],
    [
      { ...apns, kind: "apns-voip", sandbox: true, language: "pt-br" },
      { language: "pt-BR", sandbox: true },
    ],
    [{ ...apns, token: "ab".repeat(100) }, { token: "ab".repeat(100) }],
    [fcm, { token: fcm.token }],
    [webpush, { token: endpoint, keys, appId: "web" }],
    [subscribed({ keys: { p256dh: point.toString("base64"), auth: `${keys.auth}==` } }), { keys }],
    [subscribed({ endpoint: `${endpoint}#part` }), { token: endpoint }],
  ];
  for (const [given, expected] of taken) {
    const read = readRegistration(given);
    assert.ok(!(read instanceof AppError), String(read));
    assert.deepEqual({ ...read, ...expected }, read);
  }
});

const offCurve = Buffer.concat([Buffer.of(4), randomBytes(32), Buffer.alloc(32)]);
const inner = [
  "127.0.0.1",
  "10.0.0.8",
  "[::1]",
  "[fd00::1]",
  "169.254.169.254",
  "localhost",
  "redis",
  "a.local",
  "2130706433",
];
const wrong: [string, PushRegistration, RegExp][] = [
  ["an APNs token of 62 digits", { ...apns, token: "0a".repeat(31) }, /64 to 200 hex digits/],
  ["an APNs token of 202 digits", { ...apns, token: "0a".repeat(101) }, /64 to 200 hex digits/],
  ["half a byte", { ...apns, token: "a".repeat(65) }, /64 to 200 hex digits/],
  ["an APNs token that is not hex", { ...apns, token: "zz".repeat(32) }, /64 to 200 hex digits/],
  ["a topic for calls", { ...apns, appId: "com.example.chat.voip" }, /the bundle id itself/],
  ["a bundle id with a line", { ...apns, appId: "com.example_chat" }, /must be a bundle id/],
  ["no token", { kind: "fcm", appId: "a" }, /token is missing/],
  ["an FCM token with blanks", { ...fcm, token: "a b".repeat(20) }, /registration token/],
  ["an FCM token of a few letters", { ...fcm, token: "short" }, /registration token/],
  ["FCM's sandbox", { ...fcm, sandbox: true }, /sandbox is of APNs/],
  ["a subscription for APNs", { ...apns, ...webpush, kind: "apns" }, /no subscription/],
  ["a token for Web Push", { ...webpush, token: "x" }, /a subscription and nothing else/],
  ["no subscription", { kind: "webpush" }, /subscription is missing/],
  ["http", subscribed({ endpoint: "http://push.example.com/a" }), /must be https/],
  ["no URL", subscribed({ endpoint: "push.example.com" }), /no URL/],
  ["a password", subscribed({ endpoint: "https://a:b@push.example.com/" }), /no password/],
  ["what is spelled longer than it came", subscribed({ endpoint: `${endpoint}/${"ä".repeat(1_000)}` }), /2,048/],
  [
    "a point that is not on the curve",
    subscribed({ keys: { ...keys, p256dh: offCurve.toString("base64url") } }),
    /P-256/,
  ],
  [
    "a compressed point",
    subscribed({ keys: { ...keys, p256dh: point.subarray(0, 33).toString("base64url") } }),
    /P-256/,
  ],
  ["a point that is no Base64", subscribed({ keys: { ...keys, p256dh: "?".repeat(87) } }), /P-256/],
  ["a secret of 15 bytes", subscribed({ keys: { ...keys, auth: randomBytes(15).toString("base64url") } }), /16 bytes/],
  ["a language that is none", { ...fcm, language: "not a language" }, /BCP 47/],
  ...inner.map(
    (host) =>
      [host, subscribed({ endpoint: `https://${host}/x` }), /public internet/] as [string, PushRegistration, RegExp],
  ),
];
for (const [what, given, says] of wrong)
  test(`refused with a word that says why: ${what}`, () => {
    const read = readRegistration(given);
    assert.ok(read instanceof AppError, JSON.stringify(read));
    assert.equal(read.code, "invalid_packet");
    assert.match(read.message, says);
  });
