#!/usr/bin/env bash
# nats-server with JetStream, asked by @nats-io/jetstream 3.4.0 (npm). Needs `nats-server` on PATH.
#
# A durable consumer that is made to begin late in a stream (`opt_start_seq`) says in its info that the stream sequence of its
# acknowledgement floor is 0 until the first message is acknowledged, though everything before its start counts as done:
# `delivered` says where it stands. Whoever takes the floor for "done up to here" and makes the consumer anew there begins at
# the stream's first message again.
#
# Prints delivered and floor of a consumer that begins at 901 of 1,000 messages: new, after one message was acknowledged. Seen
# with nats-server 2.9.10:
#   new: delivered 900, floor 0
#   one acknowledged: delivered 901, floor 901
# This script fails when that changes.
set -euo pipefail
work=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" && wait "$server" || true; fi; rm -rf "$work"' EXIT
cd "$work"
nats-server --version
port=$(node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
nats-server -a 127.0.0.1 -p "$port" -js -sd "$work/data" > server.log 2>&1 &
server=$!
npm init -y > /dev/null
npm install --silent --no-fund --no-audit @nats-io/jetstream@3.4.0 @nats-io/transport-node@3.4.0
cat > ask.mjs <<'JS'
import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

const nats = await connect({ servers: `127.0.0.1:${process.argv[2]}`, waitOnFirstConnect: true });
const manager = await jetstreamManager(nats);
const client = jetstream(nats);
await manager.streams.add({ name: "S", subjects: ["s"] });
for (let n = 1; n <= 1_000; n++) await client.publish("s", `${n}`);
await manager.consumers.add("S", {
  durable_name: "late",
  ack_policy: AckPolicy.Explicit,
  deliver_policy: DeliverPolicy.StartSequence,
  opt_start_seq: 901,
});
const tell = async (when) => {
  const { delivered, ack_floor: floor } = await manager.consumers.info("S", "late");
  console.log(`${when}: delivered ${delivered.stream_seq}, floor ${floor.stream_seq}`);
};
await tell("new");
const consumer = await client.consumers.get("S", "late");
const message = await consumer.next();
await message.ackAck();
await tell("one acknowledged");
await nats.close();
JS
node ask.mjs "$port" | tee seen
diff seen - <<'SEEN'
new: delivered 900, floor 0
one acknowledged: delivered 901, floor 901
SEEN
