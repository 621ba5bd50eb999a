import assert from "node:assert/strict";
import { test } from "node:test";
import { testDesk } from "../../test/desk.ts";
import type { Decisions } from "../hooks/decisions.ts";
import { Framing } from "../packets/framing.ts";
import { asItCame, type Outcome } from "../packets/outcome.ts";
import { type Version, writePacket } from "../packets/packets.ts";
import { decideUplink } from "./uplink.ts";

const largest = 131_072;

function unsubscribe(version: Version, filters: string[]): Buffer {
  const properties = version === 5 ? { properties: { userProperties: { a: "b" } } } : {};
  return writePacket({ cmd: "unsubscribe", messageId: 7, unsubscriptions: filters, ...properties }, version);
}

/** What becomes of an UNSUBSCRIBE that comes behind another packet, and how often others had their turn meanwhile. */
async function decide(version: Version, packet: Buffer) {
  const device = testDesk({ clientId: "ann:1", username: "ann", version, maxPacketBytes: largest });
  const frame = new Framing(largest);
  frame.push(Buffer.concat([Buffer.from([0xc0, 0]), packet]));
  frame.next();
  frame.next();
  let turns = 0;
  let turn = setImmediate(function next() {
    turns += 1;
    turn = setImmediate(next);
  });
  const outcome: Outcome = await decideUplink(frame, device, {} as Decisions);
  clearImmediate(turn);
  return { outcome, turns, owed: device.partial.get(7)?.codes };
}

for (const version of [4, 5] as const) {
  test(`others go on between every 1,000 filters of an UNSUBSCRIBE, which passes as it came, MQTT ${version}`, async () => {
    const filters = Array.from({ length: 20_000 }, (_, index) => index.toString(36));
    const { outcome, turns, owed } = await decide(version, unsubscribe(version, filters));
    assert.equal(outcome, asItCame);
    assert.ok(turns >= 19, `${turns} turns`);
    assert.equal(owed, undefined);
  });

  test(`the broker sees of an UNSUBSCRIBE all that is well-formed, wherever the rest stands, MQTT ${version}`, async () => {
    const filters = Array.from({ length: 3_000 }, (_, index) => index.toString(36));
    const wrong = new Map([
      [0, "a/#/b"],
      [999, ""],
      [1000, "$share/g/ü"],
      [2999, "#+"],
    ]);
    const asked = filters.map((filter, index) => wrong.get(index) ?? filter);
    const { outcome, owed } = await decide(version, unsubscribe(version, asked));
    const known = filters.filter((_, index) => !wrong.has(index));
    assert.deepEqual(outcome, { forward: unsubscribe(version, known) });
    if (version === 5)
      assert.deepEqual(
        owed?.flatMap((code, index) => (code === undefined ? [] : [[index, code]])),
        [
          [0, 0x8f],
          [999, 0x8f],
          [1000, 0x11],
          [2999, 0x8f],
        ],
      );
  });
}
