#!/usr/bin/env bash
# firebase-admin 14.5.1 (npm; its engines ask for Node 22 or newer), with an FCM of our own on 127.0.0.1.
#
# send() fails with one and the same `code` for a fault of one device's token and for a fault of the whole project. FCM tells them
# apart by a google.firebase.fcm.v1.FcmError in the answer's details; the library takes its errorCode where there is one and else
# the answer's plain status, and maps both to one code. So "delete the token on messaging/registration-token-not-registered", the
# usual advice, deletes every token that is tried while the answers are plain 404s, which say nothing of a token. What tells is
# `error.httpResponse.data.error.details`.
#
# Prints the code for pairs of answers, with the FcmError and without. Seen:
#   404 UNREGISTERED: messaging/registration-token-not-registered
#   404 NOT_FOUND alone: messaging/registration-token-not-registered
#   403 SENDER_ID_MISMATCH: messaging/mismatched-credential
#   403 PERMISSION_DENIED alone: messaging/mismatched-credential
#   401 THIRD_PARTY_AUTH_ERROR: messaging/third-party-auth-error
#   401 UNAUTHENTICATED alone: messaging/third-party-auth-error
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
import { connect } from "node:tls";
import { initializeApp } from "firebase-admin/app";
import { getMessaging } from "firebase-admin/messaging";

const tls = { key: readFileSync("tls.key"), cert: readFileSync("tls.pem") };
let next;
const server = createServer(tls, (request, response) => {
  request.resume().on("end", () => {
    const { http, status, fcm } = next;
    const fcmError = { "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", errorCode: fcm };
    const details = fcm === undefined ? {} : { details: [fcmError] };
    response.writeHead(http, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: { code: http, message: "m", status, ...details } }));
  });
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
class ToUs extends Agent {
  createConnection() {
    return connect({ host: "127.0.0.1", port: server.address().port, ca: tls.cert, servername: "localhost" });
  }
}
const credential = { getAccessToken: async () => ({ access_token: "t", expires_in: 3_600 }) };
const messaging = getMessaging(initializeApp({ projectId: "p", credential, httpAgent: new ToUs() }));
for (next of [
  { http: 404, status: "NOT_FOUND", fcm: "UNREGISTERED" },
  { http: 404, status: "NOT_FOUND" },
  { http: 403, status: "PERMISSION_DENIED", fcm: "SENDER_ID_MISMATCH" },
  { http: 403, status: "PERMISSION_DENIED" },
  { http: 401, status: "UNAUTHENTICATED", fcm: "THIRD_PARTY_AUTH_ERROR" },
  { http: 401, status: "UNAUTHENTICATED" },
]) {
  const message = { token: "a", notification: { body: "b" } };
  const code = await messaging.send(message).then(() => "sent", (error) => error.code);
  console.log(`${next.http} ${next.fcm ?? `${next.status} alone`}: ${code}`);
}
process.exit(0);
JS
node ask.mjs | tee seen
diff seen - <<'SEEN'
404 UNREGISTERED: messaging/registration-token-not-registered
404 NOT_FOUND alone: messaging/registration-token-not-registered
403 SENDER_ID_MISMATCH: messaging/mismatched-credential
403 PERMISSION_DENIED alone: messaging/mismatched-credential
401 THIRD_PARTY_AUTH_ERROR: messaging/third-party-auth-error
401 UNAUTHENTICATED alone: messaging/third-party-auth-error
SEEN
