#!/usr/bin/env bash
# @parse/node-apn 8.1.0 (npm), with an APNs of our own on 127.0.0.1.
#
# A Notification that was sent once and is then changed and sent again goes out as a mixture: its headers (collapse id, priority,
# topic) are made anew each time, its body is the first one's for ever. The first send() compiles the body and keeps it; setting
# `alert` or `badge` afterwards shows on the object, raises nothing, and the send() is reported as sent. Each message needs a
# Notification of its own.
#
# Sends one, changes alert, badge and collapse id, sends it again, and prints what the server got, and what the object says. Seen:
#   first: collapse id one, body {"aps":{"badge":1,"alert":"first"}}
#   second: collapse id two, body {"aps":{"badge":1,"alert":"first"}}
#   the object: alert second, badge 2
#   sent 2, failed 0
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
import { text } from "node:stream/consumers";
import apn from "@parse/node-apn";

const tls = { key: readFileSync("tls.key"), cert: readFileSync("tls.pem") };
let got;
const server = createSecureServer(tls);
server.on("stream", async (stream, headers) => {
  got = `collapse id ${headers["apns-collapse-id"]}, body ${await text(stream)}`;
  stream.respond({ ":status": 200 });
  stream.end();
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));

const provider = new apn.Provider({
  token: { key: "token.p8", keyId: "ABCDE12345", teamId: "FGHIJ67890" },
  address: "localhost",
  port: server.address().port,
  ca: tls.cert,
});
const notification = new apn.Notification({ topic: "app" });
let sent = 0;
let failed = 0;
for (const [n, name, collapseId] of [[1, "first", "one"], [2, "second", "two"]]) {
  notification.badge = n;
  notification.alert = name;
  notification.collapseId = collapseId;
  const answer = await provider.send(notification, "a".repeat(64));
  sent += answer.sent.length;
  failed += answer.failed.length;
  console.log(`${name}: ${got}`);
}
console.log(`the object: alert ${notification.aps.alert}, badge ${notification.aps.badge}`);
console.log(`sent ${sent}, failed ${failed}`);
process.exit(0);
JS
node ask.mjs | tee seen
diff seen - <<'SEEN'
first: collapse id one, body {"aps":{"badge":1,"alert":"first"}}
second: collapse id two, body {"aps":{"badge":1,"alert":"first"}}
the object: alert second, badge 2
sent 2, failed 0
SEEN
