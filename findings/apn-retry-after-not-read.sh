#!/usr/bin/env bash
# @parse/node-apn 8.1.0 (npm), with an APNs of our own on 127.0.0.1.
#
# On 408, 429, 500, 502, 503 and 504 node-apn means to wait as long as the answer's Retry-After says before it asks again. It never
# does: it looks for `headers['Retry-After']`, and the names in Node's HTTP/2 headers are all lower case. So a server that is busy and
# asks for three seconds gets all four requests (`connectionRetryLimit` is 3) at once, and the caller, from whom Retry-After is kept
# back as well, can do no better than `connectionRetryLimit: 0` and a pause of its own choice.
#
# Sends one notification to a server that always answers 429 with `retry-after: 3`, by the default and with the limit at 0. Seen:
#   default: 4 requests, within one second: true, failed with 429, Retry-After passed on: false
#   limit 0: 1 requests, within one second: true, failed with 429, Retry-After passed on: false
# This script fails when that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -out tls.pem -days 2 \
  -subj /CN=localhost -addext subjectAltName=DNS:localhost 2> openssl.log
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out token.p8
npm init -y > /dev/null
npm install --silent --no-fund --no-audit @parse/node-apn@8.1.0
cat > ask.mjs <<'JS'
import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import apn from "@parse/node-apn";

const tls = { key: readFileSync("tls.key"), cert: readFileSync("tls.pem") };
let requests = 0;
const server = createSecureServer(tls);
server.on("stream", (stream) => {
  requests += 1;
  stream.respond({ ":status": 429, "retry-after": "3" });
  stream.end(JSON.stringify({ reason: "TooManyRequests" }));
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));

for (const [name, more] of [["default", {}], ["limit 0", { connectionRetryLimit: 0 }]]) {
  const provider = new apn.Provider({
    token: { key: "token.p8", keyId: "ABCDE12345", teamId: "FGHIJ67890" },
    address: "localhost",
    port: server.address().port,
    ca: tls.cert,
    ...more,
  });
  // The connection first, so that its making is not in the time that is taken.
  await provider.send(new apn.Notification({ alert: "hello", topic: "app" }), "a".repeat(64));
  requests = 0;
  const from = performance.now();
  const { failed } = await provider.send(new apn.Notification({ alert: "hello", topic: "app" }), "a".repeat(64));
  const soon = performance.now() - from < 1_000;
  const told = /retry-?after/i.test(JSON.stringify(failed[0]));
  console.log(
    `${name}: ${requests} requests, within one second: ${soon}, failed with ${failed[0].status}, Retry-After passed on: ${told}`,
  );
  await provider.shutdown();
}
process.exit(0);
JS
node ask.mjs | tee seen
diff seen - <<'SEEN'
default: 4 requests, within one second: true, failed with 429, Retry-After passed on: false
limit 0: 1 requests, within one second: true, failed with 429, Retry-After passed on: false
SEEN
