import assert from "node:assert/strict";
import { test } from "node:test";
import { chat } from "../../src/dialects/chat/chat.ts";
import { AppError } from "../../src/errors.ts";
import { pushRegister, pushRemove } from "../../src/methods/push.ts";
import { storageGet, storageSet } from "../../src/methods/storage.ts";
import { published, recordParley, treeOf } from "../recorded-parley.ts";

const id = "t".repeat(43);

function open(refused?: AppError) {
  const parley = recordParley("ann", ["#"]);
  const kept: Record<string, unknown>[] = [];
  const done = () => {
    if (refused) throw refused;
    return { id };
  };
  parley.answer(pushRegister, done);
  parley.answer(pushRemove, done);
  parley.answer(storageGet, () => ({ name: "chat", value: {}, version: 0 }));
  parley.answer(storageSet, ({ value }) => {
    kept.push(value as Record<string, unknown>);
    return { name: "chat", version: 1 };
  });
  const speaker = chat.open({ ...treeOf("ann", "emqttd_v1_a"), filters: ["#"], dialect: "chat" }, parley);
  return {
    kept,
    asked: () => parley.asks.filter(([what]) => what.startsWith("push.")),
    async push(auth: object): Promise<unknown> {
      const said = parley.said.length;
      await speaker.take(published("events/1//api/anon//", { tup: "Auth", type: "push", ...auth }));
      const answers = parley.said.slice(said).map(({ payload }) => JSON.parse(Buffer.from(payload).toString()).code);
      assert.equal(answers.length, 1);
      return answers[0];
    },
  };
}

test("Auth/push registers the token with the provider of the program's system, and is answered as ever", async () => {
  for (const [auth, registered] of [
    [
      { push: "ab".repeat(32), os: "ios" },
      { kind: "apns", token: "ab".repeat(32) },
    ],
    [
      { push: "fcm:token", os: "android" },
      { kind: "fcm", token: "fcm:token" },
    ],
    [
      { push: "fcm:token", os: "Android" },
      { kind: "fcm", token: "fcm:token" },
    ],
  ] as const) {
    const device = open();
    assert.equal(await device.push(auth), "");
    assert.deepEqual(device.asked(), [["push.register", registered]]);
    assert.deepEqual(device.kept[0]?.push, { emqttd_v1_a: { push: auth.push, os: auth.os } });
  }
});

test("an empty token takes back what was registered, of whatever system", async () => {
  for (const os of ["ios", "web", undefined]) {
    const device = open();
    assert.equal(await device.push({ push: "", os }), "");
    assert.deepEqual(device.asked(), [["push.remove", {}]]);
  }
});

test("a token of a system that nobody notifies is kept, and listed", async () => {
  const device = open();
  assert.equal(await device.push({ push: "https://push.example/x", os: "web" }), "");
  assert.deepEqual([device.asked(), device.kept.length], [[], 1]);
});

test("a token that is none is refused and not kept; one that this server has no app for is kept", async () => {
  const wrong = open(new AppError("invalid_packet", "token must be a device token"));
  const refusal = (await wrong.push({ push: "no token", os: "ios" })) as { error?: unknown };
  assert.match(JSON.stringify(refusal), /mismatch_user_data/);
  assert.equal(wrong.kept.length, 0);
  const nameless = open(new AppError("forbidden", "appId is missing"));
  assert.equal(await nameless.push({ push: "ab".repeat(32), os: "ios" }), "");
  assert.equal(nameless.kept.length, 1);
});
