#!/usr/bin/env bash
# web-push 3.6.7 (npm).
#
# "An application server MUST encrypt a push message with a single record", and declare a record size that is greater than what
# it encrypts, so that a receiver need not know more than one (RFC 8291, section 4). web-push leaves the record size at 4,096
# whatever the payload: over 4,079 bytes it makes a body of two records, and raises and says nothing. A push service may refuse
# bodies over 4,096 bytes and need not; one that takes them hands on what a receiver by the RFC cannot read. Whoever sends has
# to count.
#
# Prints, for payloads of 3,993 bytes (the most that every push service must take), 4,079 and 4,080: the body's length, the record
# size that it declares, and its number of records (the last one may be shorter). Seen:
#   3993: body 4096, record size 4096, records 1
#   4079: body 4182, record size 4096, records 1
#   4080: body 4200, record size 4096, records 2
# This script fails when that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > /dev/null
npm install --silent --no-fund --no-audit web-push@3.6.7
cat > ask.mjs <<'JS'
import { createECDH, randomBytes } from "node:crypto";
import webPush from "web-push";

const browser = createECDH("prime256v1");
const subscription = {
  endpoint: "https://push.example/1",
  keys: { p256dh: browser.generateKeys("base64url"), auth: randomBytes(16).toString("base64url") },
};
const { publicKey, privateKey } = webPush.generateVAPIDKeys();
const vapidDetails = { subject: "mailto:us@example.com", publicKey, privateKey };
for (const bytes of [3993, 4079, 4080]) {
  const { body } = webPush.generateRequestDetails(subscription, Buffer.alloc(bytes, "x"), { vapidDetails });
  // RFC 8188: salt (16 bytes), record size (4), length of the key (1), the key; then the records.
  const size = body.readUInt32BE(16);
  const records = Math.ceil((body.length - 21 - body[20]) / size);
  console.log(`${bytes}: body ${body.length}, record size ${size}, records ${records}`);
}
JS
node ask.mjs | tee seen
diff seen - <<'SEEN'
3993: body 4096, record size 4096, records 1
4079: body 4182, record size 4096, records 1
4080: body 4200, record size 4096, records 2
SEEN
