// After two deaths: DUP packets one by one, the suspect kept aside, and nothing overtakes them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { UplinkTopic } from "@parley/protocol";
import { createLogger, type ReceivedPacket, type Redis } from "@parley/runtime";
import { createCrashGuard } from "./crash-guard.ts";
import type { Take } from "./partition.ts";

const topic: UplinkTopic = { p: "0", uid: "ann", clientId: "ann:a", verb: "msg" };
const packetOf = (text: string, dup: boolean): ReceivedPacket => ({
  topic: "t",
  payload: Buffer.from(text),
  qos: 1,
  dup,
  retain: false,
  properties: {},
});

// A guard of a partition whose holders died twice; takes are noted and end when told.
async function carefulTake() {
  const kept = new Map<string, string>();
  const redis = {
    getset: async () => "router-before",
    incr: async () => 2,
    expire: async () => 1,
    get: async (key: string) => kept.get(key) ?? null,
    set: async (key: string, value: string) => void kept.set(key, value),
    del: async () => 1,
  } as unknown as Redis;
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  const take: Take = ({ payload }) => {
    began.push(payload.toString());
    return new Promise<void>((resolve) => ends.set(payload.toString(), resolve));
  };
  const log = createLogger({ service: "router", level: "silent" });
  const guard = createCrashGuard({ redis, instance: "router-now", deadLetter: async () => undefined, log });
  const careful = await guard.acquired("0", take, { ack: () => undefined, nack: () => undefined });
  const offer = (text: string, dup: boolean) => void careful(packetOf(text, dup), topic, () => undefined);
  const settled = async () => {
    for (let count = 0; count < 5; count++) await turn();
    return began;
  };
  return { offer, settled, end: (text: string) => ends.get(text)?.() };
}

test("a new packet does not overtake the DUP packets that came before it", async () => {
  const { offer, settled, end } = await carefulTake();
  offer("first", true);
  offer("second", true);
  offer("third", false);
  offer("fourth", false);
  assert.deepEqual(await settled(), ["first"]);
  end("first");
  assert.deepEqual(await settled(), ["first", "second"]);
  end("second");
  assert.deepEqual(await settled(), ["first", "second", "third", "fourth"]);
});

test("once the DUP packets are done, packets go side by side again", async () => {
  const { offer, settled, end } = await carefulTake();
  offer("first", true);
  await settled();
  end("first");
  await settled();
  offer("second", false);
  offer("third", false);
  assert.deepEqual(await settled(), ["first", "second", "third"]);
});
