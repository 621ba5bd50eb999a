import assert from "node:assert/strict";
import { test } from "node:test";
import type { TokenKind } from "@parley/protocol";
import { decideJobs, type TokenOfDevice, type Told } from "./decide-jobs.ts";

const token = (uid: string, device: string, kind: TokenKind): TokenOfDevice => ({
  key: `${uid}-${device}-${kind}`,
  uid,
  clientId: `${uid}:${device}`,
  kind,
});
const bobs = [
  token("bob", "phone", "apns"),
  token("bob", "phone", "apns-voip"),
  token("bob", "tab", "fcm"),
  token("bob", "web", "webpush"),
];
const tokens = new Map([["bob", bobs]]);
const what = { kind: "message", conv: "p2p/ann/bob", seq: 3, at: 5 } as const;
const isOn = () => true;
const keysOf = (
  told: Told,
  presence: Parameters<typeof decideJobs>[2] = {},
  on = isOn as Parameters<typeof decideJobs>[3],
) => decideJobs(told, tokens, presence, on).map(({ job }) => job.token);

test("each device that is away is told by its token, and of a message no voip token", () => {
  const jobs = decideJobs({ what, receivers: [{ uid: "bob" }, { uid: "cal" }] }, tokens, {}, isOn);
  assert.deepEqual(jobs, [
    { provider: "apns", job: { ...what, uid: "bob", clientId: "bob:phone", token: "bob-phone-apns" } },
    { provider: "fcm", job: { ...what, uid: "bob", clientId: "bob:tab", token: "bob-tab-fcm" } },
    { provider: "webpush", job: { ...what, uid: "bob", clientId: "bob:web", token: "bob-web-webpush" } },
  ]);
});

test("a device that is connected and active is not told, one that is connected and inactive is", () => {
  const devices = [
    { clientId: "bob:phone", active: true },
    { clientId: "bob:tab", active: false },
  ];
  assert.deepEqual(keysOf({ what, receivers: [{ uid: "bob" }] }, { bob: { devices } }), [
    "bob-tab-fcm",
    "bob-web-webpush",
  ]);
});

test("nobody is told who does not want to be disturbed; that the user read on goes to its devices all the same", () => {
  const presence = { bob: { dnd: true as const, devices: [] } };
  assert.deepEqual(keysOf({ what, receivers: [{ uid: "bob" }] }, presence), []);
  const read = { ...what, kind: "read" } as const;
  assert.deepEqual(keysOf({ what: read, receivers: [{ uid: "bob" }] }, presence), ["bob-phone-apns", "bob-tab-fcm"]);
});

test("who is there with some of its devices is told on these alone", () => {
  assert.deepEqual(keysOf({ what, receivers: [{ uid: "bob", devices: ["bob:tab"] }] }), ["bob-tab-fcm"]);
});

test("a phone rings by its voip token and by no other; one that has none by the one it has", () => {
  const call = { ...what, kind: "call" } as const;
  const rings = ["bob-phone-apns-voip", "bob-tab-fcm", "bob-web-webpush"];
  assert.deepEqual(keysOf({ what: call, receivers: [{ uid: "bob" }] }), rings);
  const alert = new Map([["bob", [token("bob", "phone", "apns")]]]);
  const jobs = decideJobs({ what: call, receivers: [{ uid: "bob" }] }, alert, {}, isOn);
  assert.deepEqual(
    jobs.map(({ job }) => job.token),
    ["bob-phone-apns"],
  );
});

test("of a provider that has no settings no job is made", () => {
  assert.deepEqual(
    keysOf({ what, receivers: [{ uid: "bob" }] }, {}, (provider) => provider === "fcm"),
    ["bob-tab-fcm"],
  );
});

test("the device that has read is not told of it, though it is inactive by now", () => {
  const told: Told = { what: { ...what, kind: "read" }, receivers: [{ uid: "bob" }], exceptDevice: "bob:phone" };
  assert.deepEqual(keysOf(told), ["bob-tab-fcm"]);
});
