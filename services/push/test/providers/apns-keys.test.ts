import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { keyFolder, startApns } from "@parley/testkit";
import { alert, assertOutcome, sendersOf } from "./senders.ts";

test("a key that is not Apple's: APNs refuses it, nothing is tried twice, and the settings are named", async (t) => {
  const apns = await startApns(t);
  const write = await keyFolder(t);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const other = await write("other.p8", String(privateKey.export({ type: "pkcs8", format: "pem" })));
  const wrongs = { PUSH_APNS_KEY_FILE: other, PUSH_APNS_KEY_ID: "AAAAAAAAAA", PUSH_APNS_TEAM_ID: "BBBBBBBBBB" };
  for (const [name, value] of Object.entries(wrongs)) {
    const sender = sendersOf(t, { ...apns.settings, [name]: value }).apns;
    assertOutcome(await sender.send(alert()), { is: "misconfigured" }, /PUSH_APNS_KEY_FILE, PUSH_APNS_KEY_ID and/);
  }
  assert.equal(apns.count(), 3);
});

test("a key of another app's team: the notification is refused, and whose app it is not is said", async (t) => {
  const apns = await startApns(t, { topics: ["app.other"] });
  const sender = sendersOf(t, apns.settings).apns;
  assertOutcome(await sender.send(alert()), { is: "refused" }, /key or certificate is not for this app/);
});

test("a signed token that has expired goes again at once with a new one; when that has expired too the clock is named", async (t) => {
  const apns = await startApns(t);
  const sender = sendersOf(t, apns.settings).apns;
  await sender.send(alert());
  const old = apns.seen[0]?.headers.authorization;
  apns.answer(({ headers }) =>
    headers.authorization === old ? { status: 403, reason: "ExpiredProviderToken" } : undefined,
  );
  const outcomes = await Promise.all([alert(), alert()].map((one) => sender.send(one)));
  assert.deepEqual(
    outcomes.map(({ is }) => is),
    ["again", "again"],
  );
  assert.equal((await sender.send(alert())).is, "sent");
  assert.equal(apns.signedTokens(), 2);
  apns.answer(() => ({ status: 403, reason: "ExpiredProviderToken" }));
  assertOutcome(await sender.send(alert()), { is: "again" });
  assertOutcome(await sender.send(alert()), { is: "misconfigured" }, /clock of this machine is wrong/);
});

test("a certificate in place of a key: it is shown, and no signed token with it", async (t) => {
  const apns = await startApns(t, { certificate: {} });
  const sender = sendersOf(t, apns.settings).apns;
  assert.equal((await sender.send(alert())).is, "sent");
  assert.equal((await sender.send(alert({ sandbox: true }))).is, "sent");
  assert.deepEqual(
    apns.seen.map(({ headers }) => headers.authorization),
    [undefined, undefined],
  );
  assertOutcome(await sender.send(alert({ topic: "app.other" })), { is: "refused" }, /not for this app/);
});

test("a certificate for production alone sends there, and of a token of the sandbox it is said why not", async (t) => {
  const apns = await startApns(t, { certificate: { environments: ["production"] } });
  const sender = sendersOf(t, apns.settings).apns;
  assert.equal((await sender.send(alert())).is, "sent");
  const reason = /^PUSH_APNS_CERTIFICATE_FILE is not for Apple's sandbox$/;
  assertOutcome(await sender.send(alert({ sandbox: true })), { is: "refused" }, reason);
  assert.equal(apns.count(), 1);
});

test("a certificate that the server does not let in is a setting that is wrong", async (t) => {
  const [apns, other] = [await startApns(t, { certificate: {} }), await startApns(t)];
  const { PUSH_APNS_KEY_FILE, PUSH_APNS_KEY_ID, PUSH_APNS_TEAM_ID } = other.settings;
  const { PUSH_APNS_CERTIFICATE_FILE: _, PUSH_APNS_CERTIFICATE_KEY_FILE: __, ...place } = apns.settings;
  const key = { PUSH_APNS_KEY_FILE, PUSH_APNS_KEY_ID, PUSH_APNS_TEAM_ID } as Record<string, string>;
  const sender = sendersOf(t, { ...place, ...key }).apns;
  assertOutcome(await sender.send(alert()), { is: "misconfigured" }, /PUSH_APNS_CERTIFICATE_FILE/);
  assert.equal(apns.count(), 0);
});
