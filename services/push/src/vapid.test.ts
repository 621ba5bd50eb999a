import assert from "node:assert/strict";
import { createECDH } from "node:crypto";
import { test } from "node:test";
import webPush from "web-push";
import { readVapidKeys } from "./vapid.ts";

test("the public key is the one that web-push makes with it", () => {
  const { privateKey, publicKey } = webPush.generateVAPIDKeys();
  assert.deepEqual(readVapidKeys(privateKey, "x"), { privateKey, publicKey });
});

test("what is no key is refused, and named by where it stands", () => {
  const order = Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex");
  const pair = createECDH("prime256v1");
  for (const wrong of [Buffer.alloc(32), order, pair.generateKeys(), Buffer.alloc(31, 1)]) {
    const text = wrong.toString("base64url");
    assert.throws(
      () => readVapidKeys(text, "PUSH_VAPID_KEY"),
      ({ message }: Error) => {
        assert.match(message, /^PUSH_VAPID_KEY is no private key/);
        return !message.includes(text);
      },
    );
  }
});
