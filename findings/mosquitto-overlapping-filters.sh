#!/usr/bin/env bash
# Mosquitto, with MQTT.js 5.16.0 (npm) as its client. Needs `mosquitto` on PATH.
#
# One client with filters that overlap gets one message once where it speaks MQTT 3.1.1, and once for each filter that matches where
# it speaks MQTT 5. Both standards allow both. Its manual has a setting for it (`allow_duplicate_messages`, by default true), and no word
# of a difference between the two. A client that is moved from 3.1.1 to 5 with its filters unchanged sees messages twice.
#
# Subscribes `a/+` and `a/#` with QoS 1, publishes `a/b` once from another client, and counts for half a second. Seen with
# mosquitto 2.0.11:
#   MQTT 3.1.1: 1
#   MQTT 5: 2
# This script fails when that changes.
set -euo pipefail
work=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" && wait "$server" || true; fi; rm -rf "$work"' EXIT
cd "$work"
mosquitto -h | head -1 || true
port=$(node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$port" > mosquitto.conf
mosquitto -c mosquitto.conf > server.log 2>&1 &
server=$!
npm init -y > /dev/null
npm install --silent --no-fund --no-audit mqtt@5.16.0
cat > ask.mjs <<'JS'
import { setTimeout as sleep } from "node:timers/promises";
import mqtt from "mqtt";

const url = `mqtt://127.0.0.1:${process.argv[2]}`;
for (const [name, protocolVersion] of [["MQTT 3.1.1", 4], ["MQTT 5", 5]]) {
  const listener = await mqtt.connectAsync(url, { protocolVersion });
  let heard = 0;
  listener.on("message", () => {
    heard += 1;
  });
  await listener.subscribeAsync(["a/+", "a/#"], { qos: 1 });
  const sender = await mqtt.connectAsync(url, { protocolVersion: 4 });
  await sender.publishAsync("a/b", "x", { qos: 1 });
  await sleep(500);
  console.log(`${name}: ${heard}`);
  await Promise.all([listener.endAsync(), sender.endAsync()]);
}
JS
node ask.mjs "$port" | tee seen
diff seen - <<'SEEN'
MQTT 3.1.1: 1
MQTT 5: 2
SEEN
