import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tree } from "@parley/protocol";
import type { ReceivedPacket } from "@parley/runtime";
import { openDesk } from "./desk.ts";
import { createPort, type PortParts } from "./port.ts";

const tree: Tree = {
  ...{ p: "0", owner: "user", uid: "jack", clientId: "jack", accounts: ["jack"], persistent: true, connectedAt: 1 },
  ...{ filters: ["jack/o/+"], version: 1, dialect: "mqtt-chat" },
};

test("what is asked to tell a device something is no packet of the device; what the device asks for is", async () => {
  let counted = 0;
  const portFor = createPort({
    ...{ publicUrl: "http://chat.example", guests: [] },
    nats: {},
    admit: {
      packet() {
        counted += 1;
      },
    },
    state: { work: async () => undefined },
    typing: { work: async () => undefined },
  } as unknown as PortParts);
  const said: string[] = [];
  const desk = openDesk(tree, {
    ...{ portFor, guests: [], log: { child: () => console } as never },
    publish: async (_, payload) => void said.push(Buffer.from(payload).toString()),
    catchUp: Object.assign(async () => {}, { begin: async () => {}, between: async () => {} }),
    moved: () => {},
    marksOf: () => ({ read: async () => new Map(), move: () => {}, kept: async () => {} }),
    learned: () => {},
  });
  desk.update({ ...tree, connectedAt: Date.now() });
  const content = { type: "reaction", seq: 3, data: "👍" };
  const message = { conv: "p2p/bob/jack", seq: 4, from: "bob", device: "bob:web", ts: 1, id: "m4", content };
  desk.offer({ packet: message, channel: "m" });
  while (!desk.isIdle()) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(
    said.some((payload) => payload.includes("👍 to: message 3")),
    "history was asked, in vain",
  );
  assert.equal(counted, 0);

  const composing: ReceivedPacket = {
    ...{ topic: "", qos: 1, dup: false, retain: false, properties: {} },
    payload: Buffer.from('{"i":"jack","c":"COMPOSING"}'),
  };
  await desk.take(composing, "bob/o/c");
  assert.equal(counted, 2, "whose id it is, and that jack types");
  desk.close();
});
