import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { testAuthority } from "./certificates.ts";

test("a certificate for servers is signed by the authority, for the names and addresses that were asked for", async () => {
  const { ca, forServer } = await testAuthority();
  const { cert, key } = await forServer(["localhost", "127.0.0.1"]);
  const [parsed, signer] = [new X509Certificate(cert), new X509Certificate(ca)];
  assert.equal(parsed.verify(signer.publicKey), true);
  assert.equal(parsed.checkIP("127.0.0.1"), "127.0.0.1");
  assert.equal(parsed.checkHost("localhost"), "localhost");
  assert.equal(parsed.checkHost("other.example"), undefined);
  assert.match(key, /BEGIN PRIVATE KEY/);
  assert.equal(await forServer(["localhost", "127.0.0.1"]), await forServer(["localhost", "127.0.0.1"]));
  // OpenSSL takes no certificate whose number begins with a byte that is not needed.
  assert.match(parsed.serialNumber, /^4[0-9A-F]{23}$/);
});

test("a certificate for an app names it, and has expired where that was asked for", async () => {
  const { forApp } = await testAuthority();
  const [good, expired] = [await forApp({ topic: "app.x" }), await forApp({ topic: "app.x", expired: true })];
  assert.match(new X509Certificate(good.cert).subject, /^UID=app\.x$/m);
  assert.ok(Date.parse(new X509Certificate(good.cert).validTo) > Date.now());
  assert.ok(Date.parse(new X509Certificate(expired.cert).validTo) < Date.now());
});
