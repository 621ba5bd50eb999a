import assert from "node:assert/strict";
import { test } from "node:test";
import { fcmError, type HttpsReply, startFcm } from "@parley/testkit";
import type { Outcome } from "../../src/providers/outgoing.ts";
import { assertOutcome, fcmMessage, sendersOf } from "./senders.ts";

type Row = [reply: HttpsReply, outcome: Partial<Outcome>, reason: RegExp];

const inAMinute = { headers: { "retry-after": "90" } };
/** ErrorCode of FCM's HTTP v1 API, and what Google's APIs answer beside it. */
const answers: Record<string, Row> = {
  "404 UNREGISTERED": [fcmError(404, "NOT_FOUND", { fcm: "UNREGISTERED" }), { is: "gone" }, /^UNREGISTERED$/],
  "404 that is not about the token": [
    fcmError(404, "NOT_FOUND"),
    { is: "misconfigured" },
    /PUSH_FCM_SERVICE_ACCOUNT_FILE must be of the project .*\(NOT_FOUND\)$/,
  ],
  "400 INVALID_ARGUMENT of a token": [
    fcmError(400, "INVALID_ARGUMENT", { fcm: "INVALID_ARGUMENT" }),
    { is: "gone" },
    /^INVALID_ARGUMENT$/,
  ],
  "400 INVALID_ARGUMENT that names the token": [
    fcmError(400, "INVALID_ARGUMENT", { violation: "message.token" }),
    { is: "gone" },
    /^INVALID_ARGUMENT$/,
  ],
  "400 INVALID_ARGUMENT that names another field": [
    fcmError(400, "INVALID_ARGUMENT", { fcm: "INVALID_ARGUMENT", violation: "message.data[0].value" }),
    { is: "refused" },
    /^INVALID_ARGUMENT: message\.data\[0\]\.value$/,
  ],
  "400 INVALID_ARGUMENT without more": [fcmError(400, "INVALID_ARGUMENT"), { is: "refused" }, /^INVALID_ARGUMENT$/],
  "400 UNSPECIFIED_ERROR": [
    fcmError(400, "INVALID_ARGUMENT", { fcm: "UNSPECIFIED_ERROR" }),
    { is: "refused" },
    /^UNSPECIFIED_ERROR$/,
  ],
  "403 SENDER_ID_MISMATCH": [
    fcmError(403, "PERMISSION_DENIED", { fcm: "SENDER_ID_MISMATCH" }),
    { is: "gone" },
    /^SENDER_ID_MISMATCH$/,
  ],
  "403 PERMISSION_DENIED": [fcmError(403, "PERMISSION_DENIED"), { is: "misconfigured" }, /does not let us send/],
  "401 THIRD_PARTY_AUTH_ERROR": [
    fcmError(401, "UNAUTHENTICATED", { fcm: "THIRD_PARTY_AUTH_ERROR" }),
    { is: "refused" },
    /APNs key in the Firebase console .*\(THIRD_PARTY_AUTH_ERROR\)$/,
  ],
  "401 APNS_AUTH_ERROR": [
    fcmError(401, "UNAUTHENTICATED", { fcm: "APNS_AUTH_ERROR" }),
    { is: "refused" },
    /APNs key in the Firebase console/,
  ],
  "429 QUOTA_EXCEEDED with a time": [
    fcmError(429, "RESOURCE_EXHAUSTED", { fcm: "QUOTA_EXCEEDED", ...inAMinute }),
    { is: "later", afterMs: 90_000 },
    /^QUOTA_EXCEEDED$/,
  ],
  "429 RESOURCE_EXHAUSTED without a time": [
    fcmError(429, "RESOURCE_EXHAUSTED"),
    { is: "later", afterMs: 60_000 },
    /^RESOURCE_EXHAUSTED$/,
  ],
  "500 INTERNAL": [fcmError(500, "INTERNAL", { fcm: "INTERNAL" }), { is: "later" }, /^INTERNAL$/],
  "503 UNAVAILABLE": [fcmError(503, "UNAVAILABLE", { fcm: "UNAVAILABLE" }), { is: "later" }, /^UNAVAILABLE$/],
  "503 UNAVAILABLE with a time": [
    fcmError(503, "UNAVAILABLE", { fcm: "UNAVAILABLE", ...inAMinute }),
    { is: "later", afterMs: 90_000 },
    /^UNAVAILABLE$/,
  ],
  "503 with a time that is a lie": [
    fcmError(503, "UNAVAILABLE", { headers: { "retry-after": "99999999999" } }),
    { is: "later", afterMs: 86_400_000 },
    /^UNAVAILABLE$/,
  ],
  "504 DEADLINE_EXCEEDED": [fcmError(504, "DEADLINE_EXCEEDED"), { is: "later" }, /^DEADLINE_EXCEEDED$/],
  "502 of a proxy, in HTML": [{ status: 502, body: "<html>bad gateway</html>" }, { is: "later" }, /answered 502/],
  "a 400 in HTML": [{ status: 400, body: "<html>no</html>" }, { is: "refused" }, /answered 400/],
  "a 418 that is new": [fcmError(418, "TEAPOT", { fcm: "TEAPOT" }), { is: "refused" }, /^TEAPOT$/],
  "a 200 that is no JSON": [{ status: 200, body: "<html>ok</html>" }, { is: "unknown" }, /answered 200 and nothing/],
  "a 200 with an error in it": [fcmError(200, "INTERNAL"), { is: "unknown" }, /answered 200/],
  "a 302": [{ status: 302, headers: { location: "https://127.0.0.1:1/" } }, { is: "unknown" }, /answered 302/],
};

for (const [name, [reply, outcome, reason]] of Object.entries(answers))
  test(`FCM, ${name}: ${JSON.stringify(outcome)}, after one request`, async (t) => {
    const fcm = await startFcm(t);
    fcm.answer(() => reply);
    const sender = sendersOf(t, fcm.settings).fcm;
    assertOutcome(await sender.send(fcmMessage()), outcome, reason);
    assert.equal(fcm.count(), 1);
  });

test("what is sent is what FCM gets, and one access token is asked for all", async (t) => {
  const fcm = await startFcm(t);
  const sender = sendersOf(t, fcm.settings).fcm;
  const data = { conv: "p2p/alice/bob", badge: "3" };
  const android = { priority: "high", ttl: 3_600_000, collapseKey: "a", notification: { tag: "b" } };
  const one = fcmMessage({ message: { data, android } });
  const outcomes = await Promise.all(
    [one, ...Array.from({ length: 20 }, () => fcmMessage())].map((each) => sender.send(each)),
  );
  for (const outcome of outcomes)
    assert.match(JSON.stringify(outcome), /"sent","id":"projects\/parley-test\/messages\/\d+"/);
  const seen = fcm.seen.find(({ token }) => token === one.token);
  assert.deepEqual(seen?.message, {
    token: one.token,
    data,
    android: { priority: "high", ttl: "3600s", collapse_key: "a", notification: { tag: "b" } },
  });
  assert.deepEqual([fcm.count(), fcm.asked()], [21, 1]);
});

test("what the library does not take is refused, and neither thrown nor sent", async (t) => {
  const fcm = await startFcm(t);
  const sender = sendersOf(t, fcm.settings).fcm;
  const messages = [{ data: { badge: 3 } }, { android: { ttl: "soon" } }, { data: "x" }, { notification: 7 }];
  for (const message of messages) assertOutcome(await sender.send(fcmMessage({ message })), { is: "refused" }, /must/);
  assert.equal(fcm.count(), 0);
});
