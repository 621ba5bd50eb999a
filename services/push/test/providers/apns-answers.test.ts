import assert from "node:assert/strict";
import { test } from "node:test";
import { type ApnsReply, startApns } from "@parley/testkit";
import type { Outcome } from "../../src/providers/outgoing.ts";
import { alert, assertOutcome, deviceToken, sendersOf } from "./senders.ts";

type Row = [reply: ApnsReply, outcome: Partial<Outcome>, reason: RegExp];

const since = 1_764_000_000_000;
/** Apple's table of statuses and reasons, whole. */
const answers: Record<string, Row> = {
  "400 BadCollapseId": [{ status: 400, reason: "BadCollapseId" }, { is: "refused" }, /^BadCollapseId$/],
  "400 BadDeviceToken": [{ status: 400, reason: "BadDeviceToken" }, { is: "gone" }, /^BadDeviceToken$/],
  "400 BadExpirationDate": [{ status: 400, reason: "BadExpirationDate" }, { is: "refused" }, /^BadExpirationDate$/],
  "400 BadMessageId": [{ status: 400, reason: "BadMessageId" }, { is: "refused" }, /^BadMessageId$/],
  "400 BadPriority": [{ status: 400, reason: "BadPriority" }, { is: "refused" }, /^BadPriority$/],
  "400 BadTopic": [{ status: 400, reason: "BadTopic" }, { is: "refused" }, /^BadTopic$/],
  "400 DeviceTokenNotForTopic": [{ status: 400, reason: "DeviceTokenNotForTopic" }, { is: "gone" }, /NotForTopic$/],
  "400 DuplicateHeaders": [{ status: 400, reason: "DuplicateHeaders" }, { is: "refused" }, /^DuplicateHeaders$/],
  "400 IdleTimeout": [{ status: 400, reason: "IdleTimeout" }, { is: "again" }, /^IdleTimeout$/],
  "400 InvalidPushType": [{ status: 400, reason: "InvalidPushType" }, { is: "refused" }, /^InvalidPushType$/],
  "400 MissingDeviceToken": [{ status: 400, reason: "MissingDeviceToken" }, { is: "refused" }, /^MissingDeviceToken$/],
  "400 MissingTopic": [{ status: 400, reason: "MissingTopic" }, { is: "refused" }, /^MissingTopic$/],
  "400 PayloadEmpty": [{ status: 400, reason: "PayloadEmpty" }, { is: "refused" }, /^PayloadEmpty$/],
  "400 TopicDisallowed": [{ status: 400, reason: "TopicDisallowed" }, { is: "refused" }, /not for this app/],
  "403 BadCertificate": [
    { status: 403, reason: "BadCertificate" },
    { is: "misconfigured" },
    /PUSH_APNS_CERTIFICATE_FILE .*\(BadCertificate\)$/,
  ],
  "403 BadCertificateEnvironment": [
    { status: 403, reason: "BadCertificateEnvironment" },
    { is: "misconfigured" },
    /certificate for this environment/,
  ],
  "403 BadEnvironmentKeyIdInToken": [
    { status: 403, reason: "BadEnvironmentKeyIdInToken" },
    { is: "misconfigured" },
    /key for this environment/,
  ],
  "403 Forbidden": [{ status: 403, reason: "Forbidden" }, { is: "misconfigured" }, /Apple's developer account/],
  "403 InvalidProviderToken": [
    { status: 403, reason: "InvalidProviderToken" },
    { is: "misconfigured" },
    /^APNs refuses our key: .*PUSH_APNS_KEY_ID and PUSH_APNS_TEAM_ID must be those of/,
  ],
  "403 MissingProviderToken": [{ status: 403, reason: "MissingProviderToken" }, { is: "misconfigured" }, /neither/],
  "403 UnrelatedKeyIdInToken": [
    { status: 403, reason: "UnrelatedKeyIdInToken" },
    { is: "misconfigured" },
    /no such key/,
  ],
  "403 for a reason that is new": [{ status: 403, reason: "Unheard" }, { is: "misconfigured" }, /\(Unheard\)$/],
  "404 BadPath": [{ status: 404, reason: "BadPath" }, { is: "refused" }, /^BadPath$/],
  "405 MethodNotAllowed": [{ status: 405, reason: "MethodNotAllowed" }, { is: "refused" }, /^MethodNotAllowed$/],
  "410 ExpiredToken": [
    { status: 410, reason: "ExpiredToken", timestamp: since },
    { is: "gone", since },
    /^ExpiredToken$/,
  ],
  "410 Unregistered": [
    { status: 410, reason: "Unregistered", timestamp: since },
    { is: "gone", since },
    /^Unregistered$/,
  ],
  "410 Unregistered without a time": [{ status: 410, reason: "Unregistered" }, { is: "gone" }, /^Unregistered$/],
  "413 PayloadTooLarge": [{ status: 413, reason: "PayloadTooLarge" }, { is: "refused" }, /^PayloadTooLarge$/],
  "429 TooManyProviderTokenUpdates": [
    { status: 429, reason: "TooManyProviderTokenUpdates" },
    { is: "misconfigured", pauseMs: 1_200_000 },
    /too many signed tokens/,
  ],
  "429 TooManyRequests": [
    { status: 429, reason: "TooManyRequests" },
    { is: "later", afterMs: 20_000 },
    /^TooManyRequests$/,
  ],
  "500 InternalServerError": [{ status: 500, reason: "InternalServerError" }, { is: "later" }, /./],
  "503 ServiceUnavailable": [{ status: 503, reason: "ServiceUnavailable" }, { is: "later" }, /^ServiceUnavailable$/],
  "503 Shutdown": [{ status: 503, reason: "Shutdown" }, { is: "later" }, /^Shutdown$/],
  "a 429 without a body": [{ status: 429 }, { is: "later", afterMs: 20_000 }, /429 without a reason/],
  "a 503 without a body": [{ status: 503 }, { is: "later" }, /503 without a reason/],
  "a 400 without a body": [{ status: 400 }, { is: "refused" }, /400 without a reason/],
  "a 503 of a proxy, in HTML": [
    { status: 503, body: "<html>busy</html>" },
    { is: "unknown" },
    /processing APNs response/,
  ],
  "a 400 with a number in place of a reason": [{ status: 400, body: '{"reason":7}' }, { is: "refused" }, /^7$/],
  "a 200 with what is no JSON": [
    { status: 200, body: "<html>ok</html>" },
    { is: "unknown" },
    /processing APNs response/,
  ],
};

for (const [name, [reply, outcome, reason]] of Object.entries(answers))
  test(`APNs, ${name}: ${JSON.stringify(outcome)}, after one request`, async (t) => {
    const apns = await startApns(t);
    apns.answer(() => reply);
    const sender = sendersOf(t, apns.settings).apns;
    assertOutcome(await sender.send(alert()), outcome, reason);
    assert.equal(apns.count(), 1);
  });

test("what is sent is what APNs gets: path, headers and payload", async (t) => {
  const apns = await startApns(t);
  const sender = sendersOf(t, apns.settings).apns;
  const first = alert();
  const voip = alert({ topic: "app.parley.voip", pushType: "voip", expiresAt: 0 });
  delete voip.collapseId;
  for (const one of [first, voip, alert({ pushType: "background", priority: 5 })])
    assert.deepEqual(await sender.send(one), { is: "sent", id: one.id });
  const [seen, seenVoip, silent] = apns.seen;
  assert.equal(seen?.headers[":path"], `/3/device/${first.token}`);
  assert.equal(seen?.headers[":authority"], "api.push.apple.com");
  assert.deepEqual(seen?.payload, first.payload);
  const read = (headers = {}) => Object.fromEntries(Object.entries(headers).filter(([key]) => key.startsWith("apns-")));
  assert.deepEqual(read(seen?.headers), {
    "apns-id": first.id,
    "apns-topic": "app.parley",
    "apns-push-type": "alert",
    "apns-priority": "10",
    "apns-collapse-id": "p2p/alice/bob",
    "apns-expiration": String(first.expiresAt),
  });
  assert.deepEqual(read(seenVoip?.headers), {
    "apns-id": voip.id,
    "apns-topic": "app.parley.voip",
    "apns-push-type": "voip",
    "apns-priority": "10",
    "apns-expiration": "0",
  });
  assert.deepEqual([silent?.headers["apns-push-type"], silent?.headers["apns-priority"]], ["background", "5"]);
});

test("production and sandbox are served side by side, each on a connection of its own, by one signed token", async (t) => {
  const [production, sandbox] = [await startApns(t), await startApns(t)];
  const { PUSH_APNS_SANDBOX_URL: url = "" } = sandbox.settings;
  const sender = sendersOf(t, { ...production.settings, PUSH_APNS_SANDBOX_URL: url }).apns;
  await sender.send(alert());
  // The other server has another key, and says so: that is how it is known to be the other one.
  assertOutcome(await sender.send(alert({ sandbox: true })), { is: "misconfigured" }, /refuses our key/);
  assert.deepEqual([production.count(), sandbox.count()], [1, 1]);
  const shown = [production, sandbox].map(({ seen }) => seen[0]?.headers.authorization);
  assert.match(shown[0] ?? "", /^bearer ey/);
  assert.equal(shown[0], shown[1]);
});

test("a token that is no hexadecimal is gone, and nobody is asked", async (t) => {
  const apns = await startApns(t);
  const sender = sendersOf(t, apns.settings).apns;
  for (const token of ["", "..%2f", "zz", `${deviceToken()}/x`, "é"])
    assertOutcome(await sender.send(alert({ token })), { is: "gone" }, /^BadDeviceToken/);
  assert.equal(apns.opened(), 0);
});

test("a few bad tokens are gone; when more than a fifth of an app's are refused they are kept, and the log says so", async (t) => {
  const apns = await startApns(t);
  const { apns: sender, lines } = sendersOf(t, apns.settings);
  const bad = new Set<string>();
  apns.answer(({ token = "" }) => (bad.has(token) ? { status: 400, reason: "BadDeviceToken" } : undefined));
  const sendBad = (changes = {}) => {
    const token = deviceToken();
    bad.add(token);
    return sender.send(alert({ token, ...changes }));
  };
  for (let n = 0; n < 10; n++) assert.equal((await sender.send(alert())).is, "sent");
  assertOutcome(await sendBad(), { is: "gone" });
  assertOutcome(await sendBad(), { is: "gone" });
  assertOutcome(
    await sendBad(),
    { is: "refused" },
    /3 of the last 13 tokens of app.parley .* production; they are kept/,
  );
  assertOutcome(await sendBad({ sandbox: true }), { is: "gone" });
  assert.deepEqual(
    lines.map(({ event, environment, bad: count }) => [event, environment, count]),
    [["apns_environment_doubted", "production", 3]],
  );
});
