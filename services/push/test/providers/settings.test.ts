import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { test } from "node:test";
import { ConfigError } from "@parley/runtime";
import { keyFolder, startApns, startFcm, startWebPush, testAuthority } from "@parley/testkit";
import { sendersOf } from "./senders.ts";

const pem = (key: KeyObject) => String(key.export({ type: "pkcs8", format: "pem" }));

/** The problems that stop the start, each a text. */
function problemsOf(t: Parameters<typeof sendersOf>[0], env: Record<string, string>): readonly string[] {
  try {
    sendersOf(t, env);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
  return [];
}

test("a provider without settings is off", (t) => {
  assert.deepEqual(Object.keys(sendersOf(t, {})), ["lines"]);
});

test("providers whose settings are in order are on", async (t) => {
  const [apns, fcm, web] = [await startApns(t), await startFcm(t), await startWebPush(t)];
  const all = sendersOf(t, { ...apns.settings, ...fcm.settings, ...web.settings });
  assert.deepEqual(Object.keys(all).sort(), ["apns", "fcm", "lines", "webpush"]);
  assert.deepEqual(Object.keys(sendersOf(t, fcm.settings)), ["fcm", "lines"]);
});

test("settings that are half given stop the start: each missing one is named, with what it goes with", async (t) => {
  const { settings: key } = await startApns(t);
  const { settings: certificate } = await startApns(t, { certificate: {} });
  const { PUSH_APNS_KEY_FILE = "", PUSH_APNS_TEAM_ID = "" } = key;
  const { PUSH_APNS_CERTIFICATE_FILE = "", PUSH_APNS_CERTIFICATE_KEY_FILE = "" } = certificate;
  assert.deepEqual(problemsOf(t, { PUSH_APNS_KEY_FILE }), [
    "PUSH_APNS_KEY_ID is required with PUSH_APNS_KEY_FILE",
    "PUSH_APNS_TEAM_ID is required with PUSH_APNS_KEY_FILE",
  ]);
  assert.deepEqual(problemsOf(t, { PUSH_APNS_KEY_FILE, PUSH_APNS_TEAM_ID }), [
    "PUSH_APNS_KEY_ID is required with PUSH_APNS_KEY_FILE and PUSH_APNS_TEAM_ID",
  ]);
  assert.deepEqual(problemsOf(t, { PUSH_APNS_CERTIFICATE_FILE }), [
    "PUSH_APNS_CERTIFICATE_KEY_FILE is required with PUSH_APNS_CERTIFICATE_FILE",
  ]);
  assert.deepEqual(problemsOf(t, { PUSH_APNS_CERTIFICATE_KEY_FILE }), [
    "PUSH_APNS_CERTIFICATE_FILE is required with PUSH_APNS_CERTIFICATE_KEY_FILE",
  ]);
  assert.deepEqual(problemsOf(t, { ...key, ...certificate }), [
    "PUSH_APNS_KEY_FILE and PUSH_APNS_CERTIFICATE_FILE are both set: APNs takes a key or a certificate",
  ]);
  const { settings: fcm } = await startFcm(t);
  const { PUSH_FCM_URL: _, ...rest } = fcm;
  assert.deepEqual(problemsOf(t, rest), ["PUSH_FCM_URL is required with PUSH_FCM_CA_FILE"]);
});

test("files that hold something else stop the start: setting, file and what it should be, and nothing of what is in it", async (t) => {
  const write = await keyFolder(t);
  const { settings: apns } = await startApns(t);
  const { settings: fcm } = await startFcm(t);
  const { settings: web } = await startWebPush(t);
  const rsa = await write("rsa.pem", pem(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey));
  const p384 = await write("p384.pem", pem(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey));
  const [text, empty] = [await write("text", "hunter2"), await write("empty", "")];
  const json = await write("web.json", '{"type":"web","private_key":"hunter2"}');
  const broken = { type: "service_account", project_id: "p", client_email: "e", private_key: "hunter2" };
  const halfKey = await write("half.json", JSON.stringify(broken));
  const large = await write("large", "x".repeat(70_000));
  const wrong: [env: Record<string, string>, problem: RegExp][] = [
    [{ ...apns, PUSH_APNS_KEY_FILE: text }, /^PUSH_APNS_KEY_FILE: \S+\/text is no key for APNs/],
    [{ ...apns, PUSH_APNS_KEY_FILE: empty }, /^PUSH_APNS_KEY_FILE: \S+\/empty is no key for APNs/],
    [{ ...apns, PUSH_APNS_KEY_FILE: rsa }, /^PUSH_APNS_KEY_FILE: \S+\/rsa.pem is no key for APNs/],
    [{ ...apns, PUSH_APNS_KEY_FILE: p384 }, /^PUSH_APNS_KEY_FILE: \S+\/p384.pem is no key for APNs/],
    [{ ...apns, PUSH_APNS_KEY_FILE: "/nowhere/key" }, /^PUSH_APNS_KEY_FILE: \/nowhere\/key cannot be read \(ENOENT\)$/],
    [{ ...apns, PUSH_APNS_KEY_FILE: "/" }, /^PUSH_APNS_KEY_FILE: \/ cannot be read \(EISDIR\)$/],
    [{ ...apns, PUSH_APNS_KEY_FILE: large }, /^PUSH_APNS_KEY_FILE: \S+\/large is too large$/],
    [{ ...apns, PUSH_APNS_KEY_ID: "key" }, /^PUSH_APNS_KEY_ID must be 10 of A-Z 0-9, not "key"$/],
    [{ ...apns, PUSH_APNS_CA_FILE: rsa }, /^PUSH_APNS_CA_FILE: \S+\/rsa.pem is no certificate/],
    [{ ...apns, PUSH_APNS_URL: "http://apple" }, /^PUSH_APNS_URL must be an address like https:/],
    [{ ...fcm, PUSH_FCM_SERVICE_ACCOUNT_FILE: text }, /^PUSH_FCM_SERVICE_ACCOUNT_FILE: \S+\/text is no JSON$/],
    [
      { ...fcm, PUSH_FCM_SERVICE_ACCOUNT_FILE: json },
      /^PUSH_FCM_SERVICE_ACCOUNT_FILE: .* is no key of a service account/,
    ],
    [{ ...fcm, PUSH_FCM_SERVICE_ACCOUNT_FILE: halfKey }, /^PUSH_FCM_SERVICE_ACCOUNT_FILE: .* holds no private key/],
    [{ ...web, PUSH_WEB_CA_FILE: text }, /^PUSH_WEB_CA_FILE: \S+\/text is no certificate/],
    [{ ...web, PUSH_WEB_SUBJECT: "operator" }, /^PUSH_WEB_SUBJECT must be mailto:/],
    [{ ...web, PUSH_WEB_ALLOW: "10.0.0.0/99" }, /^PUSH_WEB_ALLOW: 10.0.0.0\/99 is no address/],
  ];
  for (const [env, problem] of wrong) {
    const problems = problemsOf(t, env);
    assert.equal(problems.length, 1, JSON.stringify(problems));
    assert.match(problems[0] ?? "", problem);
    assert.doesNotMatch(problems[0] ?? "", /hunter2|\n/);
  }
});

test("a certificate that has expired, is another's, or is not Apple's stops the start", async (t) => {
  const write = await keyFolder(t);
  const { forServer } = await testAuthority();
  const { settings: expired } = await startApns(t, { certificate: { expired: true } });
  const { settings } = await startApns(t, { certificate: {} });
  const { settings: other } = await startApns(t, { certificate: {} });
  const server = await forServer(["localhost", "127.0.0.1"]);
  const otherKey = { PUSH_APNS_CERTIFICATE_KEY_FILE: other.PUSH_APNS_CERTIFICATE_KEY_FILE ?? "" };
  const servers = { PUSH_APNS_CERTIFICATE_FILE: await write("server.pem", server.cert) };
  const noKey = { PUSH_APNS_CERTIFICATE_KEY_FILE: settings.PUSH_APNS_CERTIFICATE_FILE ?? "" };
  const wrong: [env: Record<string, string>, problem: RegExp][] = [
    [expired, /^PUSH_APNS_CERTIFICATE_FILE: \S+\/app.pem has expired on \d{4}-\d\d-\d\d$/],
    [{ ...settings, ...otherKey }, /^PUSH_APNS_CERTIFICATE_KEY_FILE: \S+\/app.key is not the key of the certificate /],
    [{ ...settings, ...servers }, /^PUSH_APNS_CERTIFICATE_FILE: \S+\/server.pem is no certificate of Apple's/],
    [{ ...settings, ...noKey }, /^PUSH_APNS_CERTIFICATE_KEY_FILE: \S+\/app.pem is no private key/],
  ];
  for (const [env, problem] of wrong) {
    const problems = problemsOf(t, env);
    assert.equal(problems.length, 1, JSON.stringify(problems));
    assert.match(problems[0] ?? "", problem);
  }
});

test("all that is wrong with all providers is told at once", async (t) => {
  const problems = problemsOf(t, {
    PUSH_APNS_KEY_FILE: "/nowhere",
    PUSH_APNS_KEY_ID: "KEY1234567",
    PUSH_APNS_TEAM_ID: "TEAM123456",
    PUSH_FCM_SERVICE_ACCOUNT_FILE: "/nowhere",
    PUSH_WEB_SUBJECT: "mailto:a@b.example",
    PUSH_WEB_CA_FILE: "/nowhere",
  });
  assert.deepEqual(
    problems.map((problem) => problem.split(":")[0]),
    ["PUSH_APNS_KEY_FILE", "PUSH_FCM_SERVICE_ACCOUNT_FILE", "PUSH_WEB_CA_FILE"],
  );
});
