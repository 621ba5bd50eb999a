import assert from "node:assert/strict";
import { test } from "node:test";
import { decrypt } from "./decrypt.ts";

// The example of RFC 8291, appendix A.
const bytes = (text: string) => Buffer.from(text, "base64url");
const receiver = {
  privateKey: bytes("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"),
  publicKey: bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
  authSecret: bytes("BTBZMqHH6r4Tts7J_aSIgg"),
};
const body = bytes(
  "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A" +
    "_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
);

test("the message of the RFC is read by whom it was written for", () => {
  assert.equal(decrypt(body, receiver), "When I grow up, I want to be a watermelon");
});

test("a message that was changed, or is for somebody else, is not read", () => {
  const changed = Buffer.from(body);
  changed[body.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  assert.throws(() => decrypt(changed, receiver));
  assert.throws(() => decrypt(body, { ...receiver, authSecret: Buffer.alloc(16) }));
});
