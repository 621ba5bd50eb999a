#!/usr/bin/env bash
# @nats-io/transport-node 3.4.0 (npm) with nats-server. Needs `nats-server` on PATH.
#
# Whether it is time to connect again the client tells by the wall clock: it keeps when it tried last (`Date.now()`) and waits until
# that and the delay (`reconnectTimeWait`, or what `reconnectDelayHandler` answers) are over. When the clock has gone back
# since it connected, as after a correction by NTP or in a virtual machine that was moved, the next loss of the connection is not
# mended before the clock is where it was: for as long as the step was, no attempt is made. No event or error says so.
#
# Connects while the clock is 5 s fast, sets it right, restarts the server, and prints when the connection is back. Seen with
# nats-server 2.9.10 (with the clock left as it is: back within a second):
#   clock left alone: back within a second
#   clock set back by 5 s: not back within 3 s, back within 8 s
# This script fails when that changes.
set -euo pipefail
work=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" && wait "$server" || true; fi; rm -rf "$work"' EXIT
cd "$work"
nats-server --version
port=$(node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
start() {
  nats-server -a 127.0.0.1 -p "$port" >> server.log 2>&1 &
  server=$!
}
npm init -y > /dev/null
npm install --silent --no-fund --no-audit @nats-io/transport-node@3.4.0
cat > ask.mjs <<'JS'
import { once } from "node:events";
import { createInterface } from "node:readline";
import { connect } from "@nats-io/transport-node";

const [port, stepMs] = process.argv.slice(2).map(Number);
const now = Date.now;
let aheadMs = stepMs;
Date.now = () => now() + aheadMs;
const options = { reconnectTimeWait: 200, maxReconnectAttempts: -1, waitOnFirstConnect: true };
const nats = await connect({ servers: `127.0.0.1:${port}`, ...options });
aheadMs = 0;
const isBack = new Promise((resolve) => {
  (async () => {
    for await (const { type } of nats.status()) if (type === "reconnect") resolve(true);
  })();
});
const within = (ms) => Promise.race([isBack, new Promise((resolve) => setTimeout(() => resolve(false), ms))]);
console.log("connected");
await once(createInterface({ input: process.stdin }), "line");
if (stepMs === 0) console.log(`clock left alone: ${(await within(1_000)) ? "" : "not "}back within a second`);
else {
  const [soon, late] = [await within(3_000), await within(5_000)];
  console.log(`clock set back by ${stepMs / 1_000} s: ${soon ? "" : "not "}back within 3 s, ${late ? "" : "not "}back within 8 s`);
}
process.exit();
JS
for step in 0 5000; do
  start
  coproc ask { node ask.mjs "$port" "$step"; }
  pid=$ask_PID
  read -r line <&"${ask[0]}"
  test "$line" = connected
  kill "$server" && wait "$server" || true
  start
  sleep 0.3
  echo restarted >&"${ask[1]}"
  read -r line <&"${ask[0]}"
  echo "$line" | tee -a seen
  wait "$pid" || true
  kill "$server" && wait "$server" || true
  server=
done
diff seen - <<'SEEN'
clock left alone: back within a second
clock set back by 5 s: not back within 3 s, back within 8 s
SEEN
