#!/usr/bin/env bash
# firebase-admin 14.5.1 (npm; its engines ask for Node 22 or newer), with an FCM of our own on 127.0.0.1. Takes about ten seconds.
#
# One send() can be five notifications. Where the connection is lost after FCM took the message and before its answer came, the
# library posts the same message again, four times within seven seconds, though it cannot know that the first was not delivered,
# and nothing in the requests says that they are one. No public setting turns it off, and send() takes no AbortSignal, so that a
# caller that gave up and tries again by itself only adds to them. Messages that must not be shown twice need a tag (Android),
# an apns-collapse-id or a topic (web).
#
# The server reads each request whole and then drops the connection. Prints how many requests one send() made, whether they were
# equal, and how it ended. Seen:
#   5 requests, equal bodies: true, a header of their own: none
#   send(): app/network-error
# This script fails when that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -out tls.pem -days 2 \
  -subj /CN=localhost -addext subjectAltName=DNS:localhost 2> openssl.log
npm init -y > /dev/null
npm install --silent --no-fund --no-audit firebase-admin@14.5.1
cat > ask.mjs <<'JS'
import { readFileSync } from "node:fs";
import { Agent, createServer } from "node:https";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import { initializeApp } from "firebase-admin/app";
import { getMessaging } from "firebase-admin/messaging";

const tls = { key: readFileSync("tls.key"), cert: readFileSync("tls.pem") };
const bodies = [];
const headers = [];
const server = createServer(tls, async (request) => {
  headers.push(request.headers);
  bodies.push(await text(request));
  request.socket.destroy();
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
class ToUs extends Agent {
  createConnection() {
    return connect({ host: "127.0.0.1", port: server.address().port, ca: tls.cert, servername: "localhost" });
  }
}
const credential = { getAccessToken: async () => ({ access_token: "t", expires_in: 3_600 }) };
const messaging = getMessaging(initializeApp({ projectId: "p", credential, httpAgent: new ToUs() }));
const end = await messaging.send({ token: "a", notification: { body: "b" } }).then(() => "sent", (error) => error.code);
const own = Object.keys(headers[0]).filter((name) => new Set(headers.map((of) => of[name])).size > 1);
console.log(
  `${bodies.length} requests, equal bodies: ${new Set(bodies).size === 1}, a header of their own: ${own.join(", ") || "none"}`,
);
console.log(`send(): ${end}`);
process.exit(0);
JS
node ask.mjs | tee seen
diff seen - <<'SEEN'
5 requests, equal bodies: true, a header of their own: none
send(): app/network-error
SEEN
