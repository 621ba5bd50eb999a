import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeRequest } from "./apns-rules.ts";

const inOrder = {
  ":method": "POST",
  ":path": `/3/device/${"0a".repeat(32)}`,
  "apns-topic": "app.parley",
  "apns-push-type": "alert",
  "apns-priority": "10",
  "apns-expiration": "0",
  "apns-id": "123e4567-e89b-12d3-a456-42661417400a",
  "apns-collapse-id": "x".repeat(64),
};
const body = Buffer.from("{}");

const wrong: Record<string, Record<string, string | undefined>> = {
  "405 MethodNotAllowed": { ":method": "GET" },
  "404 BadPath": { ":path": "/3/devices/1" },
  "400 MissingDeviceToken": { ":path": "/3/device/" },
  "400 BadDeviceToken": { ":path": "/3/device/xyz" },
  "400 MissingTopic": { "apns-topic": undefined },
  "400 InvalidPushType": { "apns-push-type": "loud" },
  "400 BadPriority": { "apns-priority": "7" },
  "400 BadMessageId": { "apns-id": "1" },
  "400 BadExpirationDate": { "apns-expiration": "soon" },
  "400 BadCollapseId": { "apns-collapse-id": "x".repeat(65) },
};

test("a request that is in order is taken", () => {
  assert.equal(judgeRequest(inOrder, body), undefined);
  assert.equal(judgeRequest({ ...inOrder, "apns-push-type": "voip" }, Buffer.alloc(5120)), undefined);
});

for (const [answer, headers] of Object.entries(wrong))
  test(`what Apple answers ${answer} is answered the same`, () => {
    const { status, reason } = judgeRequest({ ...inOrder, ...headers }, body) ?? {};
    assert.equal(`${status} ${reason}`, answer);
  });

test("a payload that is empty or larger than Apple takes is refused, and one in the background that is urgent", () => {
  assert.deepEqual(judgeRequest(inOrder, Buffer.alloc(0)), { status: 400, reason: "PayloadEmpty" });
  assert.deepEqual(judgeRequest(inOrder, Buffer.alloc(4097)), { status: 413, reason: "PayloadTooLarge" });
  const background = { ...inOrder, "apns-push-type": "background" };
  assert.deepEqual(judgeRequest(background, body), { status: 400, reason: "BadPriority" });
});
